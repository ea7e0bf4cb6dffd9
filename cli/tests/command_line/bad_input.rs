//! Inputs that cannot be compiled: one error with its exit code, a hint where there is one, and
//! no output.

use crate::scratch::{HELLO, Scratch, wasm};

/// Builds `bytes` as `name`, which must fail with `code` and leave nothing else behind.
#[track_caller]
fn refused(name: &str, bytes: &[u8], code: i32, words: &[&str]) {
    let scratch = Scratch::new();
    scratch.write(name, bytes);
    scratch.kiln(&["build", name]).is_error(code, words);
    scratch.kiln(&["build", name, "--target", "all", "-o", "out"]).is_error(code, words);
    scratch.kiln(&["run", name]).is_error(code, words);
    assert_eq!(scratch.files(), [name]);
}

#[test]
fn an_empty_file() {
    refused("app.wasm", b"", 65, &["cannot compile `app.wasm`", "not a WebAssembly module"]);
}

#[test]
fn a_truncated_module() {
    let module = wasm(HELLO);
    for length in [4, 8, 20, module.len() / 2, module.len() - 1] {
        refused("app.wasm", &module[..length], 65, &["cannot compile `app.wasm`", "caused by: "]);
    }
}

#[test]
fn files_of_other_kinds() {
    let elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0";
    refused("app.wasm", elf, 65, &["not a WebAssembly module", "ELF"]);
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01";
    refused("app.wasm", png, 65, &["not a WebAssembly module", "PNG"]);
    let gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\x03";
    refused("app.wasm", gzip, 65, &["not a WebAssembly module", "gzip"]);
    refused("notes.txt", b"hello, world\n", 65, &["not a WebAssembly module", "text", "hint: "]);
    refused("app.wasm", &[0xff; 64], 65, &["not a WebAssembly module"]);
}

#[test]
fn a_component() {
    let component = wasm("(component)");
    refused("app.wasm", &component, 65, &["component", "hint: ", "wasm32-wasip1"]);
}

#[test]
fn malformed_text() {
    refused("app.wat", b"(module (func", 65, &["not valid WebAssembly text", "app.wat:1"]);
}

#[test]
fn an_invalid_function() {
    let module = wasm(r#"(module (func $wrong (export "_start") i32.add drop))"#);
    refused("app.wasm", &module, 65, &["invalid module", "offset 0x"]);
}

#[test]
fn a_proposal_that_is_not_supported() {
    let module = wasm(r#"(module (type (struct)) (func (export "_start")))"#);
    refused("app.wasm", &module, 65, &["gc is not supported yet", "offset 0x"]);
}

#[test]
fn missing_imports() {
    let module = |import: &str| wasm(&format!("(module {import} (func (export \"_start\")))"));
    let emscripten = module(r#"(import "env" "emscripten_resize_heap" (func (param i32)))"#);
    refused("app.wasm", &emscripten, 65, &["env.emscripten_resize_heap", "-sSTANDALONE_WASM"]);
    let bindgen = module(r#"(import "wbg" "__wbindgen_throw" (func (param i32 i32)))"#);
    refused("app.wasm", &bindgen, 65, &["wbg.__wbindgen_throw", "wasm-bindgen"]);
    let misspelled = module(r#"(import "wasi_snapshot_preview1" "fd_wirte" (func))"#);
    refused("app.wasm", &misspelled, 65, &["fd_wirte", "did you mean `fd_write`"]);
}

#[test]
fn a_module_with_nothing_to_run() {
    let module = wasm(r#"(module (func (export "add")))"#);
    refused("app.wasm", &module, 65, &["_start", "hint: "]);
}

#[test]
fn a_missing_file() {
    let scratch = Scratch::new();
    for verb in ["build", "run", "inspect"] {
        scratch.kiln(&[verb, "app.wasm"]).is_error(66, &["cannot read `app.wasm`", "caused by: "]);
    }
    assert!(scratch.files().is_empty());
}

#[test]
fn a_directory() {
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.path("app.wasm")).unwrap();
    for verb in ["build", "run", "inspect"] {
        scratch.kiln(&[verb, "app.wasm"]).is_error(66, &["cannot read `app.wasm`"]);
    }
    assert_eq!(scratch.files(), ["app.wasm"]);
}
