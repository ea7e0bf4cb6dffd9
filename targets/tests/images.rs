//! Executables of all targets, linked with the real runtime: what loaders demand of them, and what
//! another linker makes of the same inputs.

mod support;

use kiln_abi::embed::Embedded;
use kiln_abi::part::Parts;
use kiln_abi::symbol::{EMBED, PARTS, PLACED_SECTION_PREFIX, POLICY};
use kiln_targets::target::{self, LINUX_AMD64};
use kiln_targets::{Arch, Input, ObjectFormat, Target, link, runtime};
use object::coff::ImportFile;
use object::read::archive::ArchiveFile;
use object::read::elf::FileHeader as _;
use object::read::pe::PeFile64;
use object::read::{
    File, FileKind, Object as _, ObjectSection as _, ObjectSegment as _, ObjectSymbol as _,
};
use object::{LittleEndian as LE, SectionKind, elf, pe};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Builder, EXIT_CODE, entry, sample};

const MANIFEST: &str = "kiln-policy 1\nenv\tA=B\n";

fn link_sample(target: &'static Target) -> Vec<u8> {
    link_objects(target, &[("sample.o", &sample(target))])
}

fn link_objects(target: &'static Target, objects: &[(&str, &[u8])]) -> Vec<u8> {
    let input = Input {
        objects,
        manifest: MANIFEST,
        embedded: &[],
        stack_size: 1 << 20,
        identifier: "sample",
        resources: &[],
        library: None,
    };
    link(target, &input).unwrap_or_else(|error| panic!("{target}: {error}"))
}

fn word(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(bytes[offset..offset + 4].try_into().unwrap())
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    for target in target::ALL {
        assert!(link_sample(target) == link_sample(target), "{target}");
    }
}

#[test]
fn the_manifest_is_a_section_of_its_own() {
    for target in target::ALL {
        let image = link_sample(target);
        let file = File::parse(&*image).unwrap();
        let name = if target.format == ObjectFormat::MachO { "__kpolicy" } else { ".kpolicy" };
        let section = file.section_by_name(name).unwrap();
        let wanted = [MANIFEST.as_bytes(), b"\0"].concat();
        assert_eq!(&section.data().unwrap()[..wanted.len()], wanted, "{target}");
    }
}

#[test]
fn nothing_is_both_writable_and_executable() {
    for target in target::ALL {
        let image = link_sample(target);
        let file = File::parse(&*image).unwrap();
        for segment in file.segments() {
            let permissions = segment.permissions();
            assert!(!(permissions.writable() && permissions.executable()), "{target}");
        }
    }
}

#[test]
fn elf_segments_agree_with_the_file() {
    for target in target::ALL.into_iter().filter(|t| t.format == ObjectFormat::Elf) {
        let image = link_sample(target);
        let header = elf::FileHeader64::<LE>::parse(&*image).unwrap();
        let mut end = 0;
        for segment in header.program_headers(LE, &*image).unwrap() {
            if segment.p_type.get(LE) != elf::PT_LOAD {
                continue;
            }
            let (offset, address) = (segment.p_offset.get(LE), segment.p_vaddr.get(LE));
            assert_eq!(offset % target.page_size, address % target.page_size, "{target}");
            assert!(address / target.page_size >= end, "{target}: pages of segments are disjoint");
            end = (address + segment.p_memsz.get(LE)).div_ceil(target.page_size);
            assert!(segment.p_filesz.get(LE) <= segment.p_memsz.get(LE), "{target}");
        }
        assert!(image.len() < 40_000, "{target}: {} bytes", image.len());
    }
}

#[test]
fn pe_tables_are_what_the_loader_searches() {
    for target in target::ALL.into_iter().filter(|t| t.format == ObjectFormat::Coff) {
        let image = link_sample(target);
        let file = PeFile64::parse(&*image).unwrap();
        let section = |name| file.section_by_name(name).unwrap();
        let record = if target.arch == Arch::Amd64 { 12 } else { 8 };
        let unwind = section(".pdata").data().unwrap();
        let begins: Vec<u32> = unwind.chunks_exact(record).map(|r| word(r, 0)).collect();
        assert!(begins.is_sorted() && begins[0] > 0, "{target}");
        let text = section(".text");
        let code = text.address()..text.address() + text.size();
        let base = file.relative_address_base();
        assert!(begins.iter().all(|&at| code.contains(&(base + u64::from(at)))), "{target}");

        // The pointer to the runtime's symbol, and the one beside it, move with the image.
        let mut moved = 0;
        let mut blocks = file
            .data_directories()
            .relocation_blocks(&*image, &file.section_table())
            .unwrap()
            .unwrap();
        while let Some(block) = blocks.next().unwrap() {
            for relocation in block {
                assert_eq!(relocation.typ, pe::IMAGE_REL_BASED_DIR64, "{target}");
                moved += 1;
            }
        }
        assert!(moved >= 2, "{target}");
        let header = file.nt_headers().optional_header;
        assert_eq!(header.size_of_stack_reserve.get(LE), 1 << 20, "{target}");
        assert_eq!(u64::from(header.check_sum.get(LE)), checksum(&image), "{target}");
    }
}

/// What the loader and the runtime demand of a memory that begins in an image: sections without gaps,
/// the last of which end at a multiple of 64 KiB, with the contents where the memory has them.
#[test]
fn a_memory_ends_pe_images() {
    const RUNS: [(u64, usize); 3] = [(0x3000, 0x2000), (0x5000, 0x1000), (0x2_4000, 0x1000)];
    for target in target::ALL.into_iter().filter(|t| t.format == ObjectFormat::Coff) {
        let mut memory = Builder::new(target);
        for (offset, size) in RUNS {
            let contents = vec![(offset >> 12) as u8; size];
            let name = format!("{PLACED_SECTION_PREFIX}{offset:016x}");
            memory.section(&name, SectionKind::Data, &contents, 0x1000);
        }
        let objects = [("sample.o", &*sample(target)), ("memory.o", &memory.write())];
        let image = link_objects(target, &objects);
        let file = PeFile64::parse(&*image).unwrap();
        let mut end = None;
        for section in file.sections() {
            assert!(end.is_none_or(|end| end == section.address()), "{target}");
            end = Some((section.address() + section.size()).next_multiple_of(0x1000));
        }
        let end = end.unwrap();
        let start = end - 0x3_0000;
        assert_eq!(end % 0x1_0000, 0, "{target}");
        let size = file.nt_headers().optional_header.size_of_image.get(LE);
        assert_eq!(u64::from(size), end - file.relative_address_base(), "{target}");
        for (offset, size) in RUNS {
            let section = file.sections().find(|section| section.address() == start + offset);
            let section = section.unwrap_or_else(|| panic!("{target} {offset:#x}"));
            assert_eq!(section.name().unwrap(), ".kmemory", "{target}");
            assert_eq!(section.file_range().unwrap().0 % 0x1000, 0, "{target}");
            assert_eq!(section.data().unwrap(), vec![(offset >> 12) as u8; size], "{target}");
        }
    }
}

/// The checksum of a PE file, its own field taken for zero.
fn checksum(image: &[u8]) -> u64 {
    let field = word(image, 0x3c) as usize + 24 + 64;
    let mut sum = 0;
    for offset in (0..image.len()).step_by(2).filter(|at| !(field..field + 4).contains(at)) {
        sum += u64::from(u16::from_le_bytes([image[offset], image[offset + 1]]));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum + image.len() as u64
}

#[test]
fn macho_pages_have_the_hashes_that_the_signature_says() {
    for target in target::ALL.into_iter().filter(|t| t.format == ObjectFormat::MachO) {
        let image = link_sample(target);
        let big = |at: usize| u32::from_be_bytes(image[at..at + 4].try_into().unwrap()) as usize;
        let signature = find_code_signature(&image);
        assert_eq!(big(signature), 0xfade_0cc0, "{target}");
        let directory = signature + big(signature + 16);
        assert_eq!(big(directory), 0xfade_0c02, "{target}");
        let (hashes, pages) = (directory + big(directory + 16), big(directory + 28));
        let limit = big(directory + 32);
        assert_eq!((limit, pages), (signature, signature.div_ceil(4096)), "{target}");
        for (index, page) in image[..limit].chunks(4096).enumerate() {
            let hash = &image[hashes + 32 * index..][..32];
            assert_eq!(hash, &*Sha256::digest(page), "{target}: page {index}");
        }
        let identifier = directory + big(directory + 20);
        assert_eq!(&image[identifier..identifier + 7], b"sample\0", "{target}");
    }
}

fn find_code_signature(image: &[u8]) -> usize {
    let (mut command, count) = (32, word(image, 16));
    for _ in 0..count {
        if word(image, command) == 0x1d {
            return word(image, command + 8) as usize;
        }
        command += word(image, command + 4) as usize;
    }
    panic!("no code signature");
}

/// rust-lld of the toolchain that runs the tests.
fn other_linker() -> Command {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(["--print", "target-libdir"]).output().unwrap();
    let libraries = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
    Command::new(libraries.parent().unwrap().join("bin/rust-lld"))
}

/// The archive with the index that other linkers look symbols up in: the member `/` of the System V
/// format, big-endian offsets of members and the names they define.
fn with_index(library: &[u8]) -> Vec<u8> {
    const HEADER: usize = 60;
    let (mut offsets, mut names) = (Vec::new(), Vec::new());
    for member in ArchiveFile::parse(library).unwrap().members() {
        let member = member.unwrap();
        let data = member.data(library).unwrap();
        let defined = match FileKind::parse(data).unwrap() {
            FileKind::CoffImport => {
                let symbol = ImportFile::parse(data).unwrap().symbol().to_vec();
                vec![[b"__imp_", &*symbol].concat(), symbol]
            }
            _ => {
                let object = File::parse(data).unwrap();
                let defined = object.symbols().filter(|s| s.is_global() && s.is_definition());
                defined.map(|symbol| symbol.name_bytes().unwrap().to_vec()).collect()
            }
        };
        for name in defined {
            offsets.push(member.file_range().0 as usize - HEADER);
            names.extend_from_slice(&name);
            names.push(0);
        }
    }
    if names.len() % 2 == 1 {
        names.push(0);
    }
    let size = 4 + 4 * offsets.len() + names.len();
    let mut out = format!("!<arch>\n{:<48}{size:<10}`\n", "/").into_bytes();
    out.extend_from_slice(&(offsets.len() as u32).to_be_bytes());
    for offset in offsets {
        out.extend_from_slice(&((offset + HEADER + size) as u32).to_be_bytes());
    }
    out.extend_from_slice(&names);
    out.extend_from_slice(&library[8..]);
    out
}

/// Links the sample with rust-lld.
fn link_otherwise(target: &'static Target, folder: &Path) -> Vec<u8> {
    let file = |name: &str, data: &[u8]| {
        std::fs::write(folder.join(name), data).unwrap();
    };
    file("sample.o", &sample(target));
    file("runtime.a", &with_index(runtime::archive(target)));
    let mut manifest = Builder::new(target);
    let section = manifest.section("policy", SectionKind::ReadOnlyData, MANIFEST.as_bytes(), 1);
    manifest.define(POLICY, section, 0);
    let section = manifest.section("parts", SectionKind::Data, &[0; size_of::<Parts>()], 8);
    manifest.define(PARTS, section, 0);
    let nothing = [0; size_of::<Embedded>()];
    let section = manifest.section("embedded", SectionKind::Data, &nothing, 8);
    manifest.define(EMBED, section, 0);
    file("policy.o", &manifest.write());
    let entry = entry(target);
    let arguments = match (target.format, target.arch) {
        (ObjectFormat::Elf, arch) => {
            let emulation = if arch == Arch::Amd64 { "elf_x86_64" } else { "aarch64linux" };
            format!(
                "-flavor gnu -m {emulation} -static -nostdlib --gc-sections -e {entry} \
                 --defsym=kiln_end=kiln_end_process --defsym=kiln_tell=kiln_tell_user"
            )
        }
        (ObjectFormat::MachO, arch) => {
            let arch = if arch == Arch::Amd64 { "x86_64" } else { "arm64" };
            format!(
                "-flavor darwin -arch {arch} -platform_version macos 11.0 14.0 -dead_strip \
                 -undefined dynamic_lookup -e _{entry} \
                 -alias _kiln_end_process _kiln_end -alias _kiln_tell_user _kiln_tell"
            )
        }
        (ObjectFormat::Coff, arch) => {
            let machine = if arch == Arch::Amd64 { "x64" } else { "arm64" };
            // What only dead code refers to must exist there.
            format!(
                "-flavor link /machine:{machine} /subsystem:console /entry:{entry} \
                 /nodefaultlib /opt:ref /opt:noicf /lldmingw /force:unresolved /out:image \
                 /alternatename:kiln_end=kiln_end_process /alternatename:kiln_tell=kiln_tell_user"
            )
        }
    };
    let mut command = other_linker();
    command.current_dir(folder).args(arguments.split_whitespace());
    if target.format != ObjectFormat::Coff {
        command.args(["-o", "image"]);
    }
    let output = command.args(["sample.o", "policy.o", "runtime.a"]).output().unwrap();
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{target}: {messages}");
    std::fs::read(folder.join("image")).unwrap()
}

fn imports(image: &[u8]) -> BTreeSet<String> {
    let file = File::parse(image).unwrap();
    let mut names = BTreeSet::new();
    for import in file.imports().unwrap() {
        let import = import.unwrap();
        let name = import.name();
        names.insert(String::from_utf8_lossy(name.name().unwrap_or(b"#")).into_owned());
    }
    names
}

fn code_size(image: &[u8]) -> u64 {
    let file = File::parse(image).unwrap();
    let code = file.sections().filter(|section| section.kind() == SectionKind::Text);
    code.map(|section| section.size()).sum()
}

#[test]
fn another_linker_keeps_the_same_code_and_imports() {
    for target in target::ALL {
        let folder = tempfile::tempdir().unwrap();
        let other = link_otherwise(target, folder.path());
        let own = link_sample(target);
        let mut wanted = imports(&other);
        // Binds functions at their first call; here they are bound when the image is loaded.
        wanted.remove("dyld_stub_binder");
        assert_eq!(imports(&own), wanted, "{target}");
        // The order of functions differs, and with it the gaps between them.
        let (own, other) = (code_size(&own), code_size(&other));
        assert!(own.abs_diff(other) <= other / 20, "{target}: {own} bytes of code, not {other}");
    }
}

#[test]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn an_executable_for_this_machine_runs_as_another_linkers_does() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let other = link_otherwise(&LINUX_AMD64, folder.path());
    for (name, image) in [("own", link_sample(&LINUX_AMD64)), ("other", other)] {
        let path = folder.path().join(name);
        std::fs::write(&path, image).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let output = Command::new(&path).output().unwrap();
        assert_eq!(output.status.code(), Some(EXIT_CODE), "{name}: {output:?}");
    }
}
