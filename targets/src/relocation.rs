//! The relocations of each object format and the fixups they stand for.
//!
//! One table per format and architecture serves both directions: [`relocation`] for who writes
//! objects, `fixup` for the linker. A relocation that has no row is unknown to the linker.
//!
//! # Addends
//!
//! Addends follow [`Fixup`]'s formulas in every format: the operand at the end of an amd64
//! instruction has -4. `object::write` moves them to where the format wants them, with one
//! exception: COFF on arm64 keeps addends of instructions in the instruction, which `object` does
//! not write. There, [`Fixup::Page21`], the page offsets and the branches need addend 0; define a
//! symbol at the place itself.
//!
//! Mach-O relocations must refer to symbols of their own, not to section symbols.
//!
//! Sources: System V ABI, AMD64 supplement 4.4; ELF for the Arm 64-bit Architecture 5.7;
//! Apple `mach-o/x86_64/reloc.h` and `mach-o/arm64/reloc.h`; Microsoft PE Format, "COFF
//! Relocations".

use crate::{Arch, Fixup, ObjectFormat, Target};
use object::{RelocationFlags, elf, macho, pe};

/// The relocation that stands for `fixup` in objects for `target`.
///
/// # Panics
/// If the format has none: which fixups a target knows is a property of the code that emits them,
/// not of its input.
#[must_use]
pub fn relocation(target: &Target, fixup: Fixup) -> RelocationFlags {
    let rows = table(target);
    let row = rows.iter().find(|row| row.1 == fixup);
    row.map_or_else(|| panic!("{target} objects have no relocation for {fixup:?}"), |row| row.0)
}

/// The relocation that stands for [`Fixup::PageOffset12Load`] at an instruction that accesses `2^scale`
/// bytes; ELF has one for each.
pub(crate) fn of_load(target: &Target, scale: u32) -> RelocationFlags {
    match (target.format, scale) {
        (ObjectFormat::Elf, 0) => elf(elf::R_AARCH64_LDST8_ABS_LO12_NC),
        (ObjectFormat::Elf, 1) => elf(elf::R_AARCH64_LDST16_ABS_LO12_NC),
        (ObjectFormat::Elf, 2) => elf(elf::R_AARCH64_LDST32_ABS_LO12_NC),
        (ObjectFormat::Elf, 4) => elf(elf::R_AARCH64_LDST128_ABS_LO12_NC),
        _ => relocation(target, Fixup::PageOffset12Load),
    }
}

/// What a relocation found in an object for `target` asks for.
pub(crate) fn fixup(target: &Target, flags: RelocationFlags) -> Option<Fixup> {
    table(target).iter().find(|row| row.0 == flags).map(|row| row.1)
}

/// Whether a relocation asks for nothing.
pub(crate) fn is_none(flags: RelocationFlags) -> bool {
    match flags {
        RelocationFlags::Elf { r_type } => {
            [elf::R_X86_64_NONE, elf::R_AARCH64_NONE].contains(&r_type)
        }
        // `IMAGE_REL_AMD64_ABSOLUTE` has the same number.
        RelocationFlags::Coff { typ } => typ == pe::IMAGE_REL_ARM64_ABSOLUTE,
        _ => false,
    }
}

/// A relocation's type as its format numbers it, for messages.
pub(crate) fn describe(flags: RelocationFlags) -> String {
    match flags {
        RelocationFlags::Elf { r_type } => format!("ELF type {}", r_type.0),
        RelocationFlags::MachO { r_type, r_length, .. } => {
            format!("Mach-O type {} of {} bytes", r_type.0, 1 << r_length)
        }
        RelocationFlags::Coff { typ } => format!("COFF type {}", typ.0),
        other => format!("{other:?}"),
    }
}

/// Bytes of an instruction behind its Mach-O field that both the field and its relocation's type
/// take into account, as far as a symbol is named. Source: `<mach-o/x86_64/reloc.h>`.
pub(crate) fn counted_twice(target: &Target, flags: RelocationFlags) -> i64 {
    match (target.arch, flags) {
        (Arch::Amd64, RelocationFlags::MachO { r_type: macho::X86_64_RELOC_SIGNED_1, .. }) => 1,
        (Arch::Amd64, RelocationFlags::MachO { r_type: macho::X86_64_RELOC_SIGNED_2, .. }) => 2,
        (Arch::Amd64, RelocationFlags::MachO { r_type: macho::X86_64_RELOC_SIGNED_4, .. }) => 4,
        _ => 0,
    }
}

type Row = (RelocationFlags, Fixup);

fn table(target: &Target) -> &'static [Row] {
    match (target.format, target.arch) {
        (ObjectFormat::Elf, Arch::Amd64) => ELF_AMD64,
        (ObjectFormat::Elf, Arch::Arm64) => ELF_ARM64,
        (ObjectFormat::MachO, Arch::Amd64) => MACHO_AMD64,
        (ObjectFormat::MachO, Arch::Arm64) => MACHO_ARM64,
        (ObjectFormat::Coff, Arch::Amd64) => COFF_AMD64,
        (ObjectFormat::Coff, Arch::Arm64) => COFF_ARM64,
    }
}

const fn elf(r_type: elf::RelocationType) -> RelocationFlags {
    RelocationFlags::Elf { r_type }
}

const fn macho(r_type: macho::RelocationType, r_pcrel: bool, r_length: u8) -> RelocationFlags {
    RelocationFlags::MachO { r_type, r_pcrel, r_length }
}

const fn coff(typ: pe::RelocationType) -> RelocationFlags {
    RelocationFlags::Coff { typ }
}

static ELF_AMD64: &[Row] = &[
    (elf(elf::R_X86_64_PC32), Fixup::Relative32),
    (elf(elf::R_X86_64_PLT32), Fixup::Branch32),
    (elf(elf::R_X86_64_64), Fixup::Absolute64),
    (elf(elf::R_X86_64_32), Fixup::Absolute32),
    (elf(elf::R_X86_64_32S), Fixup::Absolute32Signed),
    (elf(elf::R_X86_64_PC64), Fixup::Relative64),
    (elf(elf::R_X86_64_GOTPCREL), Fixup::GotRelative32),
    (elf(elf::R_X86_64_REX_GOTPCRELX), Fixup::GotLoad32),
    (elf(elf::R_X86_64_GOTPCRELX), Fixup::GotLoad32),
];

static ELF_ARM64: &[Row] = &[
    (elf(elf::R_AARCH64_CALL26), Fixup::Branch26),
    (elf(elf::R_AARCH64_JUMP26), Fixup::Branch26),
    (elf(elf::R_AARCH64_ADR_PREL_PG_HI21), Fixup::Page21),
    (elf(elf::R_AARCH64_ADD_ABS_LO12_NC), Fixup::PageOffset12Add),
    (elf(elf::R_AARCH64_ABS64), Fixup::Absolute64),
    (elf(elf::R_AARCH64_ABS32), Fixup::Absolute32),
    (elf(elf::R_AARCH64_PREL32), Fixup::Relative32),
    (elf(elf::R_AARCH64_PREL64), Fixup::Relative64),
    (elf(elf::R_AARCH64_LDST64_ABS_LO12_NC), Fixup::PageOffset12Load),
    (elf(elf::R_AARCH64_LDST8_ABS_LO12_NC), Fixup::PageOffset12Load),
    (elf(elf::R_AARCH64_LDST16_ABS_LO12_NC), Fixup::PageOffset12Load),
    (elf(elf::R_AARCH64_LDST32_ABS_LO12_NC), Fixup::PageOffset12Load),
    (elf(elf::R_AARCH64_LDST128_ABS_LO12_NC), Fixup::PageOffset12Load),
    (elf(elf::R_AARCH64_ADR_GOT_PAGE), Fixup::GotPage21),
    (elf(elf::R_AARCH64_LD64_GOT_LO12_NC), Fixup::GotPageOffset12),
    (elf(elf::R_AARCH64_ADR_PREL_LO21), Fixup::Address21),
    (elf(elf::R_AARCH64_CONDBR19), Fixup::Branch19),
    (elf(elf::R_AARCH64_TSTBR14), Fixup::Branch14),
];

static MACHO_AMD64: &[Row] = &[
    (macho(macho::X86_64_RELOC_SIGNED, true, 2), Fixup::Relative32),
    (macho(macho::X86_64_RELOC_BRANCH, true, 2), Fixup::Branch32),
    (macho(macho::X86_64_RELOC_UNSIGNED, false, 3), Fixup::Absolute64),
    (macho(macho::X86_64_RELOC_UNSIGNED, false, 2), Fixup::Absolute32),
    (macho(macho::X86_64_RELOC_GOT, true, 2), Fixup::GotRelative32),
    (macho(macho::X86_64_RELOC_GOT_LOAD, true, 2), Fixup::GotLoad32),
    (macho(macho::X86_64_RELOC_SIGNED_1, true, 2), Fixup::Relative32),
    (macho(macho::X86_64_RELOC_SIGNED_2, true, 2), Fixup::Relative32),
    (macho(macho::X86_64_RELOC_SIGNED_4, true, 2), Fixup::Relative32),
];

static MACHO_ARM64: &[Row] = &[
    (macho(macho::ARM64_RELOC_BRANCH26, true, 2), Fixup::Branch26),
    (macho(macho::ARM64_RELOC_PAGE21, true, 2), Fixup::Page21),
    (macho(macho::ARM64_RELOC_PAGEOFF12, false, 2), Fixup::PageOffset12Add),
    // One type serves `add`, loads and stores; the linker looks at the instruction.
    (macho(macho::ARM64_RELOC_PAGEOFF12, false, 2), Fixup::PageOffset12Load),
    (macho(macho::ARM64_RELOC_UNSIGNED, false, 3), Fixup::Absolute64),
    (macho(macho::ARM64_RELOC_UNSIGNED, false, 2), Fixup::Absolute32),
    (macho(macho::ARM64_RELOC_GOT_LOAD_PAGE21, true, 2), Fixup::GotPage21),
    (macho(macho::ARM64_RELOC_GOT_LOAD_PAGEOFF12, false, 2), Fixup::GotPageOffset12),
    (macho(macho::ARM64_RELOC_POINTER_TO_GOT, true, 2), Fixup::GotRelative32),
];

static COFF_AMD64: &[Row] = &[
    (coff(pe::IMAGE_REL_AMD64_REL32), Fixup::Relative32),
    (coff(pe::IMAGE_REL_AMD64_REL32), Fixup::Branch32),
    (coff(pe::IMAGE_REL_AMD64_ADDR64), Fixup::Absolute64),
    (coff(pe::IMAGE_REL_AMD64_ADDR32), Fixup::Absolute32),
    (coff(pe::IMAGE_REL_AMD64_ADDR32NB), Fixup::ImageRelative32),
    (coff(pe::IMAGE_REL_AMD64_REL32_1), Fixup::Relative32),
    (coff(pe::IMAGE_REL_AMD64_REL32_2), Fixup::Relative32),
    (coff(pe::IMAGE_REL_AMD64_REL32_3), Fixup::Relative32),
    (coff(pe::IMAGE_REL_AMD64_REL32_4), Fixup::Relative32),
    (coff(pe::IMAGE_REL_AMD64_REL32_5), Fixup::Relative32),
    (coff(pe::IMAGE_REL_AMD64_SECREL), Fixup::SectionRelative32),
    (coff(pe::IMAGE_REL_AMD64_SECTION), Fixup::SectionIndex16),
];

static COFF_ARM64: &[Row] = &[
    (coff(pe::IMAGE_REL_ARM64_BRANCH26), Fixup::Branch26),
    (coff(pe::IMAGE_REL_ARM64_PAGEBASE_REL21), Fixup::Page21),
    (coff(pe::IMAGE_REL_ARM64_PAGEOFFSET_12A), Fixup::PageOffset12Add),
    (coff(pe::IMAGE_REL_ARM64_PAGEOFFSET_12L), Fixup::PageOffset12Load),
    (coff(pe::IMAGE_REL_ARM64_ADDR64), Fixup::Absolute64),
    (coff(pe::IMAGE_REL_ARM64_ADDR32), Fixup::Absolute32),
    (coff(pe::IMAGE_REL_ARM64_ADDR32NB), Fixup::ImageRelative32),
    (coff(pe::IMAGE_REL_ARM64_REL32), Fixup::Relative32),
    (coff(pe::IMAGE_REL_ARM64_REL21), Fixup::Address21),
    (coff(pe::IMAGE_REL_ARM64_BRANCH19), Fixup::Branch19),
    (coff(pe::IMAGE_REL_ARM64_BRANCH14), Fixup::Branch14),
    (coff(pe::IMAGE_REL_ARM64_SECREL), Fixup::SectionRelative32),
    (coff(pe::IMAGE_REL_ARM64_SECTION), Fixup::SectionIndex16),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target;

    #[test]
    fn what_the_compiler_writes_the_linker_reads() {
        for target in target::ALL {
            for &(flags, wanted) in table(target) {
                let found = fixup(target, relocation(target, wanted)).unwrap();
                let same_type = relocation(target, found) == relocation(target, wanted);
                assert!(same_type, "{target} {wanted:?} {flags:?}");
            }
        }
    }

    #[test]
    fn an_unknown_relocation_is_none() {
        assert_eq!(fixup(&target::LINUX_AMD64, elf(elf::R_X86_64_TLSGD)), None);
    }
}
