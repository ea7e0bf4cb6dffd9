//! What functions are translated to, compared with files: `tests/clif/NAME.wat` and, for
//! linux/amd64 before the code generator's own optimizations, `NAME.clif`; where the former begins
//! with `;; optimized`, after them. `BLESS=1` writes the latter.

use super::Generator;
use super::function::{self, Workspace};
use crate::plan::Plan;
use crate::symbol::Symbol;
use crate::{Options, Source, translate};
use kiln_targets::target;
use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

/// The reached functions of a module, each under its name.
fn translated(text: &str) -> String {
    let wasm = wat::parse_str(text).unwrap();
    let module = crate::parse(&wasm).unwrap();
    let program = crate::link(&[Source::alone(&module)]).unwrap();
    let options = Options::default();
    let plan = Plan::new(&program, &target::LINUX_AMD64, &options);
    let Generator { plan, isa } = Generator::new(plan).unwrap();
    let mut workspace = Workspace::new();
    let mut out = String::new();
    for &index in &plan.facts.reached {
        let Some(body) = plan.spaces.body(index) else { continue };
        let Workspace { context, builder, .. } = &mut workspace;
        context.clear();
        translate::function(&plan, index, body, context, builder, isa.frontend_config()).unwrap();
        if text.starts_with(";; optimized") {
            function::optimize(&mut workspace, Symbol::Function(index), &*isa).unwrap();
        }
        let context = &workspace.context;
        let name = plan.spaces.function_name(index);
        writeln!(out, "; {name}\n{}", context.func.display()).unwrap();
    }
    out
}

#[test]
fn translations_are_what_they_were() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clif");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "wat") {
            continue;
        }
        count += 1;
        let translation = translated(&fs::read_to_string(&path).unwrap());
        let golden = path.with_extension("clif");
        if env::var_os("BLESS").is_some() {
            fs::write(&golden, &translation).unwrap();
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(translation, expected, "{}: BLESS=1 if that is right", golden.display());
    }
    assert!(count > 0);
}
