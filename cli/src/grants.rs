//! Grants: what the command line and `kiln.toml` allow a program, checked and made a [`Policy`].
//!
//! Each kind of grant has a flag and a key. Where the flag is given, it replaces the key.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::args;
use crate::error::Error;
use crate::policy::{self, Directory, Inherited, Layer, Listed, Policy};

/// Stands for every variable in `--inherit-env`.
pub(crate) const EVERY_NAME: &str = "*";

/// The table `[grants]` of a configuration or policy file. Values are written as for the flags.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Table {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) dirs: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) dirs_from_env: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) listen: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) harden: Vec<String>,
    #[serde(skip_serializing_if = "InheritEnv::is_none")]
    pub(crate) inherit_env: InheritEnv,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) env: BTreeMap<String, String>,
}

/// All variables or none, or those named.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged, expecting = "`inherit-env` is true, false or a list of names")]
pub(crate) enum InheritEnv {
    All(bool),
    Names(Vec<String>),
}

impl Default for InheritEnv {
    fn default() -> Self {
        Self::All(false)
    }
}

impl InheritEnv {
    fn is_none(&self) -> bool {
        self.names().is_empty()
    }

    /// As `--inherit-env` takes them.
    pub(crate) fn names(&self) -> Vec<String> {
        match self {
            Self::All(true) => vec![EVERY_NAME.to_owned()],
            Self::All(false) => vec![],
            Self::Names(names) => names.clone(),
        }
    }
}

/// The policy of the flags and, for kinds of grants that no flag speaks of, the table.
///
/// # Errors
/// A value is malformed, or two directories have the same name for the program.
pub(crate) fn policy(flags: &args::Grants, table: &Table) -> Result<Policy, Error> {
    let directories = match &flags.directories[..] {
        [] => directories("grants.dirs", &table.dirs),
        typed => directories("--dir", typed),
    };
    let listed = match &flags.dir_from_env[..] {
        [] => all("grants.dirs-from-env", &table.dirs_from_env, listed),
        typed => all("--dir-from-env", typed, listed),
    };
    let listeners = match &flags.listen[..] {
        [] => listeners("grants.listen", &table.listen),
        typed => listeners("--listen", typed),
    };
    let layers = match &flags.harden[..] {
        [] => layers("grants.harden", &table.harden),
        typed => layers("--harden", typed),
    };
    let env = if flags.env.is_empty() {
        let given: Vec<String> =
            table.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
        variables("grants.env", &given)
    } else {
        variables("--env", &flags.env)
    };
    let inherited = match &flags.inherit_env[..] {
        [] => inherited("grants.inherit-env", &table.inherit_env.names()),
        typed => inherited("--inherit-env", typed),
    };
    Ok(Policy {
        directories: directories?,
        listed: listed?,
        listeners: listeners?,
        layers: layers?,
        env: env?,
        inherited: inherited?,
        record: None,
    })
}

fn wrong(option: &'static str, value: &str, reason: &str) -> Error {
    Error::OptionValue { option, value: value.to_owned(), reason: reason.to_owned() }
}

/// Reads each of `texts`.
fn all<T>(
    option: &'static str,
    texts: &[String],
    parse: impl Fn(&str) -> Result<T, &'static str>,
) -> Result<Vec<T>, Error> {
    texts.iter().map(|text| parse(text).map_err(|reason| wrong(option, text, reason))).collect()
}

/// Reads `LAYER[=required]` each; the same layer twice is one.
fn layers(option: &'static str, texts: &[String]) -> Result<Vec<Layer>, Error> {
    let mut layers: Vec<Layer> = all(option, texts, layer)?;
    layers.sort_by_key(|layer| (layer.name, !layer.is_required));
    layers.dedup_by_key(|layer| layer.name);
    Ok(layers)
}

fn layer(text: &str) -> Result<Layer, &'static str> {
    let (wanted, is_required) =
        text.strip_suffix("=required").map_or((text, false), |layer| (layer, true));
    let name = policy::LAYERS.into_iter().find(|name| *name == wanted);
    Ok(Layer { name: name.ok_or("a layer is landlock or seccomp")?, is_required })
}

fn listeners(option: &'static str, texts: &[String]) -> Result<Vec<SocketAddr>, Error> {
    let listeners = all(option, texts, address)?;
    match listeners.iter().zip(texts).enumerate().find(|(i, (it, _))| listeners[..*i].contains(it))
    {
        Some((_, (_, text))) => Err(wrong(option, text, "it is given twice")),
        None => Ok(listeners),
    }
}

fn directories(option: &'static str, texts: &[String]) -> Result<Vec<Directory>, Error> {
    let mut directories: Vec<Directory> = Vec::new();
    for text in texts {
        let directory = directory(text).map_err(|reason| wrong(option, text, reason))?;
        if directories.iter().any(|other| other.guest == directory.guest) {
            return Err(wrong(option, text, "two directories have that name for the program"));
        }
        directories.push(directory);
    }
    Ok(directories)
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

/// The last value given to a name counts.
fn variables(option: &'static str, texts: &[String]) -> Result<Vec<(String, String)>, Error> {
    let mut variables: Vec<(String, String)> = Vec::new();
    for text in texts {
        let (name, value) = variable(text).map_err(|reason| wrong(option, text, reason))?;
        variables.retain(|(other, _)| *other != name);
        variables.push((name, value));
    }
    Ok(variables)
}

fn variable(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        None => Err("a variable is NAME=VALUE"),
        Some(("", _)) => Err("a variable needs a name"),
        Some(_) if !policy::is_field(text) => Err("a variable holds a NUL"),
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
    }
}

fn inherited(option: &'static str, names: &[String]) -> Result<Inherited, Error> {
    if names.is_empty() {
        return Ok(Inherited::None);
    }
    if names.iter().any(|name| name == EVERY_NAME) {
        return Ok(Inherited::All);
    }
    let mut distinct: Vec<String> = Vec::new();
    for name in names {
        if name.is_empty() || name.contains('=') || !policy::is_field(name) {
            return Err(wrong(option, name, "that is no name of a variable"));
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
}
