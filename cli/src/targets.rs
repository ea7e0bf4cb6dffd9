//! `kiln targets`: the table of targets.

use std::fmt::Write as _;

use kiln_targets::{ObjectFormat, Target, target};

use crate::error::Error;
use crate::report;

/// Prints the table.
pub(crate) fn targets() -> Result<(), Error> {
    let mut table = row("TARGET", "TRIPLE", "FORMAT", "");
    for target in target::ALL {
        let note = if Some(target) == Target::host() { "host" } else { "" };
        table += &row(target.name, target.triple, format_name(target.format), note);
    }
    report::print(&table)
}

fn row(name: &str, triple: &str, format: &str, note: &str) -> String {
    let mut line = String::new();
    let _ = write!(line, "{name:<14}  {triple:<27}  {format:<6}  {note}");
    line.truncate(line.trim_end().len());
    line.push('\n');
    line
}

/// The format's name for executables.
fn format_name(format: ObjectFormat) -> &'static str {
    match format {
        ObjectFormat::Elf => "ELF",
        ObjectFormat::MachO => "Mach-O",
        ObjectFormat::Coff => "PE",
    }
}
