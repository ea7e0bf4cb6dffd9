//! Which definition of a name counts, what is drawn from the archive, and what is dropped.

mod support;

use kiln_abi::part;
use kiln_abi::program::POLICY_HEADER;
use kiln_abi::symbol::PARTS;
use kiln_targets::link::link_with_runtime;
use kiln_targets::target::{self, DARWIN_AMD64, LINUX_AMD64, WINDOWS_AMD64};
use kiln_targets::{Fixup, Input, LinkError, ObjectFormat, Target};
use object::read::{File, Object as _, ObjectSection as _};
use object::write::{Comdat, Relocation, SectionId};
use object::{ComdatKind, RelocationFlags, SectionKind};
use support::{Builder, EMPTY_ARCHIVE, entry, input};

fn link(
    target: &Target,
    objects: &[(&str, Vec<u8>)],
    archive: &[u8],
) -> Result<Vec<u8>, LinkError> {
    let objects: Vec<(&str, &[u8])> =
        objects.iter().map(|(name, data)| (*name, data.as_slice())).collect();
    link_with_runtime(target, &input(&objects), archive)
}

/// An object whose entry point is a pointer to `value`.
fn root(target: &'static Target) -> Vec<u8> {
    let mut builder = Builder::new(target);
    let data = builder.section("root", SectionKind::Data, &[0; 8], 8);
    builder.define(entry(target), data, 0);
    let value = builder.refer("value");
    builder.fix(data, 0, Fixup::Absolute64, value, 0);
    builder.write()
}

/// An object that defines `value` as so many bytes, all the same.
fn definition(target: &'static Target, byte: u8, weak: bool) -> Vec<u8> {
    let mut builder = Builder::new(target);
    let data = builder.section("definition", SectionKind::Data, &[byte; 8], 8);
    let symbol = builder.define("value", data, 0);
    builder.object.symbol_mut(symbol).weak = weak;
    builder.write()
}

/// The variables of an image.
fn variables(image: &[u8]) -> (u64, Vec<u8>) {
    let file = File::parse(image).unwrap();
    let section = file
        .sections()
        .find(|section| [".data", "__data"].contains(&section.name().unwrap()))
        .unwrap();
    (section.address(), section.data().unwrap().to_vec())
}

/// The bytes that the image's first variable points to.
fn pointee(image: &[u8]) -> Vec<u8> {
    let (address, data) = variables(image);
    let pointer = u64::from_le_bytes(data[..8].try_into().unwrap());
    data[(pointer - address) as usize..][..8].to_vec()
}

/// An archive of objects, in the common format.
fn archive(members: &[Vec<u8>]) -> Vec<u8> {
    let mut out = EMPTY_ARCHIVE.to_vec();
    for (index, member) in members.iter().enumerate() {
        let name = format!("m{index}.o/");
        let size = member.len();
        out.extend(format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, 0, 644).bytes());
        out.extend_from_slice(member);
        if size % 2 == 1 {
            out.push(b'\n');
        }
    }
    out
}

#[test]
fn a_strong_definition_wins_over_a_weak_one() {
    for target in target::ALL.into_iter().filter(|t| t.format != ObjectFormat::Coff) {
        let (weak, strong) = (definition(target, 1, true), definition(target, 2, false));
        for order in [[weak.clone(), strong.clone()], [strong, weak]] {
            let [first, second] = order;
            let objects = [("root.o", root(target)), ("a.o", first), ("b.o", second)];
            assert_eq!(pointee(&link(target, &objects, EMPTY_ARCHIVE).unwrap()), [2; 8]);
        }
        let objects = [
            ("root.o", root(target)),
            ("a.o", definition(target, 3, true)),
            ("b.o", definition(target, 4, true)),
        ];
        assert_eq!(pointee(&link(target, &objects, EMPTY_ARCHIVE).unwrap()), [3; 8], "{target}");
    }
}

#[test]
fn members_come_in_when_they_are_needed_and_only_then() {
    for target in target::ALL {
        let mut chain = Builder::new(target);
        let data = chain.section("chain", SectionKind::Data, &[0; 8], 8);
        chain.define("value", data, 0);
        let next = chain.refer("next");
        chain.fix(data, 0, Fixup::Absolute64, next, 0);
        let mut end = Builder::new(target);
        let data = end.section("end", SectionKind::Data, &[7; 8], 8);
        end.define("next", data, 0);
        // The last member would be a second definition, and refers to nothing that exists.
        let mut unused = Builder::new(target);
        let data = unused.section("unused", SectionKind::Data, &[0; 8], 8);
        unused.define("value", data, 0);
        let missing = unused.refer("missing");
        unused.fix(data, 0, Fixup::Absolute64, missing, 0);
        let library = archive(&[end.write(), chain.write(), unused.write()]);
        let image = link(target, &[("root.o", root(target))], &library).unwrap();
        let (_, data) = variables(&image);
        assert_eq!(data[data.len() - 8..], [7; 8], "{target}");
        assert_eq!(data.len(), 24, "{target}");
    }
}

#[test]
fn what_the_manifest_asks_for_is_what_is_linked() {
    for target in target::ALL {
        // A runtime of nothing but the record's users.
        let mut root = Builder::new(target);
        let data = root.section("root", SectionKind::Data, &[0; 8], 8);
        root.define(entry(target), data, 0);
        let record = root.refer(PARTS);
        root.fix(data, 0, Fixup::Absolute64, record, 0);
        let root = root.write();
        let parts = part::ALL.iter().map(|part| {
            let mut builder = Builder::new(target);
            let data = builder.section("part", SectionKind::Data, part.symbol.as_bytes(), 8);
            builder.define(part.symbol, data, 0);
            builder.write()
        });
        let library = archive(&parts.collect::<Vec<_>>());
        for asking in part::ALL {
            let manifest = format!("{POLICY_HEADER}\n{}\tx\n", asking.grants[0]);
            let objects = &[("root.o", &*root)];
            let input = Input { manifest: &manifest, ..input(objects) };
            let image = link_with_runtime(target, &input, &library).unwrap();
            let (_, data) = variables(&image);
            for part in part::ALL {
                let name = part.symbol.as_bytes();
                let linked = data.windows(name.len()).any(|window| window == name);
                assert_eq!(linked, part.grants == asking.grants, "{target} {part:?} {manifest}");
            }
        }
    }
}

#[test]
fn common_symbols_share_the_largest_place() {
    for target in target::ALL {
        let common = |size| {
            let mut builder = Builder::new(target);
            builder.define_common("value", size);
            builder.write()
        };
        let objects = [("root.o", root(target)), ("a.o", common(8)), ("b.o", common(64))];
        let image = link(target, &objects, EMPTY_ARCHIVE).unwrap();
        let (address, data) = variables(&image);
        let pointer = u64::from_le_bytes(data[..8].try_into().unwrap());
        assert!(pointer >= address + 8, "{target}: behind what has bytes");
        let objects =
            [("root.o", root(target)), ("a.o", common(8)), ("b.o", definition(target, 5, false))];
        assert_eq!(pointee(&link(target, &objects, EMPTY_ARCHIVE).unwrap()), [5; 8], "{target}");
    }
}

#[test]
fn of_copies_the_first_is_kept() {
    for target in [&LINUX_AMD64, &WINDOWS_AMD64] {
        let copy = |byte: u8, kind: ComdatKind| {
            let mut builder = Builder::new(target);
            let data = builder.section("copy", SectionKind::Data, &[byte; 8], 8);
            // The section's own symbol says in COFF that it is one of several copies.
            builder.object.section_symbol(data);
            let symbol = builder.define("value", data, 0);
            builder.object.add_comdat(Comdat { kind, symbol, sections: vec![data] });
            builder.write()
        };
        let any = |byte| copy(byte, ComdatKind::Any);
        let objects = [("root.o", root(target)), ("a.o", any(1)), ("b.o", any(2))];
        let image = link(target, &objects, EMPTY_ARCHIVE).unwrap();
        assert_eq!(pointee(&image), [1; 8], "{target}");
        assert_eq!(variables(&image).1.len(), 16, "{target}");
    }
}

#[test]
fn what_nothing_reaches_is_dropped() {
    for target in target::ALL {
        let mut builder = Builder::new(target);
        let live = builder.section("live", SectionKind::Data, &[1; 8], 8);
        builder.define("value", live, 0);
        let dead: SectionId = builder.section("dead", SectionKind::Data, &[2; 64], 8);
        builder.define("other", dead, 0);
        let objects = [("root.o", root(target)), ("a.o", builder.write())];
        let image = link(target, &objects, EMPTY_ARCHIVE).unwrap();
        assert_eq!(variables(&image).1.len(), 16, "{target}");
    }
}

#[test]
fn divisible_macho_sections_are_cut_at_symbols() {
    for target in target::ALL.into_iter().filter(|t| t.format == ObjectFormat::MachO) {
        let object = |divisible: bool| {
            let mut builder = Builder::new(target);
            if divisible {
                builder.object.set_subsections_via_symbols();
            }
            let bytes = [[1; 8], [2; 8], [3; 8]].concat();
            let data = builder.section("pieces", SectionKind::Data, &bytes, 8);
            builder.define("dead", data, 0);
            builder.define("value", data, 8);
            builder.define("also_dead", data, 16);
            builder.write()
        };
        for (divisible, size) in [(true, 16), (false, 32)] {
            let objects = [("root.o", root(target)), ("a.o", object(divisible))];
            let image = link(target, &objects, EMPTY_ARCHIVE).unwrap();
            assert_eq!(pointee(&image), [2; 8], "{target}");
            assert_eq!(variables(&image).1.len(), size, "{target}");
        }
    }
}

/// `movb $1, value(%rip)`: the distance counts from the end of the instruction, one byte behind
/// the field's own end. Compilers for Mach-O say so in the field as well as in the type.
#[test]
fn a_field_before_an_operand_leads_to_its_symbol() {
    let mut builder = Builder::new(&DARWIN_AMD64);
    let code = [0xc6, 0x05, 0, 0, 0, 0, 1, 0xcc];
    let data = builder.section("root", SectionKind::Data, &code, 8);
    builder.define(entry(&DARWIN_AMD64), data, 0);
    let value = builder.refer("value");
    let flags = RelocationFlags::MachO {
        r_type: object::macho::X86_64_RELOC_SIGNED_1,
        r_pcrel: true,
        r_length: 2,
    };
    // The writer puts an addend of -5 into the field as 0.
    let relocation = Relocation { offset: 2, symbol: value, addend: -6, flags };
    builder.object.add_relocation(data, relocation).unwrap();
    let objects = [("root", builder.write()), ("definition", definition(&DARWIN_AMD64, 9, false))];
    let image = link(&DARWIN_AMD64, &objects, EMPTY_ARCHIVE).unwrap();

    let (_, data) = variables(&image);
    let at = |bytes: &[u8]| data.windows(bytes.len()).position(|found| found == bytes).unwrap();
    let (start, value) = (at(&[0xc6, 0x05]), at(&[9; 8]));
    let field = i32::from_le_bytes(data[start + 2..start + 6].try_into().unwrap());
    assert_eq!(start as i64 + 7 + i64::from(field), value as i64);
}
