//! Known folders lie where each system has them: what a program writes into those for settings,
//! caches and temporary files is found there from outside.
//!
//! Wine has folders of its own, which variables of this machine's environment do not move: there,
//! the program has to find all of them, which Windows' variables name.

use std::path::Path;

use kiln_targets::{Os, Target, target};
use kiln_tests::execute::Execution;
use kiln_tests::{expect, kiln, root, trial};
use libtest_mimic::Failed;

/// Creates `new` in its only directory; ends with the error.
const CREATE: &str = r#"(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "new")
  (func (export "_start")
    (call $proc_exit
      (call $path_open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 3)
        (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 512)))))"#;

/// Each grant, and where its folder lies in the home folder `own`; none where wine decides.
fn places(target: &Target) -> [(&'static str, Option<&'static str>); 4] {
    const TEMPORARY: Option<&str> = Some("own/short/kiln");
    match target.os {
        Os::Linux => [
            ("home:.", Some("own")),
            ("config:kiln", Some("own/.config/kiln")),
            ("cache:kiln", Some("own/.cache/kiln")),
            ("temp:kiln", TEMPORARY),
        ],
        Os::Darwin => [
            ("home:.", Some("own")),
            ("config:kiln", Some("own/Library/Application Support/kiln")),
            ("cache:kiln", Some("own/Library/Caches/kiln")),
            ("temp:kiln", TEMPORARY),
        ],
        Os::Windows => {
            [("home:.", None), ("config:kiln", None), ("cache:kiln", None), ("temp:kiln", None)]
        }
    }
}

fn find(target: &'static Target) -> Result<(), Failed> {
    let scratch = kiln_tests::scratch()?;
    let folder = scratch.path();
    std::fs::create_dir_all(folder.join("own/short"))?;
    std::fs::write(folder.join("create.wat"), CREATE)?;
    let variable = |name: &str, value: &Path| (name.to_owned(), value.display().to_string());
    let environment = [
        variable("KILN_CACHE", &root::cache()),
        variable("HOME", &folder.join("own")),
        variable("TMPDIR", &folder.join("own/short")),
        variable("XDG_CONFIG_HOME", Path::new("")),
        variable("XDG_CACHE_HOME", Path::new("")),
    ];
    for (grant, place) in places(target) {
        let flags = ["build", "--quiet", "create.wat", "-t", target.name, "-o", "create.exe"];
        let output = kiln::run(folder, &[&flags[..], &["--dir", grant]].concat())?;
        expect::same("kiln build", b"", &output.stderr)?;
        let program = folder.join("create.exe");
        let plain = Execution::plain(target, &program, folder);
        let executed = match place {
            Some(_) => Execution { environment: &environment, ..plain }.run()?,
            None => plain.run()?,
        };
        expect::same("standard error", b"", &executed.stderr)?;
        expect::same(grant, b"0", executed.code.to_string().as_bytes())?;
        if place.is_some_and(|place| !folder.join(place).join("new").is_file()) {
            return Err(format!("{grant}: the file is not where the folder should be").into());
        }
    }
    Ok(())
}

fn main() {
    let trials = target::ALL.map(|target| trial::on_target("find", target, move || find(target)));
    trial::conclude(trials.into())
}
