//! What was meant: typed, checked values made of what was typed.
//!
//! Reads no files. Guarantees that whatever is an error of the command line alone is reported
//! here, before any work is done.

use std::path::{Path, PathBuf};

use clap::ValueEnum as _;
use kiln_targets::cpu::LEVELS;
use kiln_targets::resources::Resource;
use kiln_targets::{Cpu, Target, target, universal};

use crate::args::{self, Emit, Memory, Opt};
use crate::config::{Config, Metadata};
use crate::dist::Time;
use crate::error::Error;
use crate::policy::Policy;
use crate::product::{self, Product};
use crate::{embed, grants, input, oci};

/// Stack for wasm code unless something else is said.
const STACK_SIZE: &str = "8M";

/// Least and greatest stack for wasm code, in bytes: below, not even the runtime's own frames
/// would fit; above, no thread can have it on every target.
const STACK_SIZES: std::ops::RangeInclusive<u64> = 64 << 10..=1 << 30;

/// What `kiln build` shall do.
#[derive(Debug)]
pub(crate) struct Build {
    pub(crate) input: PathBuf,
    /// Name of the program and of its files.
    pub(crate) name: String,
    pub(crate) products: Vec<Product>,
    pub(crate) output: Option<PathBuf>,
    pub(crate) emit: Emit,
    /// Modules to link with, in order.
    pub(crate) libraries: Vec<Library>,
    pub(crate) embeds: Vec<embed::Source>,
    /// What embedded files and those in images carry.
    pub(crate) time: Time,
    /// The tag of images.
    pub(crate) tag: String,
    /// What Windows shows of the program, besides its icon.
    pub(crate) resources: Vec<Resource>,
    pub(crate) icon: Option<PathBuf>,
    pub(crate) settings: Settings,
}

/// What `kiln dist` shall do.
#[derive(Debug)]
pub(crate) struct Dist {
    pub(crate) input: PathBuf,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) metadata: Metadata,
    pub(crate) products: Vec<Product>,
    pub(crate) output: PathBuf,
    /// Modules to link with, in order.
    pub(crate) libraries: Vec<Library>,
    pub(crate) embeds: Vec<embed::Source>,
    pub(crate) icon: Option<PathBuf>,
    /// What to add to every archive.
    pub(crate) include: Vec<PathBuf>,
    /// What embedded files and those in archives carry.
    pub(crate) time: Time,
    pub(crate) settings: Settings,
}

/// What `kiln verify` shall do.
#[derive(Debug)]
pub(crate) struct Verify {
    pub(crate) directory: PathBuf,
    pub(crate) input: PathBuf,
    /// Modules that it was linked with, in order.
    pub(crate) libraries: Vec<Library>,
    /// Directories that were embedded; none to take the files from the release.
    pub(crate) embeds: Vec<embed::Source>,
    /// The icon; none to take it from the release.
    pub(crate) icon: Option<PathBuf>,
    pub(crate) jobs: Option<usize>,
    pub(crate) quiet: bool,
}

/// What `kiln run` shall do.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) input: PathBuf,
    pub(crate) name: String,
    pub(crate) host: &'static Target,
    /// Modules to link with, in order.
    pub(crate) libraries: Vec<Library>,
    pub(crate) embeds: Vec<embed::Source>,
    /// What embedded files carry.
    pub(crate) time: Time,
    pub(crate) settings: Settings,
    /// Audit the program, and write the policy that it needs to this file, if there is one.
    pub(crate) audit: Option<Option<PathBuf>>,
    pub(crate) arguments: Vec<std::ffi::OsString>,
}

/// How to compile and link; the same for every target.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) compile: kiln_compiler::Options,
    pub(crate) policy: Policy,
    /// Number of threads; `None` is one per processor.
    pub(crate) jobs: Option<usize>,
    pub(crate) quiet: bool,
}

/// A module to link with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Library {
    /// What other modules import it as.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

impl Build {
    /// What `typed` means together with `config`.
    pub(crate) fn new(typed: args::Build, config: &Config) -> Result<Self, Error> {
        let universal = typed.made.universal || config.universal;
        let emitting = |what: &str, reason: &str| Error::OptionValue {
            option: "--emit",
            value: what.to_owned(),
            reason: reason.to_owned(),
        };
        if universal && typed.emit != Emit::Exe {
            let value = typed.emit.to_possible_value().expect("every value has a name");
            return Err(emitting(value.get_name(), "a universal file holds executables"));
        }
        let default = match typed.emit {
            Emit::Oci => &oci::TARGETS.map(|target| target.name)[..],
            _ if typed.made.universal => &universal::TARGETS.map(|target| target.name)[..],
            _ => &["host"],
        };
        let targets = targets(&typed.made.targets, config, default)?;
        if typed.emit == Emit::Oci && !targets.iter().all(|target| oci::TARGETS.contains(target)) {
            return Err(emitting("oci", "images are for linux-amd64 and linux-arm64"));
        }
        let name = name(typed.made.name.as_deref(), config, &typed.program.input)?;
        let settings = settings(&typed.settings, config)?;
        if typed.emit.is_library() && settings.policy.hardens() {
            return Err(Error::OptionValue {
                option: "--harden",
                value: "landlock or seccomp".to_owned(),
                reason: "a library does not restrict the process that it is in".to_owned(),
            });
        }
        let version = config.version.as_ref();
        let resources = version.map(|version| config.metadata.resources(&name, version));
        let embeds = embeds(&typed.program.embed, config, &settings.policy)?;
        if typed.emit.is_library() && !embeds.is_empty() {
            let value = typed.emit.to_possible_value().expect("every value has a name");
            return Err(emitting(value.get_name(), "only executables hold embedded files"));
        }
        Ok(Self {
            name,
            products: product::products(&targets, universal)?,
            libraries: libraries(&typed.program.link)?,
            embeds,
            settings,
            input: typed.program.input,
            output: typed.output,
            emit: typed.emit,
            time: source_date_epoch()?,
            resources: resources.unwrap_or_default(),
            icon: icon(typed.made.icon, config),
            tag: config.version.clone().unwrap_or_else(|| "latest".to_owned()),
        })
    }
}

impl Dist {
    /// What `typed` means together with `config` and the environment.
    pub(crate) fn new(typed: args::Dist, config: &Config) -> Result<Self, Error> {
        let version = match (&typed.version, &config.version) {
            (Some(version), _) => file_name("--version", version)?,
            (None, Some(version)) => file_name("version", version)?,
            (None, None) => return Err(Error::NoVersion),
        };
        let targets = targets(&typed.made.targets, config, &["all"])?;
        let include = if typed.include.is_empty() {
            config.include.iter().map(|path| config.resolve(path)).collect()
        } else {
            typed.include
        };
        let name = name(typed.made.name.as_deref(), config, &typed.program.input)?;
        let settings = settings(&typed.settings, config)?;
        Ok(Self {
            name,
            metadata: config.metadata.clone(),
            version,
            products: product::products(&targets, typed.made.universal || config.universal)?,
            libraries: libraries(&typed.program.link)?,
            embeds: embeds(&typed.program.embed, config, &settings.policy)?,
            icon: icon(typed.made.icon, config),
            include,
            time: source_date_epoch()?,
            settings,
            input: typed.program.input,
            output: typed.output,
        })
    }
}

/// The time that reproducible archives carry: <https://reproducible-builds.org/specs/source-date-epoch/>.
fn source_date_epoch() -> Result<Time, Error> {
    const VARIABLE: &str = "SOURCE_DATE_EPOCH";
    let Some(value) = std::env::var_os(VARIABLE) else { return Ok(Time::default()) };
    let value = value.to_string_lossy().into_owned();
    let reason = "it is the number of seconds since 1970".to_owned();
    let time = value.parse().ok().and_then(Time::new);
    time.ok_or(Error::OptionValue { option: VARIABLE, value, reason })
}

impl TryFrom<args::Verify> for Verify {
    type Error = Error;

    fn try_from(typed: args::Verify) -> Result<Self, Error> {
        Ok(Self {
            directory: typed.directory,
            input: typed.input,
            libraries: libraries(&typed.link)?,
            embeds: parse_embeds("--embed", &typed.embed)?,
            icon: typed.icon,
            jobs: typed.jobs.map(std::num::NonZero::get),
            quiet: typed.quiet,
        })
    }
}

impl Run {
    /// What `typed` means together with `config`.
    pub(crate) fn new(typed: args::Run, config: &Config) -> Result<Self, Error> {
        let settings = settings(&typed.settings, config)?;
        Ok(Self {
            name: name(None, config, &typed.program.input)?,
            host: Target::host().ok_or(Error::UnsupportedHost)?,
            libraries: libraries(&typed.program.link)?,
            embeds: embeds(&typed.program.embed, config, &settings.policy)?,
            time: source_date_epoch()?,
            settings,
            input: typed.program.input,
            audit: typed.audit,
            arguments: typed.arguments,
        })
    }
}

impl Build {
    /// Where the output for each target goes, in the order of `products`.
    ///
    /// One target: `-o`, or the program's name in the working directory. Several: `name-target`
    /// in the directory `-o`, or in the working directory. The header of libraries lies beside them
    /// and comes last.
    pub(crate) fn outputs(&self) -> Vec<PathBuf> {
        let stem = &self.name;
        if self.emit == Emit::Oci {
            return vec![self.output.clone().unwrap_or_else(|| format!("{stem}.oci.tar").into())];
        }
        let (mut outputs, directory) = if let [product] = &self.products[..] {
            let default = || PathBuf::from(self.file_name(product, stem));
            let output = self.output.clone().unwrap_or_else(default);
            let directory = output.parent().unwrap_or(Path::new("")).to_owned();
            (vec![output], directory)
        } else {
            let directory = self.output.clone().unwrap_or_default();
            let name = |product: &Product| {
                directory.join(self.file_name(product, &format!("{stem}-{}", product.name())))
            };
            (self.products.iter().map(name).collect(), directory)
        };
        outputs.extend(self.emit.is_library().then(|| directory.join(format!("{stem}.h"))));
        outputs
    }

    /// The name of a product's file.
    fn file_name(&self, product: &Product, stem: &str) -> String {
        let (before, behind) = match self.emit {
            Emit::Exe | Emit::Oci => ("", product.executable_suffix()),
            Emit::Obj => ("", product.object_suffix()),
            Emit::Staticlib => product.library(false),
            Emit::Cdylib => product.library(true),
        };
        format!("{before}{stem}{behind}")
    }
}

/// The name that is given, or else the module's.
fn name(typed: Option<&str>, config: &Config, input: &Path) -> Result<String, Error> {
    let given = typed.map(|name| ("--name", name));
    match given.or_else(|| config.name.as_deref().map(|name| ("name", name))) {
        Some((option, name)) => file_name(option, name),
        None => Ok(stem(input)),
    }
}

/// Refuses what cannot be part of a file's name on every system.
fn file_name(option: &'static str, name: &str) -> Result<String, Error> {
    let reserved = |c: char| c.is_control() || r#"/\<>:"|?*"#.contains(c);
    let reason = if name.is_empty() {
        "a name is not empty"
    } else if name.contains(reserved) {
        "no file can have that in its name on every system"
    } else if name.starts_with(['.', '-', ' ']) || name.ends_with(['.', ' ']) {
        "a name begins with a letter or number and does not end in a dot"
    } else {
        return Ok(name.to_owned());
    };
    Err(Error::OptionValue { option, value: name.to_owned(), reason: reason.to_owned() })
}

/// The name that outputs and code signatures take from the module's path.
pub(crate) fn stem(input: &Path) -> String {
    if input::is_stdin(input) {
        return "app".to_owned();
    }
    input.file_stem().unwrap_or(input.as_os_str()).to_string_lossy().into_owned()
}

/// The targets that are typed, or else configured, or else `default`.
fn targets(
    typed: &[String],
    config: &Config,
    default: &[&str],
) -> Result<Vec<&'static Target>, Error> {
    match (typed, &config.targets[..]) {
        ([], []) => parse_targets(default),
        ([], configured) => parse_targets(configured),
        (typed, _) => parse_targets(typed),
    }
}

fn parse_targets<S: AsRef<str>>(names: &[S]) -> Result<Vec<&'static Target>, Error> {
    let mut targets = Vec::new();
    for name in names.iter().map(|name| name.as_ref().trim()) {
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

fn settings(typed: &args::Settings, config: &Config) -> Result<Settings, Error> {
    let args::Settings { grants, tuning, .. } = typed;
    let memory = tuning.memory.or(config.memory).unwrap_or_default();
    let size = tuning.stack_size.as_deref().map(|size| ("--stack-size", size));
    let size = size.or_else(|| config.stack_size.as_deref().map(|size| ("stack-size", size)));
    let (option, size) = size.unwrap_or(("--stack-size", STACK_SIZE));
    Ok(Settings {
        compile: kiln_compiler::Options {
            stack_size: stack_size(option, size)?,
            checked_memory: memory == Memory::Checked,
            cpu: cpu(&tuning.cpu)?,
            optimize: tuning.opt != Opt::None,
        },
        policy: grants::policy(grants, &config.grants)?,
        jobs: tuning.jobs.map(std::num::NonZero::get),
        quiet: tuning.quiet,
    })
}

/// The directories to embed that are typed, or else configured. No two trees, granted or embedded,
/// have the same name for the program.
fn embeds(typed: &[String], config: &Config, policy: &Policy) -> Result<Vec<embed::Source>, Error> {
    let (option, texts) = match typed {
        [] => ("embeds", &config.embeds[..]),
        typed => ("--embed", typed),
    };
    let mut embeds = parse_embeds(option, texts)?;
    for (embed, text) in embeds.iter().zip(texts) {
        let mut granted = policy.directories.iter().map(|directory| &directory.guest);
        if granted.any(|guest| *guest == embed.guest) {
            let reason = "a granted directory has that name for the program".to_owned();
            return Err(Error::OptionValue { option, value: text.clone(), reason });
        }
    }
    if typed.is_empty() {
        embeds.iter_mut().for_each(|embed| embed.directory = config.resolve(&embed.directory));
    }
    Ok(embeds)
}

/// The icon that is typed, or else configured.
fn icon(typed: Option<PathBuf>, config: &Config) -> Option<PathBuf> {
    typed.or_else(|| config.icon.as_ref().map(|path| config.resolve(path)))
}

fn parse_embeds(option: &'static str, texts: &[String]) -> Result<Vec<embed::Source>, Error> {
    let mut embeds: Vec<embed::Source> = Vec::new();
    for text in texts {
        let wrong = |reason: &str| Error::OptionValue {
            option,
            value: text.clone(),
            reason: reason.to_owned(),
        };
        let source = embed::source(text).map_err(wrong)?;
        if embeds.iter().any(|other| other.guest == source.guest) {
            return Err(wrong("two directories have that name for the program"));
        }
        embeds.push(source);
    }
    Ok(embeds)
}

fn libraries(typed: &[String]) -> Result<Vec<Library>, Error> {
    let mut libraries: Vec<Library> = Vec::new();
    for text in typed {
        let wrong = |reason: &str| Error::OptionValue {
            option: "--link",
            value: text.clone(),
            reason: reason.to_owned(),
        };
        let (name, path) =
            text.split_once('=').ok_or_else(|| wrong("a name and a module are missing a `=`"))?;
        if libraries.iter().any(|library| library.name == name) {
            return Err(wrong("another module has that name"));
        }
        libraries.push(Library { name: name.to_owned(), path: PathBuf::from(path) });
    }
    Ok(libraries)
}

/// What the levels named have together; each counts for targets of its architecture.
fn cpu(names: &[String]) -> Result<Cpu, Error> {
    let mut all = Cpu::default();
    for name in names {
        let level = match name.as_str() {
            "native" => Some(kiln_compiler::native_cpu()),
            name => Cpu::level(name),
        };
        all = all.with(level.ok_or_else(|| {
            let levels: Vec<&str> = LEVELS.iter().map(|(name, _)| *name).collect();
            Error::OptionValue {
                option: "--cpu",
                value: name.clone(),
                reason: format!("a level is one of {} and native", levels.join(", ")),
            }
        })?);
    }
    Ok(all)
}

fn stack_size(option: &'static str, text: &str) -> Result<u64, Error> {
    let wrong = |reason: &str| Error::OptionValue {
        option,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stack_sizes() {
        assert_eq!(stack_size("", "65536").unwrap(), 65536);
        assert_eq!(stack_size("", "512k").unwrap(), 512 << 10);
        assert_eq!(stack_size("", "8MiB").unwrap(), 8 << 20);
        assert_eq!(stack_size("", "1G").unwrap(), 1 << 30);
        for wrong in ["", "M", "1T", "-1", "1.5M", "64", "2G", "99999999999999999999", "ä"] {
            assert!(stack_size("", wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn names_fit_every_file_system() {
        for name in ["app", "my app", "a.b_c-1+2", "\u{e4}"] {
            assert_eq!(file_name("--name", name).unwrap(), name);
        }
        for wrong in ["", "a/b", "a\\b", "..", "-x", "c:d", "a\n", "a."] {
            assert!(file_name("--name", wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn targets_are_distinct_and_keep_their_order() {
        let names = |list: &[&str]| -> Vec<&str> {
            parse_targets(list).unwrap().iter().map(|target| target.name).collect()
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
                name: stem(Path::new("somewhere/app.wasm")),
                products: product::products(targets, false).unwrap(),
                output: output.map(PathBuf::from),
                emit,
                embeds: vec![],
                libraries: Vec::new(),
                time: Time::default(),
                tag: String::new(),
                resources: vec![],
                icon: None,
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
        assert_eq!(outputs(&[linux], None, Emit::Cdylib), ["libapp.so", "app.h"]);
        assert_eq!(outputs(&[windows], Some("x/y"), Emit::Staticlib), ["x/y", "x/app.h"]);
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
        let compile = kiln_compiler::Options::default();
        Settings { compile, policy: Policy::default(), jobs: None, quiet: true }
    }
}
