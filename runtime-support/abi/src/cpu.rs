//! Features of processors that a program may need beyond its target's baseline, as bits of
//! [`Program::cpu`](crate::program::Program::cpu). The runtime compares them with what it finds
//! before any compiled code runs.

macro_rules! features {
    ($($(#[$doc:meta])* $name:ident = $bit:literal, $text:literal;)*) => {
        $($(#[$doc])* pub const $name: u64 = 1 << $bit;)*

        /// Every feature's bit, with the name that its manufacturers use.
        pub const NAMES: &[(u64, &str)] = &[$(($name, $text),)*];
    };
}

features! {
    /// x86-64: 256-bit vectors of floats, registers that the system preserves included.
    AVX = 0, "AVX";
    /// x86-64: 256-bit vectors of integers.
    AVX2 = 1, "AVX2";
    /// x86-64: bit manipulation.
    BMI1 = 2, "BMI1";
    /// x86-64: shifts that leave the flags alone.
    BMI2 = 3, "BMI2";
    /// x86-64: multiplication and addition in one rounding.
    FMA = 4, "FMA";
    /// x86-64: counting leading zeros.
    LZCNT = 5, "LZCNT";
    /// x86-64: 512-bit vectors, registers that the system preserves included.
    AVX512F = 6, "AVX512F";
    /// x86-64: operations on double and quadruple words.
    AVX512DQ = 7, "AVX512DQ";
    /// x86-64: the same on shorter vectors.
    AVX512VL = 8, "AVX512VL";
    /// AArch64: atomic read-modify-write instructions, of ARMv8.1.
    LSE = 32, "LSE";
}
