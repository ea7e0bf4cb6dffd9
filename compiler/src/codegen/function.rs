//! CLIF of one function → machine code and what is known of it.

use super::{constant, recursion, unwind};
use crate::symbol::Symbol;
use crate::translate::abi_code;
use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::ExternalName;
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::settings::OptLevel;
use cranelift_codegen::{
    CompiledCode, Context, FinalizedMachCallSite, FinalizedMachExceptionHandler,
    FinalizedMachReloc, FinalizedRelocTarget,
};
use cranelift_frontend::FunctionBuilderContext;
use kiln_abi::exception::Handler;
use kiln_abi::program::NO_INDEX;
use kiln_abi::trap::TrapCode;
use kiln_targets::compact::{self, Moved};
use kiln_targets::{Fixup, Target};

/// A compiled function.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) symbol: Symbol,
    pub(super) code: Vec<u8>,
    /// Whether it is known to have a loop.
    pub(super) loops: bool,
    pub(super) fixups: Vec<CodeFixup>,
    /// In ascending order of offset.
    pub(super) traps: Vec<TrapSite>,
    /// Calls with handlers around them, in ascending order of offset.
    pub(super) call_sites: Vec<CallSite>,
    /// Windows unwind information; none on other systems.
    pub(super) unwind: Vec<unwind::Record>,
}

/// A place in code that holds a symbol's address in some form.
#[derive(Debug, Clone, Copy)]
pub(super) struct CodeFixup {
    pub(super) offset: u32,
    pub(super) kind: Fixup,
    pub(super) symbol: Symbol,
    pub(super) addend: i64,
}

/// An instruction that may trap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TrapSite {
    pub(super) offset: u32,
    pub(super) code: TrapCode,
    /// Whether that instruction called the runtime and `offset` is where the call returns to.
    pub(super) returned: bool,
    /// Byte offset of the operator in the wasm file; 0 in code of no wasm function.
    pub(super) wasm_offset: u32,
}

/// A call with handlers around it.
#[derive(Debug)]
pub(super) struct CallSite {
    pub(super) return_offset: u32,
    /// Distance from the frame pointer down to the stack pointer.
    pub(super) frame_offset: u32,
    /// Innermost first.
    pub(super) handlers: Vec<Handler>,
}

/// What the functions of one thread are compiled in, one after another.
pub(super) struct Workspace {
    pub(super) context: Box<Context>,
    pub(super) builder: FunctionBuilderContext,
    registers: regalloc2::Ctx,
}

impl Workspace {
    pub(super) fn new() -> Self {
        Self {
            context: Box::new(Context::new()),
            builder: FunctionBuilderContext::new(),
            registers: regalloc2::Ctx::default(),
        }
    }
}

/// Optimizes the function in the workspace, which stands for `symbol`, if `isa` says so.
pub(super) fn optimize(
    workspace: &mut Workspace,
    symbol: Symbol,
    isa: &dyn TargetIsa,
) -> Result<(), String> {
    let context = &mut workspace.context;
    let failure = |error| format!("{error:?}");
    let is_wanted = isa.flags().opt_level() != OptLevel::None;
    if is_wanted {
        recursion::unroll(context, symbol).map_err(failure)?;
    }
    context.optimize(isa, &mut ControlPlane::default()).map_err(failure)?;
    if is_wanted {
        constant::load(&mut context.func);
    }
    Ok(())
}

/// Generates the code of the optimized function in the workspace, which stands for `symbol`.
pub(super) fn compile(
    workspace: &mut Workspace,
    symbol: Symbol,
    isa: &dyn TargetIsa,
    target: &Target,
) -> Result<Compiled, String> {
    let Workspace { context, registers, .. } = workspace;
    let code = isa
        .compile_function(
            &context.func,
            &context.domtree,
            registers,
            false,
            &mut ControlPlane::default(),
        )
        .map_err(|error| format!("{error:?}"))?
        .apply_params(&context.func.params);
    let fixups: Vec<_> = code
        .buffer
        .relocs()
        .iter()
        .map(|relocation| {
            fixup(context, symbol, relocation)
                .ok_or_else(|| format!("relocation {relocation:?} has no fixup"))
        })
        .collect::<Result<_, _>>()?;
    let mut compiled = Compiled {
        symbol,
        code: code.buffer.data().to_vec(),
        loops: false,
        traps: trap_sites(&code, &fixups),
        call_sites: code
            .buffer
            .call_sites()
            .filter(|site| !site.exception_handlers.is_empty())
            .map(|site| call_site(&site).ok_or_else(|| format!("call site {site:?}")))
            .collect::<Result<_, _>>()?,
        unwind: unwind::records(&code, isa, target)?,
        fixups,
    };
    if isa.flags().opt_level() != OptLevel::None {
        compiled.compact(&code, target);
    }
    Ok(compiled)
}

impl Compiled {
    /// Makes the code denser, where the target's instructions come in several sizes.
    fn compact(&mut self, code: &CompiledCode, target: &Target) {
        let fields: Vec<u32> = self.fixups.iter().map(|fixup| fixup.offset).collect();
        // Unwind information tells where each instruction of the prologue is.
        let prologue = code.buffer.unwind_info.iter().map(|&(offset, _)| offset).max();
        let function = compact::Function {
            bytes: &self.code,
            blocks: &code.bb_starts,
            fields: &fields,
            prologue: prologue.unwrap_or(0),
        };
        let Some(moved) = compact::compact(target.arch, &function) else { return };
        for fixup in &mut self.fixups {
            fixup.offset = moved.start(fixup.offset);
        }
        for trap in &mut self.traps {
            let place = if trap.returned { Moved::end } else { Moved::start };
            trap.offset = place(&moved, trap.offset);
        }
        for site in &mut self.call_sites {
            site.return_offset = moved.end(site.return_offset);
            for handler in &mut site.handlers {
                handler.landing_offset = moved.start(handler.landing_offset);
            }
        }
        for record in &mut self.unwind {
            record.end = moved.bytes.len() as u32;
        }
        self.loops = moved.loops;
        self.code = moved.bytes;
    }
}

/// The instructions that may trap: those that the code generator names, and calls of the runtime,
/// each known by its return address.
fn trap_sites(code: &CompiledCode, fixups: &[CodeFixup]) -> Vec<TrapSite> {
    /// The operand of a call, on both architectures: the return address follows.
    const CALL_OPERAND: u32 = 4;
    let locations = code.buffer.get_srclocs_sorted();
    let wasm_offset = |offset: u32| {
        let after = locations.partition_point(|location| location.start <= offset);
        let location = after.checked_sub(1).map(|index| &locations[index]);
        location
            .filter(|location| offset < location.end && !location.loc.is_default())
            .map_or(0, |location| location.loc.bits())
    };
    let named = code.buffer.traps().iter().map(|trap| TrapSite {
        offset: trap.offset,
        code: abi_code(trap.code),
        returned: false,
        wasm_offset: wasm_offset(trap.offset),
    });
    let calls = fixups.iter().filter_map(|fixup| match fixup.symbol {
        Symbol::Builtin(builtin) => Some(TrapSite {
            offset: fixup.offset + CALL_OPERAND,
            code: builtin.trap()?,
            returned: true,
            wasm_offset: wasm_offset(fixup.offset),
        }),
        _ => None,
    });
    // Where a call returns to an instruction that may trap, that instruction comes first.
    let mut sites: Vec<_> = named.chain(calls).collect();
    sites.sort_by_key(|site| site.offset);
    sites
}

/// The code generator's call site in Kiln's terms.
fn call_site(site: &FinalizedMachCallSite<'_>) -> Option<CallSite> {
    let handlers = site.exception_handlers.iter().map(|handler| match *handler {
        FinalizedMachExceptionHandler::Tag(tag, landing_offset) => {
            Some(Handler { tag: tag.as_u32(), landing_offset })
        }
        FinalizedMachExceptionHandler::Default(landing_offset) => {
            Some(Handler { tag: NO_INDEX, landing_offset })
        }
        FinalizedMachExceptionHandler::Context(_) => None,
    });
    Some(CallSite {
        return_offset: site.ret_addr,
        frame_offset: site.frame_offset?,
        handlers: handlers.collect::<Option<_>>()?,
    })
}

/// The code generator's relocation in Kiln's terms.
fn fixup(context: &Context, own: Symbol, relocation: &FinalizedMachReloc) -> Option<CodeFixup> {
    let kind = match relocation.kind {
        Reloc::Abs8 => Fixup::Absolute64,
        Reloc::X86PCRel4 => Fixup::Relative32,
        Reloc::X86CallPCRel4 | Reloc::X86CallPLTRel4 => Fixup::Branch32,
        Reloc::Arm64Call => Fixup::Branch26,
        Reloc::Aarch64AdrPrelPgHi21 => Fixup::Page21,
        Reloc::Aarch64AddAbsLo12Nc => Fixup::PageOffset12Add,
        _ => return None,
    };
    let (symbol, addend) = match &relocation.target {
        FinalizedRelocTarget::ExternalName(ExternalName::User(name)) => {
            let name = &context.func.params.user_named_funcs()[*name];
            (Symbol::decode(name), relocation.addend)
        }
        FinalizedRelocTarget::Func(offset) => (own, relocation.addend + i64::from(*offset)),
        FinalizedRelocTarget::ExternalName(_) => return None,
    };
    Some(CodeFixup { offset: relocation.offset, kind, symbol, addend })
}
