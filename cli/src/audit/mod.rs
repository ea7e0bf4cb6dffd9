//! `kiln run --audit`: what a program asks for, and the least that it needs to be granted.
//!
//! The program runs with what its user may do: it is given the working directory, on systems with
//! one root the directories in it, and the whole environment, besides what was granted; and it
//! records its requests in a temporary file. From these the smallest policy is worked out.

mod record;
mod requests;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt::{self, Write as _};
use std::path::Path;
use std::{env, fs};

use kiln_compiler::Module;
use tempfile::TempPath;

use self::requests::Requests;
use crate::error::Error;
use crate::grants::Table;
use crate::policy::{Directory, Inherited, Policy};
use crate::{output, policy_file};

/// An audit that goes on.
#[derive(Debug)]
pub(crate) struct Audit {
    record: TempPath,
    /// What was granted.
    own: Policy,
    /// What the program is given.
    wide: Policy,
}

/// What came of an audit.
#[derive(Debug)]
pub(crate) struct Findings {
    requests: Requests,
    own: Policy,
    /// The least that the program needs.
    pub(crate) policy: Policy,
}

impl Audit {
    /// Prepares to run a program for which `own` was granted.
    pub(crate) fn begin(own: &Policy) -> Result<Self, Error> {
        let directory = env::temp_dir();
        let record = output::create_temporary(&directory, ".record", false)
            .map_err(|source| Error::Create { path: directory, source })?
            .into_temp_path();
        let mut wide = own.clone();
        for name in directories() {
            if wide.directories.iter().all(|directory| directory.guest != name) {
                let (host, guest) = (name.clone(), name);
                wide.directories.push(Directory { host, guest, read_only: false });
            }
        }
        if wide.inherited == Inherited::None {
            wide.inherited = Inherited::All;
        }
        wide.record = Some(record.to_path_buf());
        Ok(Self { record, own: own.clone(), wide })
    }

    /// What to give the program.
    pub(crate) fn policy(&self) -> &Policy {
        &self.wide
    }

    /// What the program asked for, once it has ended.
    pub(crate) fn finish(
        self,
        modules: &[Module<'_>],
        arguments: &[OsString],
    ) -> Result<Findings, Error> {
        let record = fs::read(&self.record)
            .map_err(|source| Error::Read { path: self.record.to_path_buf(), source })?;
        let calls = record::parse(&record);
        let Self { own, wide, .. } = self;
        let requests = Requests::new(&calls, &wide.directories);
        let policy = Policy {
            directories: requests.directories(&wide.directories, own.directories.len()),
            env: if requests.environment { own.env.clone() } else { Vec::new() },
            inherited: inherited(&requests, &own, modules, arguments),
            ..own.clone()
        };
        Ok(Findings { requests, own, policy })
    }
}

/// The directories that an audited program is given, each by its own path. Most C libraries take
/// `/` and `.` for the same, so the root's are given one by one, but for those whose names the
/// working directory has too.
fn directories() -> Vec<String> {
    let mut directories = vec![".".to_owned()];
    let root = if cfg!(unix) { fs::read_dir("/").ok() } else { None };
    let mut names: Vec<String> = root
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !Path::new(name).exists() && fs::read_dir(format!("/{name}")).is_ok())
        .collect();
    names.sort();
    directories.extend(names.into_iter().map(|name| format!("/{name}")));
    directories
}

/// The variables that the program needs of the host, as far as that can be told: programs read all
/// of their environment at once, so a variable counts if its name stands in the program's data or
/// arguments.
fn inherited(
    requests: &Requests,
    own: &Policy,
    modules: &[Module<'_>],
    arguments: &[OsString],
) -> Inherited {
    if !requests.environment || own.inherited != Inherited::None {
        return if requests.environment { own.inherited.clone() } else { Inherited::None };
    }
    let data = modules.iter().flat_map(Module::data);
    let texts = data.chain(arguments.iter().map(|text| text.as_encoded_bytes()));
    let fixed: BTreeSet<&str> = own.env.iter().map(|(name, _)| name.as_str()).collect();
    let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let names = names.filter(|name| !fixed.contains(name.as_str()));
    match requests::names_in(&texts, names) {
        names if names.is_empty() => Inherited::None,
        names => Inherited::Names(names),
    }
}

/// For a reader: the requests, the flags, and the file.
impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { requests, own, policy } = self;
        writeln!(f, "The program ran with the rights of its user, and asked for:")?;
        for (path, write) in &requests.paths {
            let path = if path.is_empty() { "." } else { path };
            writeln!(f, "  {} {path}", if *write { "write" } else { "read " })?;
        }
        if requests.environment {
            writeln!(f, "  its environment{}", named(&policy.inherited))?;
        }
        if requests.accepts && own.listeners.is_empty() {
            writeln!(f, "  connections: add --listen with the address to listen at")?;
        }
        for path in &requests.outside {
            writeln!(f, "  refused, whatever is granted: {path} leads out of where it begins")?;
        }
        let mut flags = String::new();
        for (flag, value) in Table::from(policy).flags() {
            let _ = write!(flags, " {flag}={}", shell_words::quote(&value));
        }
        if flags.is_empty() {
            return writeln!(f, "It needs no grants.");
        }
        writeln!(f, "The least to grant, as flags:\n {flags}")?;
        writeln!(f, "as a file for --policy:")?;
        let text = policy_file::write(policy);
        text.lines().try_for_each(|line| writeln!(f, "{}", format!("  {line}").trim_end()))
    }
}

fn named(inherited: &Inherited) -> String {
    match inherited {
        Inherited::Names(names) => format!("; names that it may look for: {}", names.join(", ")),
        Inherited::All => String::new(),
        Inherited::None => "; it names no variable that is set".to_owned(),
    }
}
