//! Defence in depth: the layers that the policy puts between a program and the OS, besides the
//! runtime's own checks.

use super::descriptor::{Kind, table};
use super::files::host;
use super::policy::{grants, split};
use crate::report::Report;
use crate::start::fail;
use crate::sys::harden::{EXISTS, restrict_calls, restrict_files};
use crate::sys::types::Calls;

/// Puts in force what the policy asks for. Where the host lacks it, says so; if it is required,
/// ends the process.
#[unsafe(no_mangle)]
pub extern "C" fn kiln_harden() {
    if !EXISTS {
        return;
    }
    // The filter of calls comes last, since it knows nothing of setting up the other layer.
    for layer in [&b"landlock"[..], b"seccomp"] {
        for (kind, grant) in grants() {
            let Some((wanted, need)) = split(grant, b'\t') else { continue };
            if kind == b"harden" && wanted == layer && !put_in_force(layer) {
                lacks(layer, need == b"required");
            }
        }
    }
}

fn put_in_force(layer: &[u8]) -> bool {
    let is_directory = |kind: Kind| kind.is_directory();
    let mut table = table();
    // What is embedded needs no call of the OS.
    let descriptors = table.descriptors().filter(|open| host(&open.handle).is_ok());
    if layer == b"landlock" {
        let directories = descriptors.filter(|open| is_directory(open.kind));
        let handles = directories
            .filter_map(|open| host(&open.handle).ok().map(|handle| (handle, !open.read_only)));
        return restrict_files(handles).is_ok();
    }
    let mut calls = Calls { paths: false, changes: false, sockets: false };
    for open in descriptors {
        calls.paths |= is_directory(open.kind);
        calls.changes |= is_directory(open.kind) && !open.read_only;
        calls.sockets |= open.kind == Kind::Socket;
    }
    restrict_calls(calls).is_ok()
}

#[cold]
fn lacks(layer: &[u8], is_required: bool) {
    let name = if layer == b"landlock" { "Landlock" } else { "seccomp" };
    if is_required {
        fail("this kernel lacks what the program requires:", name);
    }
    Report::begin().text("this kernel lacks ").text(name).text("; the program runs without it\n");
}
