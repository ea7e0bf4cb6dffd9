//! Levels of processors: what code may take for granted beyond its target's baseline.
//!
//! Sources: x86-64 psABI, section 3.1.1 (levels v2 to v4); Arm ARM, section A2.3 (ARMv8.1). Of a
//! level's features, those count that the code generator knows.

use kiln_abi::cpu::{AVX, AVX2, AVX512DQ, AVX512F, AVX512VL, BMI1, BMI2, FMA, LSE, LZCNT, NAMES};

use crate::target::{Arch, Target};

/// A set of features of processors, of any architecture. The empty set is every target's baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cpu {
    bits: u64,
}

/// What the code generator calls a feature.
struct Feature {
    bit: u64,
    arch: Arch,
    setting: &'static str,
}

const fn row(bit: u64, arch: Arch, setting: &'static str) -> Feature {
    Feature { bit, arch, setting }
}

const FEATURES: [Feature; 10] = [
    row(AVX, Arch::Amd64, "has_avx"),
    row(AVX2, Arch::Amd64, "has_avx2"),
    row(BMI1, Arch::Amd64, "has_bmi1"),
    row(BMI2, Arch::Amd64, "has_bmi2"),
    row(FMA, Arch::Amd64, "has_fma"),
    row(LZCNT, Arch::Amd64, "has_lzcnt"),
    row(AVX512F, Arch::Amd64, "has_avx512f"),
    row(AVX512DQ, Arch::Amd64, "has_avx512dq"),
    row(AVX512VL, Arch::Amd64, "has_avx512vl"),
    row(LSE, Arch::Arm64, "has_lse"),
];

const V3: u64 = AVX | AVX2 | BMI1 | BMI2 | FMA | LZCNT;

/// The levels by name. One of another architecture leaves a target at its baseline.
pub const LEVELS: [(&str, Cpu); 6] = [
    ("baseline", Cpu { bits: 0 }),
    ("v2", Cpu { bits: 0 }),
    ("v3", Cpu { bits: V3 }),
    ("v4", Cpu { bits: V3 | AVX512F | AVX512DQ | AVX512VL }),
    ("v8.0", Cpu { bits: 0 }),
    ("v8.1", Cpu { bits: LSE }),
];

impl Cpu {
    /// The level of that name.
    #[must_use]
    pub fn level(name: &str) -> Option<Self> {
        LEVELS.iter().find(|(level, _)| *level == name).map(|(_, cpu)| *cpu)
    }

    /// The features among `settings`, in the code generator's words; it has more, which are left
    /// out.
    pub fn of_settings<'a>(settings: impl IntoIterator<Item = &'a str>) -> Self {
        let bit = |setting| FEATURES.iter().find(|row| row.setting == setting).map(|row| row.bit);
        Self { bits: settings.into_iter().filter_map(bit).fold(0, |all, bit| all | bit) }
    }

    /// The features of those names, in their manufacturers' words; others are left out.
    pub fn of_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let bit = |name| NAMES.iter().find(|row| row.1 == name).map(|row| row.0);
        Self { bits: names.into_iter().filter_map(bit).fold(0, |all, bit| all | bit) }
    }

    /// Their names.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES.iter().filter(move |(bit, _)| self.bits & bit != 0).map(|(_, name)| *name)
    }

    /// What is in one of the two sets or in both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self { bits: self.bits | other.bits }
    }

    /// The features that exist on a target, in the code generator's words.
    pub fn settings(self, target: &Target) -> impl Iterator<Item = &'static str> {
        let arch = target.arch;
        let chosen = move |row: &&Feature| row.arch == arch && self.bits & row.bit != 0;
        FEATURES.iter().filter(chosen).map(|row| row.setting)
    }

    /// The same as bits of [`kiln_abi::cpu`].
    #[must_use]
    pub fn bits(self, target: &Target) -> u64 {
        let own = FEATURES.iter().filter(|row| row.arch == target.arch);
        self.bits & own.fold(0, |all, row| all | row.bit)
    }
}

const _: () = assert!(FEATURES.len() == NAMES.len());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::{LINUX_AMD64, LINUX_ARM64};

    #[test]
    fn a_target_has_the_features_of_its_architecture() {
        let both = Cpu::level("v3").unwrap().with(Cpu::level("v8.1").unwrap());
        assert_eq!(both.settings(&LINUX_ARM64).collect::<Vec<_>>(), ["has_lse"]);
        assert_eq!(both.settings(&LINUX_AMD64).count(), 6);
        assert_eq!(both.bits(&LINUX_ARM64), LSE);
        assert_eq!(Cpu::of_settings(both.settings(&LINUX_AMD64)), Cpu::level("v3").unwrap());
        assert_eq!(Cpu::of_names(both.names()), both);
        assert_eq!(Cpu::level("v5"), None);
    }
}
