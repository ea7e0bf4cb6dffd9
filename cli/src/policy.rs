//! Capabilities: what the command line grants, and the manifest that carries it into executables.
//!
//! The manifest's grammar is that of [`kiln_abi::program`]. Nothing is granted by default.

use std::fmt::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use kiln_abi::program::POLICY_HEADER;

/// What a program may touch besides its arguments, the standard streams, clocks and randomness.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) directories: Vec<Directory>,
    /// Variables of the environment that list directories.
    pub(crate) listed: Vec<Listed>,
    /// Where the program listens for TCP connections.
    pub(crate) listeners: Vec<SocketAddr>,
    /// Layers of defence besides the runtime's own, each once.
    pub(crate) layers: Vec<Layer>,
    /// Fixed variables, in the order in which they were given.
    pub(crate) env: Vec<(String, String)>,
    pub(crate) inherited: Inherited,
    /// A file in which the program's requests are recorded.
    pub(crate) record: Option<PathBuf>,
}

/// A preopened directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Directory {
    /// Absolute, relative to the working directory, or below one of [`FOLDERS`].
    pub(crate) host: String,
    pub(crate) guest: String,
    pub(crate) read_only: bool,
}

/// Directories that a variable of the environment lists when the program starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) variable: String,
    /// The name for the program of the one directory that the variable then holds.
    pub(crate) guest: Option<String>,
    pub(crate) read_only: bool,
}

/// Something of the kernel that holds the program to its grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layer {
    /// One of [`LAYERS`].
    pub(crate) name: &'static str,
    /// Whether the program shall not run without it.
    pub(crate) is_required: bool,
}

/// The layers that there are.
pub(crate) const LAYERS: [&str; 2] = ["landlock", "seccomp"];

/// What the host's path of a directory can begin with, before a colon, and what that means.
pub(crate) const FOLDERS: [(&str, &str); 5] = [
    ("exe", "beside the executable"),
    ("home", "in the user's folder"),
    ("config", "in the user's settings"),
    ("cache", "in the user's cache"),
    ("temp", "in the folder for temporary files"),
];

/// The folder that a host's path begins with, and the path below it.
pub(crate) fn known_folder(host: &str) -> Option<(&'static str, &str)> {
    let (name, below) = host.split_once(':')?;
    let (_, meaning) = FOLDERS.iter().find(|(known, _)| *known == name)?;
    Some((meaning, below))
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
    /// Whether the process that the program runs in shall be restricted.
    pub(crate) fn hardens(&self) -> bool {
        !self.layers.is_empty()
    }

    /// The manifest.
    ///
    /// Requires that no field holds a NUL: see [`is_field`].
    pub(crate) fn manifest(&self) -> String {
        let mut text = format!("{POLICY_HEADER}\n");
        let mut line = |fields: &[&str]| {
            let fields: Vec<String> = fields.iter().map(|field| escape(field)).collect();
            let _ = writeln!(text, "{}", fields.join("\t"));
        };
        let access = |read_only| if read_only { "ro" } else { "rw" };
        for Directory { host, guest, read_only } in &self.directories {
            line(&["dir", access(*read_only), host, guest]);
        }
        for Listed { variable, guest, read_only } in &self.listed {
            let mut fields = vec!["dir-from-env", access(*read_only), variable];
            fields.extend(guest.as_deref());
            line(&fields);
        }
        for address in &self.listeners {
            line(&["listen", "tcp", &address.to_string()]);
        }
        for Layer { name, is_required } in &self.layers {
            line(&["harden", name, if *is_required { "required" } else { "try" }]);
        }
        for (name, value) in &self.env {
            line(&["env", &format!("{name}={value}")]);
        }
        match &self.inherited {
            Inherited::None => {}
            Inherited::All => line(&["inherit-env", "*"]),
            Inherited::Names(names) => names.iter().for_each(|name| line(&["inherit-env", name])),
        }
        if let Some(record) = &self.record {
            let [directory, name] = [record.parent().map(Path::as_os_str), record.file_name()]
                .map(|part| part.unwrap_or_default().to_string_lossy());
            line(&["audit", &directory, &name]);
        }
        text
    }

    /// Reads a manifest; `None` when it is not one of this version.
    pub(crate) fn parse(manifest: &str) -> Option<Self> {
        let mut lines = manifest.split_terminator('\n');
        if lines.next()? != POLICY_HEADER {
            return None;
        }
        let mut policy = Self::default();
        for line in lines {
            let fields: Vec<String> = line.split('\t').map(unescape).collect::<Option<_>>()?;
            match *fields.iter().map(String::as_str).collect::<Vec<_>>() {
                ["dir", access @ ("ro" | "rw"), host, guest] => {
                    policy.directories.push(Directory {
                        host: host.to_owned(),
                        guest: guest.to_owned(),
                        read_only: access == "ro",
                    });
                }
                ["dir-from-env", access @ ("ro" | "rw"), variable, ref guest @ ..]
                    if guest.len() <= 1 =>
                {
                    policy.listed.push(Listed {
                        variable: variable.to_owned(),
                        guest: guest.first().map(|guest| (*guest).to_owned()),
                        read_only: access == "ro",
                    });
                }
                ["listen", "tcp", address] => policy.listeners.push(address.parse().ok()?),
                ["harden", layer, need @ ("try" | "required")] => policy.layers.push(Layer {
                    name: LAYERS.into_iter().find(|name| *name == layer)?,
                    is_required: need == "required",
                }),
                ["audit", directory, name] => {
                    policy.record = Some(Path::new(directory).join(name));
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
        let access = |read_only| if read_only { "read only" } else { "read and write" };
        for Directory { host, guest, read_only } in &self.directories {
            let (host, guest, access) = (escape(host), escape(guest), access(*read_only));
            match known_folder(&host) {
                Some((folder, "" | ".")) => writeln!(f, "directory {folder} as {guest}, {access}")?,
                Some((folder, below)) => {
                    writeln!(f, "directory {below} {folder} as {guest}, {access}")?;
                }
                None => writeln!(f, "directory {host} as {guest}, {access}")?,
            }
        }
        for Listed { variable, guest, read_only } in &self.listed {
            let access = access(*read_only);
            match guest {
                Some(guest) => {
                    let guest = escape(guest);
                    writeln!(f, "directory that {variable} holds as {guest}, {access}")?;
                }
                None => writeln!(f, "directories that {variable} lists, {access}")?,
            }
        }
        for address in &self.listeners {
            writeln!(f, "listener at {address}, TCP")?;
        }
        for Layer { name, is_required } in &self.layers {
            let need = if *is_required { "required" } else { "where the kernel has it" };
            writeln!(f, "hardened by {name} on Linux, {need}")?;
        }
        for (name, value) in &self.env {
            writeln!(f, "environment {}={}", escape(name), escape(value))?;
        }
        match &self.inherited {
            Inherited::None => {}
            Inherited::All => writeln!(f, "environment of the host")?,
            Inherited::Names(names) => {
                writeln!(f, "environment of the host: {}", names.join(", "))?;
            }
        }
        match &self.record {
            None => Ok(()),
            Some(record) => writeln!(f, "requests are recorded in {}", record.display()),
        }
    }
}

/// Whether `text` can stand in a field of the manifest.
pub(crate) fn is_field(text: &str) -> bool {
    !text.contains('\0')
}

/// What stands for `text` in a field.
pub(crate) fn escape(text: &str) -> String {
    let mut field = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => field.push_str("\\\\"),
            '\t' => field.push_str("\\t"),
            '\n' => field.push_str("\\n"),
            '\r' => field.push_str("\\r"),
            other => field.push(other),
        }
    }
    field
}

/// The inverse of [`escape`]; `None` for an unknown escape.
pub(crate) fn unescape(field: &str) -> Option<String> {
    let mut text = String::with_capacity(field.len());
    let mut characters = field.chars();
    while let Some(character) = characters.next() {
        text.push(match character {
            '\\' => match characters.next()? {
                '\\' => '\\',
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                _ => return None,
            },
            other => other,
        });
    }
    Some(text)
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
        let listed = |variable: &str, guest: Option<&str>| Listed {
            variable: variable.to_owned(),
            guest: guest.map(str::to_owned),
            read_only: false,
        };
        let mut policy = Policy {
            directories: vec![directory(".", ".", false), directory("C:\\a b", "/data", true)],
            listed: vec![listed("DIRS", None), listed("DIR", Some("/d"))],
            listeners: vec!["[::1]:80".parse().unwrap()],
            layers: vec![Layer { name: "seccomp", is_required: true }],
            env: vec![("A".to_owned(), "b=c".to_owned()), ("B".to_owned(), "\t\r\n".to_owned())],
            inherited: Inherited::All,
            record: Some("logs/record".into()),
        };
        assert_eq!(
            policy.manifest(),
            "kiln-policy 1\ndir\trw\t.\t.\ndir\tro\tC:\\\\a b\t/data\n\
             dir-from-env\trw\tDIRS\ndir-from-env\trw\tDIR\t/d\n\
             listen\ttcp\t[::1]:80\nharden\tseccomp\trequired\n\
             env\tA=b=c\nenv\tB=\\t\\r\\n\ninherit-env\t*\naudit\tlogs\trecord\n"
        );
        assert_eq!(Policy::parse(&policy.manifest()), Some(policy.clone()));
        policy.inherited = Inherited::Names(vec!["HOME".to_owned(), "LANG".to_owned()]);
        assert_eq!(Policy::parse(&policy.manifest()), Some(policy));
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        for text in [
            "",
            "kiln-policy 2\n",
            "kiln-policy 1\ndir\trx\ta\tb\n",
            "kiln-policy 1\nx\n",
            "kiln-policy 1\nenv\tA=\\x\n",
            "kiln-policy 1\nenv\tA=\\\n",
        ] {
            assert_eq!(Policy::parse(text), None, "{text:?}");
        }
    }
}
