//! Calls that are too far for arm64's branch instruction go by way of thunks.

mod support;

use kiln_targets::link::link_with_runtime;
use kiln_targets::target::{DARWIN_ARM64, LINUX_ARM64, WINDOWS_ARM64};
use kiln_targets::{Fixup, Target};
use object::SectionKind;
use object::read::{File, Object as _, ObjectSection as _};
use support::{Builder, EMPTY_ARCHIVE, entry, input};

const MIB: usize = 1 << 20;
const SECTION: usize = 60 * MIB;
const BL: [u8; 4] = 0x9400_0000u32.to_le_bytes();

/// Three sections of code. The first calls the end of the last, the last the start of the first,
/// both call their neighbours.
fn large_object(target: &'static Target) -> Vec<u8> {
    let mut builder = Builder::new(target);
    let mut code = vec![0; SECTION];
    code[..4].copy_from_slice(&BL);
    code[4..8].copy_from_slice(&BL);
    let sections: Vec<_> = ["text_a", "text_b", "text_c"]
        .into_iter()
        .map(|name| builder.section(name, SectionKind::Text, &code, 16))
        .collect();
    let first = builder.define(entry(target), sections[0], 0);
    let middle = builder.define("middle", sections[1], 0);
    let last = builder.define("last", sections[2], SECTION as u64 - 4);
    for (section, targets) in
        sections.into_iter().zip([[last, middle], [first, last], [first, middle]])
    {
        for (offset, symbol) in [0, 4].into_iter().zip(targets) {
            builder.fix(section, offset, Fixup::Branch26, symbol, 0);
        }
    }
    builder.write()
}

fn word(code: &[u8], base: u64, address: u64) -> u32 {
    let offset = (address - base) as usize;
    u32::from_le_bytes(code[offset..offset + 4].try_into().unwrap())
}

/// The first `bl` from `address` on.
fn find_call(code: &[u8], base: u64, address: u64) -> u64 {
    (address..).step_by(4).find(|&at| word(code, base, at) >> 26 == 0x25).unwrap()
}

/// Follows the `bl` at `address`, and the thunk it leads to if there is one.
fn follow(code: &[u8], base: u64, address: u64) -> u64 {
    let word = |address| word(code, base, address);
    let branch = word(address);
    assert_eq!(branch >> 26, 0x25, "a bl at {address:#x}");
    let target = address.wrapping_add_signed(i64::from((branch << 6) as i32 >> 6) * 4);
    let adrp = word(target);
    if adrp & 0x9f00_001f != 0x9000_0010 {
        return target;
    }
    assert_eq!(word(target + 8), 0xd61f_0200, "br x16");
    let pages = (adrp >> 3 & 0x1f_fffc) | (adrp >> 29 & 3);
    let page = (target & !0xfff).wrapping_add_signed(i64::from((pages << 11) as i32 >> 11) << 12);
    page + u64::from(word(target + 4) >> 10 & 0xfff)
}

#[test]
fn far_calls_arrive() {
    for target in [&LINUX_ARM64, &DARWIN_ARM64, &WINDOWS_ARM64] {
        let object = large_object(target);
        let objects = [("large.o", &*object)];
        let image = link_with_runtime(target, &input(&objects), EMPTY_ARCHIVE).unwrap();
        let file = File::parse(&*image).unwrap();
        let text = file.sections().find(|section| section.kind() == SectionKind::Text).unwrap();
        let (base, code) = (text.address(), text.data().unwrap());
        // Islands stand behind sections, and the first section starts the code.
        let a = find_call(code, base, base);
        let b = find_call(code, base, a + SECTION as u64);
        let c = find_call(code, base, b + SECTION as u64);
        let last = c + SECTION as u64 - 4;
        assert_eq!(follow(code, base, a), last, "{target}");
        assert_eq!(follow(code, base, a + 4), b, "{target}");
        assert_eq!(follow(code, base, b), a, "{target}");
        assert_eq!(follow(code, base, b + 4), last, "{target}");
        assert_eq!(follow(code, base, c), a, "{target}");
        assert_eq!(follow(code, base, c + 4), b, "{target}");
        assert!(code.len() < 3 * SECTION + 256, "{target}: as few thunks as needed");
    }
}
