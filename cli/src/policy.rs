//! Capabilities: what the command line grants, and the manifest that carries it into executables.
//!
//! The manifest's grammar is that of [`kiln_abi::program`]. Nothing is granted by default.

use std::fmt::{self, Write as _};

use kiln_abi::program::POLICY_HEADER;

/// What a program may touch besides its arguments, the standard streams, clocks and randomness.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) directories: Vec<Directory>,
    /// Fixed variables, in the order in which they were given.
    pub(crate) env: Vec<(String, String)>,
    pub(crate) inherited: Inherited,
}

/// A preopened directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Directory {
    pub(crate) host: String,
    pub(crate) guest: String,
    pub(crate) read_only: bool,
}

/// Which variables of the host's environment the program sees.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Inherited {
    #[default]
    None,
    Names(Vec<String>),
    All,
}

impl Policy {
    /// The manifest.
    ///
    /// Requires that no field holds a tab, newline or NUL: see [`is_field`].
    pub(crate) fn manifest(&self) -> String {
        let mut text = format!("{POLICY_HEADER}\n");
        for Directory { host, guest, read_only } in &self.directories {
            let access = if *read_only { "ro" } else { "rw" };
            let _ = writeln!(text, "dir\t{access}\t{host}\t{guest}");
        }
        for (name, value) in &self.env {
            let _ = writeln!(text, "env\t{name}={value}");
        }
        match &self.inherited {
            Inherited::None => {}
            Inherited::All => text.push_str("inherit-env\t*\n"),
            Inherited::Names(names) => {
                for name in names {
                    let _ = writeln!(text, "inherit-env\t{name}");
                }
            }
        }
        text
    }

    /// Reads a manifest; `None` when it is not one of this version.
    pub(crate) fn parse(manifest: &str) -> Option<Self> {
        let mut lines = manifest.lines();
        if lines.next()? != POLICY_HEADER {
            return None;
        }
        let mut policy = Self::default();
        for line in lines {
            match *line.split('\t').collect::<Vec<_>>() {
                ["dir", access @ ("ro" | "rw"), host, guest] => {
                    policy.directories.push(Directory {
                        host: host.to_owned(),
                        guest: guest.to_owned(),
                        read_only: access == "ro",
                    });
                }
                ["env", variable] => {
                    let (name, value) = variable.split_once('=')?;
                    policy.env.push((name.to_owned(), value.to_owned()));
                }
                ["inherit-env", "*"] => policy.inherited = Inherited::All,
                ["inherit-env", name] => match &mut policy.inherited {
                    Inherited::Names(names) => names.push(name.to_owned()),
                    inherited => *inherited = Inherited::Names(vec![name.to_owned()]),
                },
                _ => return None,
            }
        }
        Some(policy)
    }
}

/// One line per grant, in words; nothing for the default.
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Directory { host, guest, read_only } in &self.directories {
            let access = if *read_only { "read only" } else { "read and write" };
            writeln!(f, "directory {host} as {guest}, {access}")?;
        }
        for (name, value) in &self.env {
            writeln!(f, "environment {name}={value}")?;
        }
        match &self.inherited {
            Inherited::None => Ok(()),
            Inherited::All => writeln!(f, "environment of the host"),
            Inherited::Names(names) => {
                writeln!(f, "environment of the host: {}", names.join(", "))
            }
        }
    }
}

/// Whether `text` can stand in a field of the manifest.
pub(crate) fn is_field(text: &str) -> bool {
    !text.contains(['\t', '\n', '\r', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_read_as_it_was_written() {
        let directory = |host: &str, guest: &str, read_only| Directory {
            host: host.to_owned(),
            guest: guest.to_owned(),
            read_only,
        };
        let mut policy = Policy {
            directories: vec![directory(".", ".", false), directory("/a b", "/data", true)],
            env: vec![("A".to_owned(), "b=c".to_owned())],
            inherited: Inherited::All,
        };
        assert_eq!(
            policy.manifest(),
            "kiln-policy 1\ndir\trw\t.\t.\ndir\tro\t/a b\t/data\nenv\tA=b=c\ninherit-env\t*\n"
        );
        assert_eq!(Policy::parse(&policy.manifest()), Some(policy.clone()));
        policy.inherited = Inherited::Names(vec!["HOME".to_owned(), "LANG".to_owned()]);
        assert_eq!(Policy::parse(&policy.manifest()), Some(policy));
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        for text in ["", "kiln-policy 2\n", "kiln-policy 1\ndir\trx\ta\tb\n", "kiln-policy 1\nx\n"]
        {
            assert_eq!(Policy::parse(text), None, "{text:?}");
        }
    }
}
