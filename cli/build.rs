//! How `kiln` itself is linked.
//!
//! On Linux at a fixed address: thousands of pointers in its tables need no relocation then, each
//! time that it starts, nor a page of their own. On Windows with a main thread's stack as large as
//! it is elsewhere, since that thread compiles too.

use std::env;

/// Bytes of the main thread's stack, where it is not the user who says so.
const STACK: usize = 8 << 20;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |what: &str| env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    let argument = match (target("OS").as_str(), target("ENV").as_str()) {
        ("linux", "gnu") => "-no-pie".to_owned(),
        ("windows", "msvc") => format!("/STACK:{STACK}"),
        ("windows", _) => format!("-Wl,--stack,{STACK}"),
        _ => return,
    };
    println!("cargo::rustc-link-arg-bins={argument}");
}
