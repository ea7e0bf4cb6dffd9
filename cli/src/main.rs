//! `kiln`: one wasm in, every native executable out.
//!
//! What was typed ([`args`]) becomes what was meant ([`options`]); each verb is a file. Standard
//! output holds only what a verb was asked to show; errors and progress go to standard error.

mod args;
mod audit;
mod build;
mod config;
mod dist;
mod embed;
mod error;
mod exit_code;
mod grants;
mod header;
mod hint;
mod icon;
mod init;
mod input;
mod inspect;
mod oci;
mod options;
mod output;
mod pipeline;
mod policy;
mod policy_file;
mod product;
mod progress;
mod report;
mod run;
mod shell;
mod targets;
mod tree;
mod verify;
mod version;

use std::panic::{AssertUnwindSafe, catch_unwind};

use clap::Parser as _;

use crate::args::{Arguments, Verb};
use crate::config::Config;
use crate::error::Error;

fn main() {
    let arguments = Arguments::parse();
    report::set_format(arguments.message_format);
    report::panics_as_errors();
    output::remove_on_interrupt();
    // What a panic leaves behind is only dropped, never used again.
    let code = match catch_unwind(AssertUnwindSafe(|| execute(arguments.verb))) {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => {
            report::error(&error);
            error.exit_code().into()
        }
        Err(_reported) => exit_code::INTERNAL.into(),
    };
    std::process::exit(code);
}

/// Does what was asked for; the result is the exit code.
fn execute(verb: Verb) -> Result<i32, Error> {
    match verb {
        Verb::Build(typed) => {
            let config = Config::load(&typed.program.input, &typed.settings.project)?;
            build::build(&options::Build::new(typed, &config)?)?;
        }
        Verb::Run(typed) => {
            let config = Config::load(&typed.program.input, &typed.settings.project)?;
            return run::run(&options::Run::new(typed, &config)?);
        }
        Verb::Dist(typed) => {
            let config = Config::load(&typed.program.input, &typed.settings.project)?;
            dist::dist(&options::Dist::new(typed, &config)?)?;
        }
        Verb::Verify(typed) => verify::verify(&typed.try_into()?)?,
        Verb::Init(typed) => init::init(&typed)?,
        Verb::Completions(typed) => shell::completions(typed.shell)?,
        Verb::Man(typed) => shell::man(&typed.directory)?,
        Verb::Targets => targets::targets()?,
        Verb::Inspect(typed) => inspect::inspect(&typed)?,
    }
    Ok(0)
}
