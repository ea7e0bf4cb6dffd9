//! What the user is told, on standard error: errors, hints and internal errors. Machines are told
//! on standard output, if that is asked for: an object of JSON for each error and written file.
//!
//! Colours appear only on a terminal and honour `NO_COLOR`. A standard error that cannot be
//! written is no further error.

use std::error::Error as _;
use std::io::{ErrorKind, Write as _};
use std::panic::{self, PanicHookInfo};
use std::path::Path;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use crate::args::MessageFormat;
use crate::dist::sha256;
use crate::error::Error;
use crate::hint;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const CAUSE: Style = Style::new().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// Whether messages are JSON on standard output.
static JSON: AtomicBool = AtomicBool::new(false);

/// Chooses how everything is told from now on.
pub(crate) fn set_format(format: MessageFormat) {
    JSON.store(format == MessageFormat::Json, Ordering::Relaxed);
}

/// Whether messages are for machines.
pub(crate) fn is_json() -> bool {
    JSON.load(Ordering::Relaxed)
}

/// Tells machines of a file that was written.
pub(crate) fn artifact(product: Option<&str>, path: &Path, bytes: &[u8]) {
    if is_json() {
        message(&json!({
            "reason": "artifact",
            "product": product,
            "path": path.to_string_lossy(),
            "size": bytes.len(),
            "sha256": sha256(bytes),
        }));
    }
}

/// Prints a JSON object as a line. A reader that went away has had enough.
fn message(object: &Value) {
    let _ = writeln!(std::io::stdout(), "{object}");
}

fn error_message(error: &Error) {
    let mut causes = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        causes.push(cause.to_string());
        source = cause.source();
    }
    message(&json!({
        "reason": "error",
        "exit-code": error.exit_code(),
        "message": error.to_string(),
        "causes": causes,
        "hint": hint::hint(error),
    }));
}

/// Tells of an error, of what caused it, and of what to do about it.
pub(crate) fn error(error: &Error) {
    if is_json() {
        return error_message(error);
    }
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
    if is_json() {
        return;
    }
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
