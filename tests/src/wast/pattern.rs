//! Arguments and expected results as instructions.

use wasm_encoder::{HeapType, InstructionSink};
use wasmparser::ValType;
use wast::core::{NanPattern, V128Pattern, WastArgCore, WastRetCore};
use wast::token::{F32, F64};

use super::driver::HostFunctions;
use super::module::Type;

/// Why a value cannot be expressed.
const GC: &str = "gc";

/// An argument.
#[derive(Debug, Clone)]
pub(super) enum Constant {
    I32(i32),
    I64(i64),
    F32(u32),
    F64(u64),
    V128(i128),
    Null,
    /// A reference of the host that stands for a number.
    Extern(u32),
}

impl Constant {
    /// Pushes the argument; `heap` is what its parameter refers to, if it is a reference.
    pub(super) fn push(
        &self,
        code: &mut InstructionSink<'_>,
        host: &HostFunctions,
        heap: HeapType,
    ) {
        match *self {
            Self::I32(value) => code.i32_const(value),
            Self::I64(value) => code.i64_const(value),
            Self::F32(bits) => code.f32_const(f32::from_bits(bits).into()),
            Self::F64(bits) => code.f64_const(f64::from_bits(bits).into()),
            Self::V128(value) => code.v128_const(value),
            Self::Null => code.ref_null(heap),
            Self::Extern(number) => code.i32_const(number.cast_signed()).call(host.extern_new),
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
            WastArgCore::RefNull(_) => Self::Null,
            WastArgCore::RefExtern(number) => Self::Extern(*number),
            WastArgCore::RefHost(_) => return Err(GC.to_owned()),
        })
    }
}

/// What a result must be.
#[derive(Debug, Clone)]
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
    /// A reference of the host that stands for a number.
    Extern(u32),
    Either(Vec<Self>),
}

impl Pattern {
    /// Pushes whether the local variable of that index and type matches.
    pub(super) fn push_match(
        &self,
        code: &mut InstructionSink<'_>,
        host: &HostFunctions,
        local: u32,
        ty: &Type,
    ) {
        match (self, ty) {
            (Self::Bits { mask, bits }, Type::Number(ty)) => {
                push_bits_match(code, local, *ty, *mask, *bits);
            }
            (Self::Extern(number), Type::Reference { .. }) => {
                code.local_get(local).call(host.extern_number);
                code.i32_const(number.cast_signed()).i32_eq();
            }
            (Self::Null, Type::Reference { .. }) => {
                code.local_get(local).ref_is_null();
            }
            (Self::NotNull, Type::Reference { .. }) => {
                code.local_get(local).ref_is_null().i32_eqz();
            }
            (Self::Either(patterns), _) => {
                code.i32_const(0);
                for pattern in patterns {
                    pattern.push_match(code, host, local, ty);
                    code.i32_or();
                }
            }
            // A result of another kind than the script says.
            _ => {
                code.i32_const(0);
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
            WastRetCore::RefFunc(None) | WastRetCore::RefExtern(None) => Self::NotNull,
            WastRetCore::RefExtern(Some(number)) => Self::Extern(*number),
            WastRetCore::Either(results) => {
                Self::Either(results.iter().map(Self::try_from).collect::<Result<_, _>>()?)
            }
            _ => return Err(GC.to_owned()),
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
