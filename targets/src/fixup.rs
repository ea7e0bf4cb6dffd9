//! Kinds of fixup: what a relocation asks of the bytes it names, in no format's own terms.
//!
//! Who writes objects turns a [`Fixup`] into the flags of a format with
//! [`relocation`](crate::relocation::relocation); the linker reads them back and hands them to the
//! architecture, which applies them.

/// How a relocation changes the bytes it names. `S` is the symbol's address, `A` the addend, `P`
/// the address of the field or instruction itself, `GOT` the address of a pointer to `S` that the
/// linker provides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fixup {
    /// 8 bytes: `S + A`.
    Absolute64,
    /// 4 bytes, zero-extended: `S + A`.
    Absolute32,
    /// 4 bytes, sign-extended: `S + A`.
    Absolute32Signed,
    /// 4 bytes: `S + A - P` where `P` is the field's own address; the addend of an operand at the
    /// end of an amd64 instruction is therefore -4.
    Relative32,
    /// 8 bytes: `S + A - P`.
    Relative64,
    /// As [`Relative32`](Self::Relative32), the operand of an amd64 `call` or `jmp`, so that the
    /// symbol may lie in a dynamic library.
    Branch32,
    /// amd64: `GOT + A - P`.
    GotRelative32,
    /// As [`GotRelative32`](Self::GotRelative32), the operand of a `mov`, `call` or `jmp` that the
    /// linker may change into one that needs no pointer.
    GotLoad32,
    /// arm64 `bl` and `b`: `(S + A - P) / 4` in 26 bits.
    Branch26,
    /// arm64 `b.cond`, `cbz` and `cbnz`: `(S + A - P) / 4` in 19 bits.
    Branch19,
    /// arm64 `tbz` and `tbnz`: `(S + A - P) / 4` in 14 bits.
    Branch14,
    /// arm64 `adr`: `S + A - P` in 21 bits.
    Address21,
    /// arm64 `adrp`: the distance of the 4 KiB pages of `S + A` and `P`.
    Page21,
    /// arm64 `add`: the low 12 bits of `S + A`.
    PageOffset12Add,
    /// arm64 load or store with an unsigned offset: the low 12 bits of `S + A`, scaled by the
    /// access width that the instruction encodes.
    PageOffset12Load,
    /// arm64 `adrp`: the distance of the 4 KiB pages of `GOT` and `P`.
    GotPage21,
    /// arm64 `ldr` of 8 bytes: the low 12 bits of `GOT`, scaled.
    GotPageOffset12,
    /// 4 bytes: `S + A` less the image's base. COFF only, for unwind data.
    ImageRelative32,
    /// 4 bytes: `S + A` less the start of the output section. COFF only, for debug information.
    SectionRelative32,
    /// 2 bytes: the number of the output section that holds `S`. COFF only, for debug information.
    SectionIndex16,
}

impl Fixup {
    /// Bytes of the field or instruction that it changes.
    pub(crate) fn width(self) -> usize {
        match self {
            Self::Absolute64 | Self::Relative64 => 8,
            Self::SectionIndex16 => 2,
            _ => 4,
        }
    }
}
