//! What was meant: typed, checked values made of what was typed.
//!
//! Reads no files. Guarantees that whatever is an error of the command line alone is reported
//! here, before any work is done.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use kiln_targets::{Target, target};

use crate::args::{self, Emit, Memory};
use crate::error::Error;
use crate::policy::{self, Directory, Inherited, Listed, Policy};

/// Stands for every variable in `--inherit-env`.
pub(crate) const EVERY_NAME: &str = "*";

/// Least and greatest stack for wasm code, in bytes: below, not even the runtime's own frames
/// would fit; above, no thread can have it on every target.
const STACK_SIZES: std::ops::RangeInclusive<u64> = 64 << 10..=1 << 30;

/// What `kiln build` shall do.
#[derive(Debug)]
pub(crate) struct Build {
    pub(crate) input: PathBuf,
    pub(crate) targets: Vec<&'static Target>,
    pub(crate) output: Option<PathBuf>,
    pub(crate) emit: Emit,
    pub(crate) settings: Settings,
}

/// What `kiln run` shall do.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) input: PathBuf,
    pub(crate) host: &'static Target,
    pub(crate) settings: Settings,
    pub(crate) arguments: Vec<std::ffi::OsString>,
}

/// How to compile and link; the same for every target.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) compile: kiln_compiler::Options,
    pub(crate) policy: Policy,
    /// Number of threads; `None` is one per processor.
    pub(crate) jobs: Option<usize>,
    pub(crate) quiet: bool,
}

impl TryFrom<args::Build> for Build {
    type Error = Error;

    fn try_from(typed: args::Build) -> Result<Self, Error> {
        Ok(Self {
            targets: targets(&typed.targets)?,
            settings: settings(&typed.grants, &typed.tuning)?,
            input: typed.input,
            output: typed.output,
            emit: typed.emit,
        })
    }
}

impl TryFrom<args::Run> for Run {
    type Error = Error;

    fn try_from(typed: args::Run) -> Result<Self, Error> {
        Ok(Self {
            host: Target::host().ok_or(Error::UnsupportedHost)?,
            settings: settings(&typed.grants, &typed.tuning)?,
            input: typed.input,
            arguments: typed.arguments,
        })
    }
}

impl Build {
    /// Where the output for each target goes, in the order of `targets`.
    ///
    /// One target: `-o`, or the module's name in the working directory. Several: `name-target`
    /// in the directory `-o`, or in the working directory.
    pub(crate) fn outputs(&self) -> Vec<PathBuf> {
        let stem = stem(&self.input);
        let suffix = |target: &Target| match self.emit {
            Emit::Exe => target.executable_suffix,
            Emit::Obj => target.object_suffix,
        };
        if let [target] = self.targets[..] {
            let default = || PathBuf::from(format!("{stem}{}", suffix(target)));
            return vec![self.output.clone().unwrap_or_else(default)];
        }
        let directory = self.output.as_deref().unwrap_or(Path::new(""));
        let name = |target: &&Target| directory.join(format!("{stem}-{target}{}", suffix(target)));
        self.targets.iter().map(name).collect()
    }
}

/// The name that outputs and code signatures take from the module's path.
pub(crate) fn stem(input: &Path) -> String {
    input.file_stem().unwrap_or(input.as_os_str()).to_string_lossy().into_owned()
}

fn targets(names: &[String]) -> Result<Vec<&'static Target>, Error> {
    let mut targets = Vec::new();
    for name in names.iter().map(|name| name.trim()) {
        let meant = match name {
            "all" => target::ALL.to_vec(),
            "host" => vec![Target::host().ok_or(Error::UnsupportedHost)?],
            _ => vec![name.parse().map_err(|_| Error::UnknownTarget(name.to_owned()))?],
        };
        for target in meant {
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
    }
    Ok(targets)
}

fn settings(grants: &args::Grants, tuning: &args::Tuning) -> Result<Settings, Error> {
    Ok(Settings {
        compile: kiln_compiler::Options {
            stack_size: stack_size(&tuning.stack_size)?,
            checked_memory: tuning.memory == Memory::Checked,
        },
        policy: policy(grants)?,
        jobs: tuning.jobs.map(std::num::NonZero::get),
        quiet: tuning.quiet,
    })
}

fn stack_size(text: &str) -> Result<u64, Error> {
    let wrong = |reason: &str| Error::OptionValue {
        option: "stack-size",
        value: text.to_owned(),
        reason: reason.to_owned(),
    };
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let shift = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return Err(wrong("a size is a number and K, M or G")),
    };
    let number: u64 = digits.parse().map_err(|_| wrong("a size is a number and K, M or G"))?;
    number
        .checked_mul(1 << shift)
        .filter(|size| STACK_SIZES.contains(size))
        .ok_or_else(|| wrong("a stack is between 64K and 1G"))
}

fn policy(grants: &args::Grants) -> Result<Policy, Error> {
    let mut policy = Policy::default();
    for text in &grants.directories {
        let wrong = |reason: &str| option_value("dir", text, reason);
        let directory = directory(text).map_err(wrong)?;
        if policy.directories.iter().any(|other| other.guest == directory.guest) {
            return Err(wrong("two directories have that name for the program"));
        }
        policy.directories.push(directory);
    }
    for text in &grants.dir_from_env {
        let listed = listed(text).map_err(|reason| option_value("dir-from-env", text, reason))?;
        policy.listed.push(listed);
    }
    for text in &grants.listen {
        let address = address(text).map_err(|reason| option_value("listen", text, reason))?;
        if policy.listeners.contains(&address) {
            return Err(option_value("listen", text, "it is given twice"));
        }
        policy.listeners.push(address);
    }
    for text in &grants.env {
        let (name, value) = variable(text).map_err(|reason| option_value("env", text, reason))?;
        policy.env.retain(|(other, _)| *other != name);
        policy.env.push((name, value));
    }
    policy.inherited = inherited(&grants.inherit_env)?;
    Ok(policy)
}

fn option_value(option: &'static str, value: &str, reason: &str) -> Error {
    Error::OptionValue { option, value: value.to_owned(), reason: reason.to_owned() }
}

/// Reads `HOST[::GUEST][:ro|:rw]`. Below a known folder, GUEST is the path there unless it is
/// given.
fn directory(text: &str) -> Result<Directory, &'static str> {
    let (names, read_only) = access(text)?;
    let (host, guest) = host_and_guest(names)?;
    let default = match policy::known_folder(host) {
        Some((_, "")) => ".",
        Some((_, below)) if Path::new(below).has_root() || below.split('/').any(|n| n == "..") => {
            return Err("a path below a folder neither begins with / nor leads out");
        }
        Some((_, below)) => below,
        None => host,
    };
    let guest = guest.unwrap_or(default).to_owned();
    Ok(Directory { host: host.to_owned(), guest, read_only })
}

/// Reads `NAME[::GUEST][:ro|:rw]`.
fn listed(text: &str) -> Result<Listed, &'static str> {
    let (names, read_only) = access(text)?;
    let (variable, guest) = host_and_guest(names)?;
    if variable.contains('=') {
        return Err("that is no name of a variable");
    }
    Ok(Listed { variable: variable.to_owned(), guest: guest.map(str::to_owned), read_only })
}

/// Takes `:ro` or `:rw` from the end, where a second colon may stand before it; gives whether it
/// is read only. At the end of a name that is meant literally, the access is to be written too.
fn access(text: &str) -> Result<(&str, bool), &'static str> {
    if !policy::is_field(text) {
        return Err("a name holds a NUL");
    }
    let (names, read_only) = match (text.strip_suffix(":ro"), text.strip_suffix(":rw")) {
        (Some(names), _) => (names, true),
        (_, Some(names)) => (names, false),
        _ => return Ok((text, false)),
    };
    if policy::FOLDERS.iter().any(|(folder, _)| *folder == names) {
        return Err("that could mean two things: write the folder itself as in exe:.:ro");
    }
    Ok((names.strip_suffix(':').unwrap_or(names), read_only))
}

fn host_and_guest(names: &str) -> Result<(&str, Option<&str>), &'static str> {
    let (host, guest) = match names.split("::").collect::<Vec<_>>()[..] {
        [host] => (host, None),
        [host, guest] => (host, Some(guest)),
        _ => return Err("more than one `::` divides the names"),
    };
    if host.is_empty() || guest == Some("") {
        return Err("a directory needs a name");
    }
    Ok((host, guest))
}

/// Reads an address and a port. Names are not looked up: what they mean may differ where the
/// program runs; but `localhost` means the same everywhere.
fn address(text: &str) -> Result<SocketAddr, &'static str> {
    let literal = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    let address: SocketAddr = literal.as_deref().unwrap_or(text).parse().map_err(
        |_| "an address is an IP address and a port, as in 127.0.0.1:8080 or [::1]:8080",
    )?;
    if address.port() == 0 { Err("nobody would know the port") } else { Ok(address) }
}

fn variable(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        None => Err("a variable is NAME=VALUE"),
        Some(("", _)) => Err("a variable needs a name"),
        Some(_) if !policy::is_field(text) => Err("a variable holds a NUL"),
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
    }
}

fn inherited(names: &[String]) -> Result<Inherited, Error> {
    if names.is_empty() {
        return Ok(Inherited::None);
    }
    if names.iter().any(|name| name == EVERY_NAME) {
        return Ok(Inherited::All);
    }
    let mut distinct: Vec<String> = Vec::new();
    for name in names {
        if name.is_empty() || name.contains('=') || !policy::is_field(name) {
            return Err(option_value("inherit-env", name, "that is no name of a variable"));
        }
        if !distinct.contains(name) {
            distinct.push(name.clone());
        }
    }
    Ok(Inherited::Names(distinct))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_in_all_their_forms() {
        let parse = |text| {
            directory(text).map(|Directory { host, guest, read_only }| (host, guest, read_only))
        };
        let is = |host: &str, guest: &str, ro| Ok((host.to_owned(), guest.to_owned(), ro));
        assert_eq!(parse("."), is(".", ".", false));
        assert_eq!(parse("data::ro"), is("data", "data", true));
        assert_eq!(parse("C:\\data::/data"), is("C:\\data", "/data", false));
        assert_eq!(parse("data::/data::ro"), is("data", "/data", true));
        assert_eq!(parse("data:ro"), is("data", "data", true));
        assert_eq!(parse("data::/data:ro"), is("data", "/data", true));
        assert_eq!(parse("data::ro::rw"), is("data", "ro", false));
        assert_eq!(parse("a:ro:rw"), is("a:ro", "a:ro", false));
        assert_eq!(parse("a\tb"), is("a\tb", "a\tb", false));
        assert_eq!(parse("exe:data"), is("exe:data", "data", false));
        assert_eq!(parse("config:"), is("config:", ".", false));
        assert_eq!(parse("cache:a/b::/cache:ro"), is("cache:a/b", "/cache", true));
        assert_eq!(parse("./exe:data"), is("./exe:data", "./exe:data", false));
        assert_eq!(parse("exe:.:ro"), is("exe:.", ".", true));
        for wrong in [
            "",
            "::",
            "a::",
            "::b",
            "a::b::c",
            "a\0b",
            "exe:ro",
            "temp:/etc",
            "home:../x",
            "exe:a/..",
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn variables_that_list_directories() {
        let parse = |text| listed(text).map(|l| (l.variable, l.guest, l.read_only));
        let guest = || Some("/in".to_owned());
        assert_eq!(parse("DIRS"), Ok(("DIRS".to_owned(), None, false)));
        assert_eq!(parse("DIRS:ro"), Ok(("DIRS".to_owned(), None, true)));
        assert_eq!(parse("DIR::/in:ro"), Ok(("DIR".to_owned(), guest(), true)));
        for wrong in ["", "::x", "A=B", "A::b::c"] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn addresses() {
        for right in ["127.0.0.1:80", "0.0.0.0:65535", "[::1]:8080"] {
            assert_eq!(address(right).unwrap().to_string(), right);
        }
        assert_eq!(address("localhost:80").unwrap().to_string(), "127.0.0.1:80");
        for wrong in ["", "80", ":80", "127.0.0.1", "127.0.0.1:0", "example.org:80", "::1:80:"] {
            assert!(address(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn stack_sizes() {
        assert_eq!(stack_size("65536").unwrap(), 65536);
        assert_eq!(stack_size("512k").unwrap(), 512 << 10);
        assert_eq!(stack_size("8MiB").unwrap(), 8 << 20);
        assert_eq!(stack_size("1G").unwrap(), 1 << 30);
        for wrong in ["", "M", "1T", "-1", "1.5M", "64", "2G", "99999999999999999999", "ä"] {
            assert!(stack_size(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn targets_are_distinct_and_keep_their_order() {
        let names = |list: &[&str]| -> Vec<&str> {
            let list: Vec<String> = list.iter().map(|name| (*name).to_owned()).collect();
            targets(&list).unwrap().iter().map(|target| target.name).collect()
        };
        assert_eq!(names(&["windows/amd64", "linux-arm64"]), ["windows-amd64", "linux-arm64"]);
        assert_eq!(names(&["linux-arm64", "all"])[..2], ["linux-arm64", "linux-amd64"]);
        assert_eq!(names(&["all", "all"]).len(), 6);
    }

    #[test]
    fn outputs_are_named_after_the_module() {
        let outputs = |targets: &[&'static Target], output: Option<&str>, emit| {
            let build = Build {
                input: "somewhere/app.wasm".into(),
                targets: targets.to_vec(),
                output: output.map(PathBuf::from),
                emit,
                settings: settings_for_names(),
            };
            let text = |path: PathBuf| path.to_str().unwrap().replace('\\', "/");
            build.outputs().into_iter().map(text).collect::<Vec<_>>()
        };
        let (linux, windows) = (&target::LINUX_AMD64, &target::WINDOWS_ARM64);
        assert_eq!(outputs(&[linux], None, Emit::Exe), ["app"]);
        assert_eq!(outputs(&[windows], None, Emit::Exe), ["app.exe"]);
        assert_eq!(outputs(&[windows], None, Emit::Obj), ["app.obj"]);
        assert_eq!(outputs(&[windows], Some("x/y"), Emit::Exe), ["x/y"]);
        assert_eq!(
            outputs(&[linux, windows], None, Emit::Exe),
            ["app-linux-amd64", "app-windows-arm64.exe"]
        );
        assert_eq!(
            outputs(&[linux, windows], Some("out"), Emit::Obj),
            ["out/app-linux-amd64.o", "out/app-windows-arm64.obj"]
        );
    }

    fn settings_for_names() -> Settings {
        let compile = kiln_compiler::Options { stack_size: 1 << 20, checked_memory: false };
        Settings { compile, policy: Policy::default(), jobs: None, quiet: true }
    }
}
