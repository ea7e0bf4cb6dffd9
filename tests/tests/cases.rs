//! Small modules of our own, each a file of `cases/` that says itself what must happen.
//!
//! A case is WebAssembly text. Its first lines say how it is built and executed, one directive
//! each; those of the same name add up:
//!
//! ```text
//! ;;! build FLAGS        further flags of `kiln build`, as a shell would read them
//! ;;! also FLAGS         is built and executed once more, with these flags
//! ;;! args ARGS          arguments, as a shell would read them
//! ;;! env NAME=VALUE     a variable of the environment that the executable starts in
//! ;;! folder PATH        an empty folder to make first, below the working folder
//! ;;! file PATH TEXT     a file to write first, with TEXT and a newline in it
//! ;;! shell LINE         bash that starts the executable as "$@"; lines add up
//! ;;! stdin TEXT         a line of standard input
//! ;;! stdout TEXT        a line that must be written to standard output; no other may be
//! ;;! stderr TEXT        a text that standard error must hold; without it, it must be empty
//! ;;! exit CODE          the exit code; 0 if not given
//! ;;! leaves PATH TEXT   a file that must hold TEXT and a newline afterwards
//! ;;! only TARGET…       targets to execute it on; all if not given, with the reason behind `--`
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kiln_targets::{Target, target};
use kiln_tests::execute::Execution;
use kiln_tests::{expect, kiln, trial};
use libtest_mimic::Failed;

#[derive(Debug, Default)]
struct Case {
    path: PathBuf,
    flags: Vec<String>,
    variants: Vec<String>,
    args: Vec<String>,
    environment: Vec<(String, String)>,
    folders: Vec<String>,
    files: Vec<(String, String)>,
    shell: String,
    stdin: String,
    stdout: String,
    stderr: Vec<String>,
    code: i32,
    leaves: Vec<(String, String)>,
    targets: Vec<&'static Target>,
}

impl Case {
    fn parse(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
        let mut case = Self { path: path.to_owned(), ..Self::default() };
        for line in text.lines() {
            let Some(directive) = line.strip_prefix(";;! ") else { break };
            let (name, value) = directive.split_once(' ').unwrap_or((directive, ""));
            case.take(name, value).map_err(|error| format!("{directive}: {error}"))?;
        }
        if case.targets.is_empty() {
            case.targets = target::ALL.to_vec();
        }
        Ok(case)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), String> {
        let words = || shell_words::split(value).map_err(|error| error.to_string());
        let pair = |divider| {
            let (left, right) = value.split_once(divider).unwrap_or((value, ""));
            (left.to_owned(), right.to_owned())
        };
        match name {
            "build" => self.flags.extend(words()?),
            "also" => self.variants.push(value.to_owned()),
            "args" => self.args.extend(words()?),
            "env" => self.environment.push(pair('=')),
            "folder" => self.folders.push(value.to_owned()),
            "file" => self.files.push(pair(' ')),
            "shell" => self.shell += &format!("{value}\n"),
            "stdin" => self.stdin += &format!("{value}\n"),
            "stdout" => self.stdout += &format!("{value}\n"),
            "stderr" => self.stderr.push(value.to_owned()),
            "exit" => self.code = value.parse().map_err(|_| "no number".to_owned())?,
            "leaves" => self.leaves.push(pair(' ')),
            "only" => {
                let (names, reason) = value.split_once(" -- ").ok_or("no reason behind `--`")?;
                if reason.trim().is_empty() {
                    return Err("no reason behind `--`".to_owned());
                }
                for name in names.split_whitespace() {
                    self.targets.push(name.parse().map_err(|_| format!("no target {name}"))?);
                }
            }
            _ => return Err("no such directive".to_owned()),
        }
        Ok(())
    }

    /// Builds the case with the flags of a variant, and executes it.
    fn run(&self, target: &'static Target, variant: &str) -> Result<(), Failed> {
        let scratch = kiln_tests::scratch()?;
        let folder = scratch.path();
        for name in &self.folders {
            fs::create_dir_all(folder.join(name))?;
        }
        for (name, text) in &self.files {
            fs::write(folder.join(name), format!("{text}\n"))?;
        }
        let mut flags = self.flags.clone();
        flags.extend(shell_words::split(variant)?);
        let program = kiln::build(folder, &self.path, target, &flags)?;
        let execution = Execution {
            target,
            program: &program,
            args: &self.args,
            folder,
            environment: &self.environment,
            stdin: self.stdin.as_bytes(),
        };
        let executed = match self.shell.as_str() {
            "" => execution.run()?,
            line => execution.run_by(line)?,
        };

        let said = String::from_utf8_lossy(&executed.stderr);
        if executed.code != self.code {
            return Err(format!("exit code {}, not {}\n{said}", executed.code, self.code).into());
        }
        expect::same("stdout", self.stdout.as_bytes(), &executed.stdout)?;
        if self.stderr.is_empty() {
            expect::same("stderr", b"", &executed.stderr)?;
        }
        for text in &self.stderr {
            if !said.contains(text) {
                return Err(format!("stderr does not hold {text:?}:\n{said}").into());
            }
        }
        for (name, text) in &self.leaves {
            let bytes = fs::read(folder.join(name)).map_err(|error| format!("{name}: {error}"))?;
            expect::same(name, format!("{text}\n").as_bytes(), &bytes)?;
        }
        Ok(())
    }
}

fn main() {
    let cases = kiln_tests::project().join("tests/cases");
    let mut trials = Vec::new();
    for path in kiln_tests::files(&cases, "wat") {
        let case = Case::parse(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let case = Arc::new(case);
        let name = path.strip_prefix(&cases).expect("a case lies in cases/").with_extension("");
        let name = name.display().to_string().replace(std::path::MAIN_SEPARATOR, "/");
        for variant in std::iter::once("").chain(case.variants.iter().map(String::as_str)) {
            let name =
                format!("cases::{name}{}{variant}", if variant.is_empty() { "" } else { " " });
            for &target in &case.targets {
                let (case, variant) = (Arc::clone(&case), variant.to_owned());
                trials.push(trial::on_target(&name, target, move || case.run(target, &variant)));
            }
        }
    }
    trial::conclude(trials)
}
