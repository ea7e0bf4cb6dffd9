//! Outputs that cannot be written: one error, and neither a half-written nor a temporary file.

use std::fs;

use crate::scratch::Scratch;

#[test]
fn the_input_is_never_overwritten() {
    let scratch = Scratch::with_hello();
    let module = scratch.read("hello.wasm");
    scratch
        .kiln(&["build", "hello.wasm", "-o", "hello.wasm"])
        .is_error(2, &["would overwrite the input", "hint: "]);
    scratch.write("hello", &module);
    if std::env::consts::EXE_SUFFIX.is_empty() {
        scratch.kiln(&["build", "hello"]).is_error(2, &["would overwrite the input"]);
    }
    scratch.kiln(&["build", "hello", "-o", "./hello"]).is_error(2, &["would overwrite the input"]);
    assert_eq!(scratch.read("hello.wasm"), module);
    assert_eq!(scratch.files(), ["hello", "hello.wasm"]);
}

#[test]
fn a_directory_in_the_way() {
    let scratch = Scratch::with_hello();
    fs::create_dir(scratch.path("out")).unwrap();
    scratch
        .kiln(&["build", "hello.wasm", "-o", "out"])
        .is_error(73, &["cannot create `out`", "directory", "hint: "]);
    fs::create_dir(scratch.path("out/hello-darwin-arm64")).unwrap();
    scratch
        .kiln(&["build", "hello.wasm", "--target", "all", "-o", "out"])
        .is_error(73, &["hello-darwin-arm64"]);
    assert_eq!(scratch.files(), ["hello.wasm", "out", "out/hello-darwin-arm64"]);
}

#[test]
fn a_file_in_place_of_the_directory() {
    let scratch = Scratch::with_hello();
    scratch.write("out", b"precious");
    scratch.kiln(&["build", "hello.wasm", "--target", "all", "-o", "out"]).is_error(73, &["out"]);
    scratch.kiln(&["build", "hello.wasm", "-o", "out/app"]).is_error(73, &["out/app"]);
    assert_eq!(scratch.read("out"), b"precious");
    assert_eq!(scratch.files(), ["hello.wasm", "out"]);
}

#[test]
fn a_failed_build_keeps_the_former_output() {
    let scratch = Scratch::new();
    scratch.write("app.wasm", b"\0asm\x01\0\0\0\xff");
    scratch.write("app", b"the former");
    scratch.kiln(&["build", "app.wasm", "-o", "app"]).is_error(65, &[]);
    assert_eq!(scratch.read("app"), b"the former");
    assert_eq!(scratch.files(), ["app", "app.wasm"]);
}

#[cfg(unix)]
mod unix {
    use std::fs;
    use std::io::{BufRead as _, BufReader};
    use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
    use std::path::Path;
    use std::process::{Command, Stdio};

    use crate::scratch::{HELLO, Scratch, wasm};

    #[test]
    fn a_device_is_not_replaced() {
        let scratch = Scratch::with_hello();
        scratch
            .kiln(&["build", "hello.wasm", "-o", "/dev/null"])
            .is_error(73, &["cannot create `/dev/null`"]);
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    }

    /// Whoever may do everything is only kept from writing by a file system that holds no files.
    #[test]
    fn an_unwritable_directory() {
        let scratch = Scratch::with_hello();
        fs::create_dir(scratch.path("out")).unwrap();
        fs::set_permissions(scratch.path("out"), fs::Permissions::from_mode(0o555)).unwrap();
        let all_powerful = fs::write(scratch.path("out/probe"), b"").is_ok();
        let directory = if all_powerful {
            fs::remove_file(scratch.path("out/probe")).unwrap();
            "/proc"
        } else {
            "out"
        };
        for options in [&["-o", &format!("{directory}/app")], &["-o", directory]] {
            let mut arguments = vec!["build", "hello.wasm", "--target", "linux-amd64"];
            arguments.extend(options.iter().copied());
            if options[1] == directory {
                arguments[3] = "all";
            }
            scratch.kiln(&arguments).is_error(73, &["cannot create", "caused by: "]);
        }
        assert_eq!(scratch.files(), ["hello.wasm", "out"]);
    }

    /// A tiny file system is mounted where namespaces allow it.
    #[test]
    fn a_full_disk() {
        let scratch = Scratch::with_hello();
        fs::create_dir(scratch.path("full")).unwrap();
        let script = r#"mount -t tmpfs -o size=8k none full || exit 200
            "$KILN" build hello.wasm --target "$TARGETS" -o "$OUTPUT"
            code=$?
            ls -A full
            exit $code"#;
        for (targets, output) in [("linux-amd64", "full/app"), ("all", "full/out")] {
            let run = Command::new("unshare")
                .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
                .current_dir(scratch.path(""))
                .env("KILN", env!("CARGO_BIN_EXE_kiln"))
                .env("TARGETS", targets)
                .env("OUTPUT", output)
                .output();
            match run {
                Ok(run) if run.status.code() == Some(74) => {
                    let stderr = String::from_utf8(run.stderr).unwrap();
                    assert!(stderr.contains("error: cannot write `full/"), "{stderr}");
                    assert_eq!(String::from_utf8(run.stdout).unwrap(), "", "files left behind");
                }
                Ok(run) if run.status.code() == Some(200) => not_run(&run.stderr),
                Ok(run) if run.stderr.starts_with(b"unshare:") => not_run(&run.stderr),
                Err(missing) => not_run(missing.to_string().as_bytes()),
                Ok(run) => panic!("{run:?}"),
            }
        }
    }

    fn not_run(why: &[u8]) {
        eprintln!("a full disk: NOT RUN: {}", String::from_utf8_lossy(why));
    }

    /// A limit on the size of files ends a write half-way, and needs no privileges.
    #[test]
    fn a_write_that_ends_half_way() {
        let scratch = Scratch::with_hello();
        let script = r#"trap '' XFSZ; ulimit -f 4; exec "$KILN" build hello.wasm -o app"#;
        let run = Command::new("sh")
            .args(["-c", script])
            .current_dir(scratch.path(""))
            .env("KILN", env!("CARGO_BIN_EXE_kiln"))
            .output()
            .unwrap();
        let stderr = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(74), "{stderr}");
        assert!(stderr.contains("error: cannot write `app`"), "{stderr}");
        assert_eq!(scratch.files(), ["hello.wasm"]);
    }

    #[test]
    fn standard_output_that_cannot_be_written() {
        if !Path::new("/dev/full").exists() {
            eprintln!("standard output that cannot be written: NOT RUN: no /dev/full");
            return;
        }
        let scratch = Scratch::new();
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let run = scratch.command().arg("targets").stdout(full).output().unwrap();
        assert_eq!(run.status.code(), Some(74));
        assert!(run.stderr.starts_with(b"error: cannot write to standard output"));
    }

    #[test]
    fn an_interrupt_leaves_nothing_behind() {
        let scratch = Scratch::new();
        let functions: String = (0..20_000)
            .map(|number| {
                format!(
                    "(func $f{number} (param i32) (result i32)
                      local.get 0 i32.const 3 i32.mul local.get 0 i32.xor i32.popcnt)"
                )
            })
            .collect();
        // Only what is called is compiled and linked.
        let calls: String =
            (0..20_000).map(|number| format!("(drop (call $f{number} (i32.const 1)))")).collect();
        let start = HELLO.trim_end().strip_suffix(')').unwrap();
        let large = format!("{start}{functions}(func $all {calls})(start $all))");
        scratch.write("large.wasm", &wasm(&large));
        let mut kiln = scratch
            .command()
            .args(["build", "large.wasm", "--target", "all", "-o", "out", "-j", "1"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // One thread finishes one target after the other: there are five to come.
        let mut progress = BufReader::new(kiln.stderr.take().unwrap());
        progress.read_line(&mut String::new()).unwrap();
        Command::new("kill").args(["-INT", &kiln.id().to_string()]).status().unwrap();
        assert_eq!(kiln.wait().unwrap().code(), Some(130));
        assert_eq!(scratch.files(), ["large.wasm"]);
    }
}
