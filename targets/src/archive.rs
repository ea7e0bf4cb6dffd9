//! Archives of one object, with the index by which linkers find its symbols.
//!
//! Sources: System V gABI, "Archive File"; PE Format, "Archive (Library) File Format"; Apple
//! `mach-o/ranlib.h` and `ar(5)`.

use crate::ObjectFormat;
use crate::link::LinkError;

const MAGIC: &[u8] = b"!<arch>\n";
const HEADER_SIZE: usize = 60;

/// Name of the one member.
const MEMBER: &str = "kiln.o";

/// Bytes in front of the member's contents where its name does not stand in the header: as many as
/// let contents begin at multiples of 8, as Apple's linker wants them.
const LONG_NAME_SIZE: usize = 12;

/// Writes an archive of `object`, which defines `symbols`.
pub(crate) fn write(
    format: ObjectFormat,
    object: &[u8],
    symbols: &[&str],
) -> Result<Vec<u8>, LinkError> {
    let index = |member: u32| match format {
        ObjectFormat::Elf => vec![("/", system_v_index(symbols, member))],
        ObjectFormat::Coff => {
            vec![("/", system_v_index(symbols, member)), ("/", second_index(symbols, member))]
        }
        ObjectFormat::MachO => vec![("__.SYMDEF", bsd_index(symbols, member))],
    };
    // The size of an index does not depend on where the member lies.
    let size = |index: &[(&str, Vec<u8>)]| -> usize {
        index.iter().map(|(_, bytes)| HEADER_SIZE + bytes.len()).sum()
    };
    let start = MAGIC.len() + size(&index(0));
    let too_large = |_| LinkError::TooLarge("an archive holds 4 GiB".to_owned());
    let member = u32::try_from(start).map_err(too_large)?;
    u32::try_from(start + object.len()).map_err(too_large)?;
    let mut out = MAGIC.to_vec();
    for (name, bytes) in index(member) {
        append(&mut out, name, &bytes);
    }
    match format {
        ObjectFormat::MachO => {
            let mut contents = MEMBER.as_bytes().to_vec();
            contents.resize(LONG_NAME_SIZE, 0);
            contents.extend_from_slice(object);
            append(&mut out, &format!("#1/{LONG_NAME_SIZE}"), &contents);
        }
        ObjectFormat::Elf | ObjectFormat::Coff => append(&mut out, &format!("{MEMBER}/"), object),
    }
    Ok(out)
}

/// Appends a member, padded to an even size. It belongs to nobody and is of no time.
fn append(out: &mut Vec<u8>, name: &str, contents: &[u8]) {
    let size = contents.len();
    let header = format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, 0, 644);
    debug_assert_eq!(header.len(), HEADER_SIZE);
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(contents);
    out.resize(out.len().next_multiple_of(2), b'\n');
}

/// Names, each ended by a NUL, together as many as a multiple of `align` bytes.
fn strings(symbols: &[&str], before: usize, align: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> =
        symbols.iter().flat_map(|symbol| [symbol.as_bytes(), b"\0"].concat()).collect();
    bytes.resize((before + bytes.len()).next_multiple_of(align) - before, 0);
    bytes
}

/// The count of symbols, the member's offset for each, big-endian, and their names.
fn system_v_index(symbols: &[&str], member: u32) -> Vec<u8> {
    let mut bytes = (symbols.len() as u32).to_be_bytes().to_vec();
    symbols.iter().for_each(|_| bytes.extend(member.to_be_bytes()));
    let names = strings(symbols, bytes.len(), 2);
    bytes.extend(names);
    bytes
}

/// The offsets of the members, then for each symbol in alphabetical order the number of its member.
fn second_index(symbols: &[&str], member: u32) -> Vec<u8> {
    let mut sorted = symbols.to_vec();
    sorted.sort_unstable();
    let mut bytes = 1u32.to_le_bytes().to_vec();
    bytes.extend(member.to_le_bytes());
    bytes.extend((symbols.len() as u32).to_le_bytes());
    symbols.iter().for_each(|_| bytes.extend(1u16.to_le_bytes()));
    let names = strings(&sorted, bytes.len(), 2);
    bytes.extend(names);
    bytes
}

/// For each symbol the offset of its name and of the member, and the names.
fn bsd_index(symbols: &[&str], member: u32) -> Vec<u8> {
    let mut bytes = (8 * symbols.len() as u32).to_le_bytes().to_vec();
    let mut name = 0_u32;
    for symbol in symbols {
        bytes.extend(name.to_le_bytes());
        bytes.extend(member.to_le_bytes());
        name += symbol.len() as u32 + 1;
    }
    // The magic and the header leave 4 bytes to a multiple of 8, as those of this size do.
    let names = strings(symbols, bytes.len() + 4 + MAGIC.len() + HEADER_SIZE, 8);
    bytes.extend((names.len() as u32).to_le_bytes());
    bytes.extend(names);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::read::archive::ArchiveFile;

    #[test]
    fn readers_find_the_member_by_its_symbols() {
        for format in [ObjectFormat::Elf, ObjectFormat::Coff, ObjectFormat::MachO] {
            for symbols in [&["b", "aa"][..], &["one"], &[]] {
                let bytes = write(format, b"contents", symbols).unwrap();
                let archive = ArchiveFile::parse(&*bytes).unwrap();
                let found = archive.symbols().unwrap();
                let mut names = Vec::new();
                for symbol in found.into_iter().flatten() {
                    let symbol = symbol.unwrap();
                    let member = archive.member(symbol.offset()).unwrap();
                    assert_eq!(member.name(), MEMBER.as_bytes());
                    assert_eq!(member.data(&*bytes).unwrap(), b"contents");
                    names.push(String::from_utf8(symbol.name().to_vec()).unwrap());
                }
                names.sort();
                let mut wanted = symbols.to_vec();
                wanted.sort_unstable();
                assert_eq!(names, wanted, "{format:?}");
            }
        }
    }

    #[test]
    fn a_member_of_macho_begins_at_a_multiple_of_8() {
        for symbols in [&["b", "aa"][..], &["one"], &[]] {
            let bytes = write(ObjectFormat::MachO, b"contents", symbols).unwrap();
            let at = bytes.windows(8).position(|bytes| bytes == b"contents").unwrap();
            assert!(at.is_multiple_of(8));
        }
    }
}
