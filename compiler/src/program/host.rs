//! What the host provides to modules: WASI, and what a program may ask of Kiln itself.
//!
//! | import | type | what it does |
//! |---|---|---|
//! | `wasi_snapshot_preview1` NAME | as WASI says | calls the runtime |
//! | `wasi_unstable` NAME | as WASI said before | calls the runtime |
//! | `kiln` `catch_trap` | `(param (ref null $f)) (result i32)`, `$f` of type `(func)` | calls the function; 0, or the number of the trap that ended it |
//! | `kiln` `extern_new` | `(param i32) (result (ref extern))` | a reference that stands for the number |
//! | `kiln` `extern_number` | `(param externref) (result i32)` | that number; -1 for null |
//! | `wasi` `thread-spawn` | `(param i32) (result i32)` | starts a thread; its number, or a negative one |
//! | `kiln:instantiate` NAME | `(func)` | makes the instance of that name, which is not made at start |
//!
//! A shared memory that no instance provides is the host's: the import's own limits say how large
//! it is. Each thread is an instance of its own of the program's one module, as `wasi-threads`
//! asks: that module exports `wasi_thread_start`, and all its memories are imported shared ones.
//!
//! Trap numbers are those of [`kiln_abi::trap::TrapCode`].

use crate::module::{Import, Index, Module};
use kiln_abi::wasi;
use wasmparser::{HeapType, RefType, ValType};

/// A function of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    /// By its position in [`wasi::FUNCTIONS`]; the guest's pointers point into the memory of that
    /// index of the program, if there is one.
    Wasi { position: u32, memory: Option<u32> },
    /// Calls a function of no parameters and results, and catches its trap.
    CatchTrap,
    /// Makes a reference that stands for a number.
    ExternNew,
    /// The number that such a reference stands for.
    ExternNumber,
    /// Makes an instance, by its position.
    Instantiate(u32),
    /// Starts a thread.
    ThreadSpawn,
}

/// Module name of what Kiln itself provides.
const KILN: &str = "kiln";

/// Module name of the functions that make instances.
const INSTANTIATE: &str = "kiln:instantiate";

/// Module and function name of what starts threads, and the export that a thread begins with.
const THREAD_SPAWN: (&str, &str) = ("wasi", "thread-spawn");
const THREAD_START: &str = "wasi_thread_start";

/// The function that a thread of a module begins with, if the module is fit for threads.
pub(super) fn thread_start(module: &Module<'_>) -> Option<u32> {
    let Some(Index::Function(start)) = module.exported(THREAD_START) else { return None };
    let ty = &module.signature(start).ty;
    let imported = |import: &&Import<'_>| matches!(import.index, Index::Memory(_));
    let is_fit = ty.params() == [ValType::I32, ValType::I32]
        && ty.results().is_empty()
        && module.memories.iter().all(|memory| memory.shared)
        && module.imports.iter().filter(imported).count() == module.memories.len();
    is_fit.then_some(start)
}

/// What the host has for an imported function, if the type is right. `memory` is the memory that
/// the module's calls of WASI point into; `instance` finds an instance by name.
pub(super) fn function(
    module: &Module<'_>,
    import: &Import<'_>,
    memory: Option<u32>,
    instance: impl FnOnce(&str) -> Option<u32>,
) -> Option<Host> {
    let Index::Function(index) = import.index else { return None };
    let ty = &module.signature(index).ty;
    match (import.module, import.name) {
        (from @ (wasi::MODULE | wasi::UNSTABLE_MODULE), name) => {
            let position = wasi::position(from, name)?;
            let function = &wasi::FUNCTIONS[position];
            let parameters = function.parameters.iter().map(|parameter| match parameter {
                wasi::Type::I32 => ValType::I32,
                wasi::Type::I64 => ValType::I64,
            });
            let results: &[ValType] = if function.returns_errno { &[ValType::I32] } else { &[] };
            (parameters.eq(ty.params().iter().copied()) && ty.results() == results)
                .then_some(Host::Wasi { position: position as u32, memory })
        }
        (KILN, "catch_trap") => {
            let [ValType::Ref(callee)] = ty.params() else { return None };
            let HeapType::Concrete(callee) = callee.heap_type() else { return None };
            let callee = module.types.get(callee.as_module_index()? as usize)?;
            let is_plain = callee.ty.params().is_empty() && callee.ty.results().is_empty();
            (is_plain && ty.results() == [ValType::I32]).then_some(Host::CatchTrap)
        }
        (KILN, "extern_new") => (ty.params() == [ValType::I32]
            && ty.results() == [ValType::Ref(RefType::EXTERN)])
        .then_some(Host::ExternNew),
        (KILN, "extern_number") => (ty.params() == [ValType::EXTERNREF]
            && ty.results() == [ValType::I32])
        .then_some(Host::ExternNumber),
        import if import == THREAD_SPAWN => {
            thread_start(module)?;
            let is_spawn = ty.params() == [ValType::I32] && ty.results() == [ValType::I32];
            is_spawn.then_some(Host::ThreadSpawn)
        }
        (INSTANTIATE, name) if ty.params().is_empty() && ty.results().is_empty() => {
            instance(name).map(Host::Instantiate)
        }
        _ => None,
    }
}
