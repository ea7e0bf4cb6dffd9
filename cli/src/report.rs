//! What the user is told, on standard error: errors, hints and internal errors.
//!
//! Colours appear only on a terminal and honour `NO_COLOR`. A standard error that cannot be
//! written is no further error.

use std::error::Error as _;
use std::io::{ErrorKind, Write as _};
use std::panic::{self, PanicHookInfo};
use std::sync::Once;

use anstyle::{AnsiColor, Style};

use crate::error::Error;
use crate::hint;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const CAUSE: Style = Style::new().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// Tells of an error, of what caused it, and of what to do about it.
pub(crate) fn error(error: &Error) {
    line(ERROR, "error", &error.to_string());
    let mut source = error.source();
    while let Some(cause) = source {
        line(CAUSE, "caused by", &cause.to_string());
        source = cause.source();
    }
    if let Some(hint) = hint::hint(error) {
        line(HINT, "hint", &hint);
    }
}

/// Prints a line of progress.
pub(crate) fn note(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Makes a panic, which is a defect of Kiln, one error like any other. The usual report follows
/// when `RUST_BACKTRACE` asks for it.
pub(crate) fn panics_as_errors() {
    static FIRST: Once = Once::new();
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        FIRST.call_once(|| internal_error(info));
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
            usual(info);
        }
    }));
}

fn internal_error(info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("panic without a message");
    let place = info.location().map_or_else(String::new, |place| format!(" ({place})"));
    line(ERROR, "error", &format!("internal error: {message}{place}"));
    line(HINT, "hint", hint::DEFECT);
}

fn line(style: Style, label: &str, text: &str) {
    let _ = writeln!(anstream::stderr(), "{style}{label}:{style:#} {text}");
}

/// Prints what a verb was asked for to standard output. A reader that went away has had enough.
pub(crate) fn print(text: &str) -> Result<(), Error> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(source) if source.kind() != ErrorKind::BrokenPipe => Err(Error::Print(source)),
        _ => Ok(()),
    }
}
