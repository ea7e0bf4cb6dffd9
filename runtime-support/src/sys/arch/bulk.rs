//! `memcpy`, `memmove`, `memset`, `memcmp`, `bcmp` and `strlen`, as the C standard describes them.
//!
//! Sizes up to 128 bytes take no loop: a few loads that overlap in the middle, then as many
//! stores. Larger ones go by 64 bytes; on x86-64, long ones by the string instructions, which move
//! whole cache lines. All loads of a step come before its stores, so that one copy serves
//! overlapping memory too.

use core::arch::asm;

/// What one instruction loads or stores.
#[cfg(target_arch = "x86_64")]
type Vector = core::arch::x86_64::__m128i;
#[cfg(target_arch = "aarch64")]
type Vector = core::arch::aarch64::uint8x16_t;

/// Bytes of a step of the loops.
const STEP: usize = 4 * size_of::<Vector>();

/// Length from which on x86-64's string instructions are faster than the loops.
#[cfg(target_arch = "x86_64")]
const LONG: usize = 2048;

/// Copies `count` bytes between places that do not overlap.
///
/// # Safety
/// As in C.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    // SAFETY: as the caller says; moving is right for places that do not overlap, too.
    unsafe {
        if count <= 2 * STEP { move_short(to, from, count) } else { move_up(to, from, count) }
    }
    to
}

/// Copies `count` bytes between places that may overlap.
///
/// # Safety
/// As in C.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
    // SAFETY: as the caller says; where the end of the source would be overwritten before it is
    // read, the copy goes downwards.
    unsafe {
        if count <= 2 * STEP {
            move_short(to, from, count);
        } else if (to as usize).wrapping_sub(from as usize) >= count {
            move_up(to, from, count);
        } else {
            move_down(to, from, count);
        }
    }
    to
}

/// Loads a value and later stores it elsewhere, both at any alignment.
macro_rules! load {
    ($type:ty, $pointer:expr) => {
        $pointer.cast::<$type>().read_unaligned()
    };
}
macro_rules! store {
    ($type:ty, $pointer:expr, $value:expr) => {
        $pointer.cast::<$type>().write_unaligned($value)
    };
}

/// Moves by two loads of a type: from the start and to the end.
macro_rules! move_ends {
    ($type:ty, $to:expr, $from:expr, $count:expr) => {{
        let last = $count - size_of::<$type>();
        let (head, tail) = (load!($type, $from), load!($type, $from.add(last)));
        store!($type, $to, head);
        store!($type, $to.add(last), tail);
    }};
}

/// Moves at most `2 * STEP` bytes.
#[inline(always)]
unsafe fn move_short(to: *mut u8, from: *const u8, count: usize) {
    // SAFETY: every access lies inside `count` bytes, as the branch that it stands in says.
    unsafe {
        match count {
            0 => {}
            1 => *to = *from,
            2..=3 => move_ends!(u16, to, from, count),
            4..=7 => move_ends!(u32, to, from, count),
            8..=16 => move_ends!(u64, to, from, count),
            17..=32 => move_ends!(Vector, to, from, count),
            33..=64 => move_ends!([Vector; 2], to, from, count),
            _ => move_ends!([Vector; 4], to, from, count),
        }
    }
}

/// Keeps the compiler from seeing in a loop the very function that it is part of.
#[inline(always)]
fn opaque() {
    // SAFETY: no instruction at all.
    unsafe { asm!("", options(nostack, preserves_flags)) };
}

/// Moves more than `STEP` bytes, lower addresses first.
unsafe fn move_up(to: *mut u8, from: *const u8, count: usize) {
    #[cfg(target_arch = "x86_64")]
    if count >= LONG && (from as usize).wrapping_sub(to as usize) >= count {
        // SAFETY: the places do not overlap; the direction flag is clear, as the ABI says.
        unsafe {
            asm!("rep movsb", inout("rcx") count => _, inout("rdi") to => _,
                inout("rsi") from => _, options(nostack, preserves_flags));
        }
        return;
    }
    // SAFETY: every access lies inside `count` bytes; a step's loads lie above all former stores,
    // but for the last one, which is loaded first.
    unsafe {
        let last = count - STEP;
        let tail = load!([Vector; 4], from.add(last));
        let mut at = 0;
        while at < last {
            opaque();
            let step = load!([Vector; 4], from.add(at));
            store!([Vector; 4], to.add(at), step);
            at += STEP;
        }
        store!([Vector; 4], to.add(last), tail);
    }
}

/// Moves more than `STEP` bytes, higher addresses first.
unsafe fn move_down(to: *mut u8, from: *const u8, count: usize) {
    // SAFETY: as in `move_up`, the other way round.
    unsafe {
        let head = load!([Vector; 4], from);
        let mut at = count;
        while at > STEP {
            opaque();
            at -= STEP;
            let step = load!([Vector; 4], from.add(at));
            store!([Vector; 4], to.add(at), step);
        }
        store!([Vector; 4], to, head);
    }
}

/// Sets `count` bytes to the low 8 bits of `byte`.
///
/// # Safety
/// As in C.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn memset(to: *mut u8, byte: i32, count: usize) -> *mut u8 {
    /// Stores a value at the start and at the end.
    macro_rules! set_ends {
        ($type:ty, $value:expr) => {{
            let value = $value;
            store!($type, to, value);
            store!($type, to.add(count - size_of::<$type>()), value);
        }};
    }
    let byte = byte as u8;
    let word = u64::from(byte) * 0x0101_0101_0101_0101;
    // SAFETY: any bytes are a vector; every access lies inside `count` bytes, as its branch says.
    unsafe {
        let vector: Vector = core::mem::transmute([byte; 16]);
        match count {
            0 => {}
            1 => *to = byte,
            2..=3 => set_ends!(u16, word as u16),
            4..=7 => set_ends!(u32, word as u32),
            8..=16 => set_ends!(u64, word),
            17..=32 => set_ends!(Vector, vector),
            33..=64 => set_ends!([Vector; 2], [vector; 2]),
            65..=128 => set_ends!([Vector; 4], [vector; 4]),
            _ => set_long(to, byte, vector, count),
        }
    }
    to
}

/// Sets more than `STEP` bytes.
unsafe fn set_long(to: *mut u8, byte: u8, vector: Vector, count: usize) {
    #[cfg(target_arch = "x86_64")]
    if count >= LONG {
        // SAFETY: as the caller says; the direction flag is clear, as the ABI says.
        unsafe {
            asm!("rep stosb", inout("rcx") count => _, inout("rdi") to => _, in("al") byte,
                options(nostack, preserves_flags));
        }
        return;
    }
    let _ = byte;
    // SAFETY: every access lies inside `count` bytes.
    unsafe {
        let last = count - STEP;
        let mut at = 0;
        while at < last {
            opaque();
            store!([Vector; 4], to.add(at), [vector; 4]);
            at += STEP;
        }
        store!([Vector; 4], to.add(last), [vector; 4]);
    }
}

/// Compares bytes as unsigned numbers: negative, zero or positive.
///
/// # Safety
/// As in C.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, count: usize) -> i32 {
    let mut at = 0;
    // SAFETY: every access lies inside `count` bytes.
    unsafe {
        while at + 8 <= count {
            opaque();
            // The first byte in memory weighs most.
            let left = load!(u64, left.add(at)).swap_bytes();
            let right = load!(u64, right.add(at)).swap_bytes();
            if left != right {
                return if left < right { -1 } else { 1 };
            }
            at += 8;
        }
        while at < count {
            opaque();
            let difference = i32::from(*left.add(at)) - i32::from(*right.add(at));
            if difference != 0 {
                return difference;
            }
            at += 1;
        }
    }
    0
}

/// Compares bytes: zero if all are equal.
///
/// # Safety
/// As in C.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn bcmp(left: *const u8, right: *const u8, count: usize) -> i32 {
    // SAFETY: as the caller says.
    unsafe { memcmp(left, right, count) }
}

/// Bytes before the NUL that ends a text.
///
/// # Safety
/// As in C.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn strlen(text: *const u8) -> usize {
    let mut length = 0;
    // SAFETY: no byte after the NUL is read.
    while unsafe { *text.add(length) } != 0 {
        opaque();
        length += 1;
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sizes on both sides of every branch, and the longest that is tried.
    fn sizes() -> impl Iterator<Item = usize> {
        (0..300).chain([LONG_TRIAL - 1, LONG_TRIAL, LONG_TRIAL + 77])
    }
    const LONG_TRIAL: usize = 2048;

    fn pattern(length: usize) -> Vec<u8> {
        (0..length).map(|index| (index * 7 + index / 251) as u8).collect()
    }

    #[test]
    fn moves_whatever_the_overlap() {
        for size in sizes() {
            for (from, to) in [(0, size), (0, 1), (1, 0), (0, 0), (3, 66), (66, 3), (0, 130)] {
                let mut bytes = pattern(2 * size + 200);
                let mut wanted = bytes.clone();
                wanted.copy_within(from..from + size, to);
                let start = bytes.as_mut_ptr();
                // SAFETY: both ranges lie inside the vector.
                unsafe { memmove(start.add(to), start.add(from), size) };
                assert!(bytes == wanted, "{size} bytes from {from} to {to}");
            }
        }
    }

    #[test]
    fn copies_and_sets_exactly_the_range() {
        for size in sizes() {
            let source = pattern(size);
            let mut bytes = vec![0xee; size + 2];
            // SAFETY: the range lies inside the vector.
            unsafe { memcpy(bytes.as_mut_ptr().add(1), source.as_ptr(), size) };
            assert!(bytes[1..=size] == source && bytes[0] == 0xee && bytes[size + 1] == 0xee);
            // SAFETY: the range lies inside the vector.
            unsafe { memset(bytes.as_mut_ptr().add(1), 0x1a5, size) };
            assert!(bytes[1..=size].iter().all(|&byte| byte == 0xa5), "{size} bytes");
            assert!(bytes[0] == 0xee && bytes[size + 1] == 0xee, "{size} bytes");
        }
    }

    #[test]
    fn compares_bytes_as_unsigned() {
        for size in 1..40 {
            for differing in 0..size {
                let (left, mut right) = (vec![1; size], vec![1; size]);
                // What comes after the first difference does not count.
                right[differing..].fill(0);
                right[differing] = 0xff;
                let compare = |left: &[u8], right: &[u8]| {
                    // SAFETY: both have that size.
                    unsafe { memcmp(left.as_ptr(), right.as_ptr(), size) }
                };
                assert!(compare(&left, &right) < 0 && compare(&right, &left) > 0);
                assert_eq!(compare(&left, &left), 0);
            }
        }
        // SAFETY: the text ends in NUL.
        assert_eq!(unsafe { strlen(c"kiln".as_ptr().cast()) }, 4);
    }
}
