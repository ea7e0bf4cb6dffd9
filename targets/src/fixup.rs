//! Kinds of fixup: what a relocation asks of the bytes it names, in no format's own terms.

/// How a relocation changes the bytes it names. `S` is the symbol's address, `A` the addend, `P`
/// the address of the field or instruction itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fixup {
    /// 8 bytes: `S + A`.
    Absolute64,
    /// 4 bytes, amd64: `S + A - P` where `P` is the field's own address; the addend of an operand
    /// at the end of its instruction is therefore -4.
    Relative32,
    /// arm64 `bl` and `b`: `(S + A - P) / 4` in 26 bits.
    Branch26,
    /// arm64 `adrp`: the distance of the 4 KiB pages of `S + A` and `P`.
    Page21,
    /// arm64 `add`: the low 12 bits of `S + A`.
    PageOffset12Add,
    /// 4 bytes: `S + A` less the image's base. COFF only, for unwind data.
    ImageRelative32,
}
