//! The objects that the compiler writes: format, symbols, determinism.

use kiln_abi::symbol::{MAPPED_SECTION, PLACED_SECTION_PREFIX};
use kiln_compiler::{Error, Options, Progress, Source};
use kiln_targets::{Arch, ObjectFormat, Target, target};
use object::{Architecture, BinaryFormat, Object, ObjectSection, ObjectSymbol, SectionKind};

struct Silent;

impl Progress for Silent {
    fn function_done(&self) {}
}

/// Uses a table, a global, a memory with data, an import and two named functions.
const MODULE: &str = r#"
(module
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (memory 1)
  (data (i32.const 16) "kiln")
  (global $count (mut i32) (i32.const 7))
  (table 2 funcref)
  (elem (i32.const 0) $first $yield)
  (func $first (result i32)
    (global.set $count (i32.add (global.get $count) (i32.load (i32.const 16))))
    (global.get $count))
  (func $unreached (result i32) (i32.const 1))
  (func (export "_start")
    (drop (call_indirect (result i32) (i32.const 1)))
    (drop (call $yield))))
"#;

fn compile(text: &str, target: &'static Target) -> Result<Vec<u8>, Error> {
    let wasm = wat::parse_str(text).expect("the test's text is well-formed");
    let module = kiln_compiler::parse(&wasm)?;
    let options = Options::default();
    let program = kiln_compiler::link(&[Source::alone(&module)]).map_err(|(_, error)| error)?;
    kiln_compiler::compile(&program, target, &options, &Silent)
}

#[test]
fn an_object_is_the_same_alone_and_with_all_others() {
    let wasm = wat::parse_str(MODULE).unwrap();
    let module = kiln_compiler::parse(&wasm).unwrap();
    let program = kiln_compiler::link(&[Source::alone(&module)]).unwrap();
    let targets = target::ALL.map(|target| (target, &Silent as &dyn Progress));
    let codes = kiln_compiler::compile_all(&program, &targets, &Options::default()).unwrap();
    for (code, target) in codes.into_iter().zip(target::ALL) {
        assert!(code.object().unwrap() == compile(MODULE, target).unwrap(), "{target}");
    }
}

#[test]
fn every_target_gets_an_object_of_its_own_format() {
    for target in target::ALL {
        let bytes = compile(MODULE, target).unwrap();
        let file = object::File::parse(&*bytes).unwrap();
        let format = match target.format {
            ObjectFormat::Elf => BinaryFormat::Elf,
            ObjectFormat::MachO => BinaryFormat::MachO,
            ObjectFormat::Coff => BinaryFormat::Coff,
        };
        let architecture = match target.arch {
            Arch::Amd64 => Architecture::X86_64,
            Arch::Arm64 => Architecture::Aarch64,
        };
        assert_eq!((file.format(), file.architecture()), (format, architecture), "{target}");
    }
}

#[test]
fn symbols_bear_the_names_of_wasm_functions() {
    for target in target::ALL {
        let bytes = compile(MODULE, target).unwrap();
        let file = object::File::parse(&*bytes).unwrap();
        let prefix = if target.format == ObjectFormat::MachO { "_" } else { "" };
        let symbol = |name: &str| {
            let name = format!("{prefix}{name}");
            file.symbols().find(|symbol| symbol.name() == Ok(&name))
        };
        for name in ["first", "_start", "yield.trampoline", "kiln_entry"] {
            let section = symbol(name).and_then(|symbol| symbol.section_index());
            let section = section.and_then(|index| file.section_by_index(index).ok());
            let kind = section.map(|section| section.kind());
            assert_eq!(kind, Some(SectionKind::Text), "{name} for {target}");
        }
        assert!(symbol("kiln_program").unwrap().is_global());
        assert!(symbol("kiln_wasi_sched_yield").unwrap().is_undefined());
        assert!(symbol("unreached").is_none(), "{target}");
    }
}

/// Data that lies where the kernel shall map it needs no time at start, however large it is; less
/// than a page is copied.
#[test]
fn elf_objects_place_what_fills_a_page() {
    for target in target::ALL.into_iter().filter(|t| t.format == ObjectFormat::Elf) {
        let page = target.page_size as usize;
        for (size, is_placed) in [(4, false), (page - 1, false), (page, true), (9 * page, true)] {
            let data = "k".repeat(size);
            let text = format!(
                r#"(module (memory 16) (data (i32.const {page}) "{data}") (func (export "_start")))"#
            );
            let bytes = compile(&text, target).unwrap();
            let file = object::File::parse(&*bytes).unwrap();
            let placed = file.sections().find(|section| {
                section.name().is_ok_and(|name| name.starts_with(PLACED_SECTION_PREFIX))
            });
            let placed = placed.map(|section| section.size());
            let pages = size.next_multiple_of(page) as u64;
            assert_eq!(placed, is_placed.then_some(pages), "{target} {size}");
        }
    }
}

/// Where the kernel does not, the runtime maps pages, or leaves them in place; unless there are few,
/// or the segments fill them badly.
#[test]
fn other_objects_have_pages_for_what_is_large() {
    let others = target::ALL.into_iter().filter(|t| t.format != ObjectFormat::Elf);
    for target in others {
        let page = target.page_size as usize;
        let names = |segments: &[(usize, usize)]| {
            let data = segments.iter().map(|&(offset, size)| {
                format!(r#"(data (i32.const {offset}) "{}")"#, "k".repeat(size))
            });
            let data = data.collect::<String>();
            let text = format!(r#"(module (memory 99) {data} (func (export "_start")))"#);
            let bytes = compile(&text, target).unwrap();
            let file = object::File::parse(&*bytes).unwrap();
            let names = file.sections().filter_map(|section| {
                let name = section.name().ok()?.to_owned();
                let is_of_pages = name.starts_with(PLACED_SECTION_PREFIX) || name == MAPPED_SECTION;
                is_of_pages.then(|| (name, section.size() as usize, section.align() as usize))
            });
            names.collect::<Vec<_>>()
        };
        let in_place = |offset| format!("{PLACED_SECTION_PREFIX}{offset:016x}");
        let (one, two) = match target.format {
            ObjectFormat::Coff => {
                let first = (in_place(4 * page), 128 * page, page);
                (vec![first.clone()], vec![first, (in_place(200 * page), 128 * page, page)])
            }
            _ => {
                let of = |pages| vec![(MAPPED_SECTION.to_owned(), pages * page, page)];
                (of(128), of(256))
            }
        };
        let run = (4 * page + 8, 128 * page - 16);
        assert_eq!(names(&[run]), one, "{target}");
        assert_eq!(names(&[run, (200 * page, 128 * page)]), two, "{target}");
        assert_eq!(names(&[(0, 255 << 10)]), [], "{target}");
        let sparse: Vec<_> = (0..150).map(|at| (2 * at * page, page / 2)).collect();
        assert_eq!(names(&sparse), [], "{target}");
    }
}

#[test]
fn threads_do_not_change_the_bytes() {
    for target in target::ALL {
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| compile(MODULE, target).unwrap())
        };
        assert!(with(1) == with(4), "{target}");
    }
}

#[test]
fn what_cannot_run_is_refused() {
    let target = target::ALL[0];
    assert!(matches!(compile("(module)", target), Err(Error::NoEntry)));
    let import = r#"(module (import "env" "missing" (func)) (func (export "_start")))"#;
    let Err(Error::UnknownImports(names)) = compile(import, target) else { panic!() };
    assert_eq!(names, ["env.missing (func ())"]);
}

#[test]
fn exceptions_compile_for_every_target() {
    let text = r#"
(module
  (tag $number (param i32))
  (func $thrower (param i32) (throw $number (local.get 0)))
  (func (export "_start")
    (block $caught (result i32)
      (try_table (catch $number $caught) (call $thrower (i32.const 7)))
      (i32.const 0))
    (drop)))
"#;
    for target in target::ALL {
        let bytes = compile(text, target).unwrap();
        let file = object::File::parse(&*bytes).unwrap();
        let is_throw = |name: &str| name.trim_start_matches('_') == "kiln_throw";
        assert!(file.symbols().any(|symbol| symbol.name().is_ok_and(is_throw)), "{target}");
    }
}

#[test]
fn what_is_valid_with_a_proposal_is_not_called_invalid() {
    // A type may name a later one only inside a recursion group, which garbage collection brings.
    let text =
        "(module (rec (type (func (param (ref 1)))) (type (func))) (func (export \"_start\")))";
    let error = compile(text, target::ALL[0]).unwrap_err();
    assert!(matches!(error, Error::Unsupported { proposal: "gc", .. }), "{error}");
    let error = compile("(module (func (export \"_start\") (drop)))", target::ALL[0]).unwrap_err();
    assert!(matches!(error, Error::Invalid { .. }), "{error}");
}
