//! What to do about an error, where that can be told from the error alone.

use kiln_abi::wasi;
use kiln_compiler::Error as CompilerError;
use kiln_targets::{Target, target};
use strsim::{damerau_levenshtein, jaro_winkler};

use crate::error::Error;

/// Similarity, from 0 to 1, from which a target is worth naming.
const SIMILAR: f64 = 0.8;
/// Edits up to which a function's or module's name is taken for a misspelling.
const MISSPELLING: usize = 3;

/// What to do about an internal error.
pub(crate) const DEFECT: &str =
    "this is a defect of Kiln; please report it together with the module";

/// Advice on `error`.
pub(crate) fn hint(error: &Error) -> Option<String> {
    match error {
        Error::UnknownTarget(name) => Some(unknown_target(name)),
        Error::UnsupportedHost => Some("name a target: `kiln targets` lists them".to_owned()),
        Error::Config { source, .. } => misspelled_key(source.message()),
        Error::OptionValue { option: "--env", value, .. } if !value.contains('=') => {
            Some(format!("to pass on the host's variable, use `--inherit-env={value}`"))
        }
        Error::NoVersion => {
            Some("give `--version 1.0.0`, or `version = \"1.0.0\"` in kiln.toml".to_owned())
        }
        Error::HalfUniversal => {
            let names = kiln_targets::universal::TARGETS.map(|target| target.name);
            Some(format!("compile for {}", names.join(" and ")))
        }
        Error::OverwritesInput(_) => Some("choose another name with `-o`".to_owned()),
        Error::Occupied { path, .. } if path.is_dir() => {
            Some(format!("name a file in it, such as `{}`", path.join("app").display()))
        }
        Error::Module { source, .. } => module(source),
        Error::Codegen { .. } | Error::Link { .. } => Some(DEFECT.to_owned()),
        Error::Execute(source) if source.kind() == std::io::ErrorKind::PermissionDenied => {
            Some("the directory for temporary files may forbid execution; set TMPDIR".to_owned())
        }
        _ => None,
    }
}

/// The key that was meant instead of an unknown one. The message names the unknown key and then
/// the known ones, each in backquotes.
fn misspelled_key(message: &str) -> Option<String> {
    let mut names = message.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2);
    let unknown = names.next()?;
    let near = names.min_by_key(|name| damerau_levenshtein(name, unknown))?;
    (damerau_levenshtein(near, unknown) <= MISSPELLING).then(|| format!("did you mean `{near}`?"))
}

/// The targets whose names are most like `name`, or how to list all.
fn unknown_target(name: &str) -> String {
    let name = name.to_ascii_lowercase().replace('/', "-");
    let likeness = |target: &Target| {
        let names = [target.name, target.triple].into_iter().chain(target.aliases.iter().copied());
        names.map(|other| jaro_winkler(&name, other)).fold(0.0, f64::max)
    };
    let mut ranked: Vec<(f64, &str)> =
        target::ALL.iter().map(|target| (likeness(target), target.name)).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let near: Vec<&str> = ranked
        .into_iter()
        .filter(|(likeness, _)| *likeness >= SIMILAR)
        .map(|(_, name)| name)
        .take(2)
        .collect();
    if near.is_empty() {
        return "`kiln targets` lists them".to_owned();
    }
    format!("did you mean {}? `kiln targets` lists all", near.join(" or "))
}

fn module(error: &CompilerError) -> Option<String> {
    match error {
        CompilerError::NotWasm { .. } => {
            Some("Kiln takes a WebAssembly module as .wasm or .wat".to_owned())
        }
        CompilerError::Component => Some(
            "build a core module instead: for Rust `--target wasm32-wasip1`, for TinyGo \
             `-target wasip1`, and do not run `wasm-tools component new`"
                .to_owned(),
        ),
        CompilerError::IncompatibleImports(_) => {
            Some("build the modules against the same declarations".to_owned())
        }
        CompilerError::UnknownImports(imports) => imports.first().map(|first| import(first)),
        CompilerError::NoEntry => Some(
            "build a program, not a library: for Rust with a `main`, for C and C++ without \
             `-mexec-model=reactor`, for Go without `-buildmode=c-shared`"
                .to_owned(),
        ),
        _ => None,
    }
}

/// Which toolchain makes modules with such an import, and how it makes a program for WASI. The
/// import is written `module.name (kind)`.
fn import(import: &str) -> String {
    let (path, _) = import.split_once(" (").unwrap_or((import, ""));
    let (module, name) = path.split_once('.').unwrap_or((path, ""));
    if module == wasi::MODULE || module == wasi::UNSTABLE_MODULE {
        let near =
            wasi::FUNCTIONS.iter().map(|f| f.name).min_by_key(|f| damerau_levenshtein(f, name));
        return match near.filter(|near| damerau_levenshtein(near, name) <= MISSPELLING) {
            Some(near) => format!("`{module}` has no `{name}`; did you mean `{near}`?"),
            None => format!("`{module}` has no function of that name"),
        };
    }
    if damerau_levenshtein(module, wasi::MODULE) <= MISSPELLING {
        return format!("the module's name is `{}`", wasi::MODULE);
    }
    let advice = match module {
        "wasi" if name == "thread-spawn" => {
            "a module that starts threads exports `wasi_thread_start` and imports its shared \
             memory, as `-pthread` and, for Rust, `--target wasm32-wasip1-threads` see to"
        }
        "env" if is_emscripten(name) => EMSCRIPTEN,
        "a" => EMSCRIPTEN,
        "env" if name == "abort" => {
            "AssemblyScript makes WASI programs with the configuration of `@assemblyscript/wasi-shim`"
        }
        "env" => {
            "the module was linked with undefined symbols; link what defines them, without \
             `--allow-undefined`"
        }
        "gojs" | "go" => "Go makes WASI programs with `GOOS=wasip1 GOARCH=wasm`",
        _ if module == "wbg" || module.starts_with("__wbindgen") || module.ends_with("_bg.js") => {
            "wasm-bindgen is for JavaScript hosts; build for `wasm32-wasip1` without it"
        }
        _ if module.starts_with("wasi:") => {
            "that is an interface of components; for Rust build with `--target wasm32-wasip1`"
        }
        _ => {
            "an executable has no host to ask; another module that exports it can be given \
             with `--link NAME=MODULE`"
        }
    };
    advice.to_owned()
}

const EMSCRIPTEN: &str = "Emscripten makes WASI programs with `-sSTANDALONE_WASM`";

fn is_emscripten(name: &str) -> bool {
    ["emscripten_", "_emscripten_", "__syscall_", "invoke_", "__cxa_", "_embind_", "_emval_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::{import, unknown_target};

    #[test]
    fn unknown_targets_lead_to_the_nearest() {
        assert!(unknown_target("linux").contains("linux-amd64 or linux-arm64"));
        assert!(unknown_target("Linux/x86").contains("linux-amd64"));
        assert!(unknown_target("windows-arm").contains("windows-arm64"));
        assert!(unknown_target("macos").contains("darwin-a"));
        assert_eq!(unknown_target("plan9"), "`kiln targets` lists them");
    }

    #[test]
    fn unknown_imports_lead_to_the_toolchain() {
        for (path, word) in [
            ("env.emscripten_memcpy_js (func)", "STANDALONE_WASM"),
            ("env.my_function (func)", "--allow-undefined"),
            ("env.abort (func)", "wasi-shim"),
            ("wbg.__wbindgen_throw (func)", "wasm-bindgen"),
            ("gojs.runtime.wasmExit (func)", "GOOS=wasip1"),
            ("wasi:cli/exit@0.2.0.exit (func)", "components"),
            ("wasi.thread-spawn (func)", "threads"),
            ("wasi_snapshot_preview1.fd_wirte (func)", "`fd_write`"),
            ("wasi_snapshot_preview2.fd_write (func)", "`wasi_snapshot_preview1`"),
            ("nothing.known (global)", "no host"),
        ] {
            assert!(import(path).contains(word), "{path}: {}", import(path));
        }
    }
}
