//! The same input gives the same bytes: built again, with one thread or two, by a relative path
//! from another folder, with another name of the user, another time zone and locale, alone or
//! together with other targets.
//!
//! Requires the corpus. Nothing is executed, so that every target counts on every machine.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use kiln_targets::{Target, target};
use kiln_tests::{corpus, expect, kiln, trial};
use libtest_mimic::{Failed, Trial};

const MODULES: [&str; 3] =
    ["programs/rust-hello.wasm", "programs/bzip2.wasm", "bench/simd-gemm.wasm"];

fn build(
    folder: &Path,
    module: &Path,
    target: &Target,
    jobs: &str,
    environment: &[(&str, &str)],
) -> Result<Vec<u8>, Failed> {
    let output = Command::new(kiln::binary())
        .args(["build", "--quiet", "--jobs", jobs, "--target", target.name, "-o", "program"])
        .arg(module)
        .current_dir(folder)
        .envs(environment.iter().copied())
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(fs::read(folder.join("program"))?)
}

fn compare(module: &str, target: &'static Target) -> Result<(), Failed> {
    let scratch = kiln_tests::scratch()?;
    let module = corpus::folder().join(module);
    let first = build(scratch.path(), &module, target, "2", &[])?;
    let again = build(scratch.path(), &module, target, "2", &[])?;
    expect::same("built again", &first, &again)?;
    let single = build(scratch.path(), &module, target, "1", &[("RAYON_NUM_THREADS", "1")])?;
    expect::same("built by one thread", &first, &single)?;

    let elsewhere = scratch.path().join("another folder");
    fs::create_dir(&elsewhere)?;
    // The name stays: darwin's code signature holds it.
    let name = Path::new(module.file_name().ok_or("a module has a name")?);
    fs::copy(&module, elsewhere.join(name))?;
    let environment = [("TZ", "Asia/Tokyo"), ("LC_ALL", "tr_TR.UTF-8"), ("USER", "somebody")];
    let moved = build(&elsewhere, name, target, "2", &environment)?;
    expect::same("built in another folder", &first, &moved)
}

/// All targets at once give the same bytes as one after another.
fn compare_together(module: &str) -> Result<(), Failed> {
    let scratch = kiln_tests::scratch()?;
    let module = corpus::folder().join(module);
    let [build_verb, quiet, targets, output] =
        ["build", "--quiet", "--target=all", "--output=together"].map(OsStr::new);
    let done =
        kiln::run(scratch.path(), &[build_verb, quiet, targets, output, module.as_os_str()])?;
    if !done.status.success() {
        return Err(String::from_utf8_lossy(&done.stderr).into_owned().into());
    }
    let stem = module.file_stem().ok_or("a module has a name")?.display();
    for target in target::ALL {
        let name = format!("{stem}-{target}{}", target.executable_suffix);
        let together = fs::read(scratch.path().join("together").join(name))?;
        let alone = build(scratch.path(), &module, target, "2", &[])?;
        expect::same(target.name, &alone, &together)?;
    }
    Ok(())
}

fn main() {
    let alone = MODULES.into_iter().flat_map(|module| {
        target::ALL.into_iter().map(move |target| {
            let name = Path::new(module).file_stem().unwrap_or_default().display();
            // Not named after the target, since nothing is executed on it.
            Trial::test(format!("determinism::{name}-for-{target}"), move || {
                compare(module, target)
            })
        })
    });
    let together = MODULES.into_iter().map(|module| {
        let name = Path::new(module).file_stem().unwrap_or_default().display();
        Trial::test(format!("determinism::{name}-all-at-once"), move || compare_together(module))
    });
    trial::conclude(alone.chain(together).collect())
}
