//! Arguments and expected results as instructions.

use wasm_encoder::{HeapType, InstructionSink};
use wasmparser::ValType;
use wast::core::{AbstractHeapType, NanPattern, V128Pattern, WastArgCore, WastRetCore};
use wast::token::{F32, F64};

/// An argument.
#[derive(Debug)]
pub(super) enum Constant {
    I32(i32),
    I64(i64),
    F32(u32),
    F64(u64),
    V128(i128),
    Null(HeapType),
}

impl Constant {
    /// Pushes the argument.
    pub(super) fn push(&self, code: &mut InstructionSink<'_>) {
        match *self {
            Self::I32(value) => code.i32_const(value),
            Self::I64(value) => code.i64_const(value),
            Self::F32(bits) => code.f32_const(f32::from_bits(bits).into()),
            Self::F64(bits) => code.f64_const(f64::from_bits(bits).into()),
            Self::V128(value) => code.v128_const(value),
            Self::Null(ty) => code.ref_null(ty),
        };
    }
}

impl TryFrom<&WastArgCore<'_>> for Constant {
    type Error = String;

    fn try_from(argument: &WastArgCore<'_>) -> Result<Self, String> {
        Ok(match argument {
            WastArgCore::I32(value) => Self::I32(*value),
            WastArgCore::I64(value) => Self::I64(*value),
            WastArgCore::F32(value) => Self::F32(value.bits),
            WastArgCore::F64(value) => Self::F64(value.bits),
            WastArgCore::V128(value) => Self::V128(i128::from_le_bytes(value.to_le_bytes())),
            WastArgCore::RefNull(wast::core::HeapType::Abstract { shared: false, ty }) => {
                Self::Null(null_type(*ty)?)
            }
            _ => return Err("an argument is a reference of the host".to_owned()),
        })
    }
}

fn null_type(ty: AbstractHeapType) -> Result<HeapType, String> {
    match ty {
        AbstractHeapType::Func => Ok(HeapType::FUNC),
        AbstractHeapType::Extern => Ok(HeapType::EXTERN),
        _ => Err(format!("an argument is a null reference of {ty:?}")),
    }
}

/// What a result must be.
#[derive(Debug)]
pub(super) enum Pattern {
    /// Its bits under `mask` are `bits`; numbers and vectors alike, in their low bits.
    Bits {
        mask: u128,
        bits: u128,
    },
    /// A null reference.
    Null,
    /// A reference that is not null.
    NotNull,
    Either(Vec<Self>),
}

impl Pattern {
    /// Pushes whether the local variable of that index and type matches.
    pub(super) fn push_match(&self, code: &mut InstructionSink<'_>, local: u32, ty: ValType) {
        match self {
            Self::Bits { mask, bits } => push_bits_match(code, local, ty, *mask, *bits),
            Self::Null => {
                code.local_get(local).ref_is_null();
            }
            Self::NotNull => {
                code.local_get(local).ref_is_null().i32_eqz();
            }
            Self::Either(patterns) => {
                code.i32_const(0);
                for pattern in patterns {
                    pattern.push_match(code, local, ty);
                    code.i32_or();
                }
            }
        }
    }
}

fn push_bits_match(
    code: &mut InstructionSink<'_>,
    local: u32,
    ty: ValType,
    mask: u128,
    bits: u128,
) {
    code.local_get(local);
    match ty {
        ValType::F32 => code.i32_reinterpret_f32(),
        ValType::F64 => code.i64_reinterpret_f64(),
        // By extracting lanes, so that no vector operator is trusted to compare.
        ValType::V128 => code.i64x2_extract_lane(0),
        _ => code,
    };
    if matches!(ty, ValType::I32 | ValType::F32) {
        code.i32_const(mask as i32).i32_and().i32_const(bits as i32).i32_eq();
        return;
    }
    code.i64_const(mask as i64).i64_and().i64_const(bits as i64).i64_eq();
    if ty == ValType::V128 {
        code.local_get(local).i64x2_extract_lane(1);
        code.i64_const((mask >> 64) as i64).i64_and().i64_const((bits >> 64) as i64).i64_eq();
        code.i32_and();
    }
}

impl TryFrom<&WastRetCore<'_>> for Pattern {
    type Error = String;

    fn try_from(result: &WastRetCore<'_>) -> Result<Self, String> {
        let exactly = |bits: u128| Self::Bits { mask: u128::MAX, bits };
        let lane = |(mask, bits)| Self::Bits { mask, bits };
        Ok(match result {
            WastRetCore::I32(value) => exactly((*value as u32).into()),
            WastRetCore::I64(value) => exactly((*value as u64).into()),
            WastRetCore::F32(pattern) => lane(float32(pattern)),
            WastRetCore::F64(pattern) => lane(float64(pattern)),
            WastRetCore::V128(pattern) => lane(vector(pattern)),
            WastRetCore::RefNull(_) => Self::Null,
            WastRetCore::RefFunc(None) | WastRetCore::RefExtern(None) | WastRetCore::RefAny => {
                Self::NotNull
            }
            WastRetCore::Either(results) => {
                Self::Either(results.iter().map(Self::try_from).collect::<Result<_, _>>()?)
            }
            _ => return Err("a result is a certain reference".to_owned()),
        })
    }
}

/// Mask and bits of a lane. A canonical NaN has only the highest bit of its fraction set, an
/// arithmetic one at least that; the sign is free.
fn float32(pattern: &NanPattern<F32>) -> (u128, u128) {
    match pattern {
        NanPattern::Value(value) => (u32::MAX.into(), value.bits.into()),
        NanPattern::CanonicalNan => (0x7fff_ffff, 0x7fc0_0000),
        NanPattern::ArithmeticNan => (0x7fc0_0000, 0x7fc0_0000),
    }
}

fn float64(pattern: &NanPattern<F64>) -> (u128, u128) {
    match pattern {
        NanPattern::Value(value) => (u64::MAX.into(), value.bits.into()),
        NanPattern::CanonicalNan => (0x7fff_ffff_ffff_ffff, 0x7ff8_0000_0000_0000),
        NanPattern::ArithmeticNan => (0x7ff8_0000_0000_0000, 0x7ff8_0000_0000_0000),
    }
}

fn vector(pattern: &V128Pattern) -> (u128, u128) {
    match pattern {
        V128Pattern::I8x16(lanes) => exact_lanes(lanes.map(|lane| (lane as u8).into()), 8),
        V128Pattern::I16x8(lanes) => exact_lanes(lanes.map(|lane| (lane as u16).into()), 16),
        V128Pattern::I32x4(lanes) => exact_lanes(lanes.map(|lane| (lane as u32).into()), 32),
        V128Pattern::I64x2(lanes) => exact_lanes(lanes.map(|lane| (lane as u64).into()), 64),
        V128Pattern::F32x4(lanes) => join(lanes.iter().map(float32), 32),
        V128Pattern::F64x2(lanes) => join(lanes.iter().map(float64), 64),
    }
}

fn exact_lanes<const N: usize>(lanes: [u128; N], width: usize) -> (u128, u128) {
    let (_, bits) = join(lanes.into_iter().map(|lane| (0, lane)), width);
    (u128::MAX, bits)
}

/// Joins masks and bits of lanes, the lowest lane first.
fn join(lanes: impl Iterator<Item = (u128, u128)>, width: usize) -> (u128, u128) {
    lanes.enumerate().fold((0, 0), |(masks, all), (position, (mask, bits))| {
        (masks | mask << (position * width), all | bits << (position * width))
    })
}
