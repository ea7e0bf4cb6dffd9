//! `kiln completions` and `kiln man`: what shells and `man` want to know of the command line, made
//! of its grammar.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::args::Arguments;
use crate::error::Error;
use crate::output::{self, Output};
use crate::report;

/// Prints the script that completes command lines in `shell`.
pub(crate) fn completions(shell: Shell) -> Result<(), Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "kiln", &mut script);
    report::print(&String::from_utf8_lossy(&script))
}

/// Writes a page for `kiln` and one for each verb to `directory`.
pub(crate) fn man(directory: &Path) -> Result<(), Error> {
    let mut command = Arguments::command();
    command.build();
    let mut pages = vec![page(directory, "kiln", &command)];
    for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
        pages.push(page(directory, &format!("kiln-{}", verb.get_name()), verb));
    }
    let pages = pages.into_iter().collect::<io::Result<Vec<_>>>();
    let pages = pages.map_err(|source| Error::Write { path: directory.to_owned(), source })?;
    output::write(&pages)?;
    report::note(&format!("wrote {} files to {}", pages.len(), directory.display()));
    Ok(())
}

fn page(directory: &Path, name: &str, command: &Command) -> io::Result<Output> {
    let mut bytes = Vec::new();
    Man::new(command.clone()).date("").render(&mut bytes)?;
    let path: PathBuf = directory.join(format!("{name}.1"));
    Ok(Output { path, bytes, executable: false })
}
