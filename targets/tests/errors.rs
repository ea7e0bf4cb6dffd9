//! What cannot be linked is refused with an error that names it.

mod support;

use kiln_targets::link::link_with_runtime;
use kiln_targets::target::{self, DARWIN_AMD64, LINUX_AMD64, LINUX_ARM64, WINDOWS_AMD64};
use kiln_targets::{Fixup, Input, LinkError, Target};
use object::write::Relocation;
use object::{RelocationFlags, SectionKind, elf};
use support::{Builder, EMPTY_ARCHIVE, entry, sample};

fn link(target: &Target, objects: &[(&str, Vec<u8>)]) -> Result<Vec<u8>, LinkError> {
    let objects: Vec<(&str, &[u8])> =
        objects.iter().map(|(name, data)| (*name, data.as_slice())).collect();
    let input = Input {
        objects: &objects,
        manifest: "kiln-policy 1\n",
        embedded: &[],
        stack_size: 1,
        identifier: "test",
        resources: &[],
        library: None,
    };
    link_with_runtime(target, &input, EMPTY_ARCHIVE)
}

/// An object whose entry point is a word that `fix` may relocate.
fn object(
    target: &'static Target,
    fix: impl FnOnce(&mut Builder, object::write::SectionId),
) -> Vec<u8> {
    let mut builder = Builder::new(target);
    let text = builder.section("sample_text", SectionKind::Text, &[0; 8], 8);
    builder.define(entry(target), text, 0);
    fix(&mut builder, text);
    builder.write()
}

#[test]
fn an_entry_point_alone_links_for_every_target() {
    for target in target::ALL {
        link(target, &[("app.o", object(target, |_, _| {}))]).unwrap();
    }
}

#[test]
fn undefined_symbols_are_named_with_who_refers_to_them() {
    for target in target::ALL {
        let app = object(target, |builder, text| {
            for (offset, name) in [(0, "missing"), (0, "other")] {
                let symbol = builder.refer(name);
                builder.fix(text, offset, Fixup::Absolute64, symbol, 0);
            }
        });
        let error = link(target, &[("app.o", app)]).unwrap_err().to_string();
        assert!(error.contains("missing (referred to by app.o)"), "{target}: {error}");
        assert!(error.contains("other (referred to by app.o)"), "{target}: {error}");
    }
    let error = link(&LINUX_AMD64, &[]).unwrap_err().to_string();
    assert_eq!(error, "undefined symbols: _start (referred to by the linker)");
}

#[test]
fn two_definitions_of_a_name_are_an_error() {
    for target in target::ALL {
        let app = object(target, |_, _| {});
        let error = link(target, &[("a.o", app.clone()), ("b.o", app)]).unwrap_err();
        let LinkError::Duplicate { symbol, first, second } = error else { panic!("{error}") };
        assert!(symbol.contains(entry(target)));
        assert_eq!((&*first, &*second), ("a.o", "b.o"));
    }
}

#[test]
fn an_object_for_another_target_is_refused() {
    let app = object(&LINUX_ARM64, |_, _| {});
    for target in target::ALL.into_iter().filter(|&target| target != &LINUX_ARM64) {
        let error = link(target, &[("app.o", app.clone())]).unwrap_err();
        assert!(matches!(error, LinkError::WrongMachine { .. }), "{target}: {error}");
    }
    let error = link(&LINUX_AMD64, &[("app.o", b"\0asm".to_vec())]).unwrap_err();
    assert!(matches!(error, LinkError::Malformed { .. }), "{error}");
}

#[test]
fn an_unknown_relocation_is_an_error() {
    let app = object(&LINUX_AMD64, |builder, text| {
        let symbol = builder.refer("variable");
        let flags = RelocationFlags::Elf { r_type: elf::R_X86_64_TLSGD };
        let relocation = Relocation { offset: 0, symbol, addend: 0, flags };
        builder.object.add_relocation(text, relocation).unwrap();
    });
    let error = link(&LINUX_AMD64, &[("app.o", app)]).unwrap_err().to_string();
    let wanted = "app.o has the unknown relocation ELF type 19 in section sample_text";
    assert_eq!(error, wanted);
}

#[test]
fn what_a_field_cannot_hold_is_an_error() {
    // The image lies above 4 GiB everywhere.
    for target in [&LINUX_AMD64, &LINUX_ARM64, &WINDOWS_AMD64] {
        let app = object(target, |builder, text| {
            let symbol = builder.refer(entry(target));
            builder.fix(text, 0, Fixup::Absolute32, symbol, 0);
        });
        // The reference and the definition are one symbol in the object's table.
        let error = link(target, &[("app.o", app)]).unwrap_err();
        assert!(matches!(error, LinkError::OutOfRange { .. }), "{target}: {error}");
    }
}

#[test]
fn a_fixup_at_no_instruction_is_an_error() {
    let app = object(&LINUX_ARM64, |builder, text| {
        let symbol = builder.refer("_start");
        builder.fix(text, 0, Fixup::Page21, symbol, 0);
    });
    let error = link(&LINUX_ARM64, &[("app.o", app)]).unwrap_err();
    assert!(matches!(error, LinkError::Misplaced { .. }), "{error}");
}

#[test]
fn constructors_and_thread_locals_are_refused() {
    let app = object(&LINUX_AMD64, |builder, text| {
        let local = builder.section(".tdata", SectionKind::Tls, &[0; 8], 8);
        let symbol = builder.define("local", local, 0);
        builder.fix(text, 0, Fixup::Absolute64, symbol, 0);
    });
    let error = link(&LINUX_AMD64, &[("app.o", app)]).unwrap_err().to_string();
    assert_eq!(error, "app.o has a thread-local variable, which is not supported");
    let app = object(&WINDOWS_AMD64, |builder, _| {
        builder.section(".CRT$XCU", SectionKind::ReadOnlyData, &[0; 8], 8);
    });
    let error = link(&WINDOWS_AMD64, &[("app.o", app)]).unwrap_err().to_string();
    assert_eq!(error, "app.o has a table of constructors, which is not supported");
}

#[test]
fn a_memory_image_must_be_whole_pages() {
    let place = |name: &str, size| {
        let app = object(&LINUX_AMD64, |builder, _| {
            builder.section(name, SectionKind::Data, &vec![1; size], 4096);
        });
        link(&LINUX_AMD64, &[("app.o", app)])
    };
    place(".kiln.at.0000000000200000", 4096).unwrap();
    for (name, size) in [
        (".kiln.at.0000000000200000", 100),
        (".kiln.at.0000000000200800", 4096),
        (".kiln.at.200000", 4096),
        // Where the image itself is.
        (".kiln.at.0000000400000000", 4096),
    ] {
        let error = place(name, size).unwrap_err();
        assert!(matches!(error, LinkError::Placement { .. }), "{name}: {error}");
    }
}

#[test]
fn a_memory_that_begins_in_an_image_has_room_there() {
    let place = |offsets: &[u64]| {
        let app = object(&WINDOWS_AMD64, |builder, _| {
            for offset in offsets {
                let name = format!(".kiln.at.{offset:016x}");
                builder.section(&name, SectionKind::Data, &[1; 0x2000], 4096);
            }
        });
        link(&WINDOWS_AMD64, &[("app.o", app)])
    };
    place(&[0x1000, 0x3000]).unwrap();
    for offsets in [&[0x1000, 0x2000][..], &[0x7fff_f000], &[0xffff_ffff_ffff_d000]] {
        let error = place(offsets).unwrap_err();
        assert!(matches!(error, LinkError::Placement { .. }), "{offsets:x?}: {error}");
    }
}

#[test]
fn an_address_in_code_that_cannot_move_is_refused() {
    let app = object(&DARWIN_AMD64, |builder, text| {
        let symbol = builder.refer("write");
        builder.fix(text, 0, Fixup::Absolute64, symbol, 0);
    });
    let error = link(&DARWIN_AMD64, &[("app.o", app)]).unwrap_err().to_string();
    assert_eq!(error, "app.o has an absolute address in code, which is not supported");
}

#[test]
fn a_misspelt_import_is_undefined() {
    let app = object(&DARWIN_AMD64, |builder, text| {
        let symbol = builder.refer("wirte");
        builder.fix(text, 0, Fixup::Branch32, symbol, -4);
    });
    let error = link(&DARWIN_AMD64, &[("app.o", app)]).unwrap_err().to_string();
    assert_eq!(error, "undefined symbols: _wirte (referred to by app.o)");
}

/// A panic would fail the test; what is linked or refused does not matter here.
#[test]
fn damaged_objects_do_no_harm() {
    for target in target::ALL {
        let whole = sample(target);
        for position in 0..whole.len() {
            let _ = link(target, &[("cut.o", whole[..position].to_vec())]);
            let mut damaged = whole.clone();
            damaged[position] ^= 0xff;
            let _ = link(target, &[("damaged.o", damaged)]);
        }
    }
}
