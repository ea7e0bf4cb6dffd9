//! Windows resources: version information and the application manifest.
//!
//! What they need is bytes, so that any host can make them. Sources: Microsoft PE Format, "The
//! .rsrc Section"; Win32 `VS_VERSIONINFO`, "Application manifests".

use object::U32;
use object::pe::{self, ImageResourceDataEntry, ImageResourceDirectory};
use object::pod::bytes_of;
use object::{LittleEndian as LE, U16};

/// Kinds of resources: Win32 "Resource Types".
const RT_VERSION: u16 = 16;
const RT_MANIFEST: u16 = 24;

/// American English and UTF-16, as most executables say whatever they hold.
const LANGUAGE: u16 = 0x0409;
const CODE_PAGE: u16 = 1200;

/// An entry of a directory: what it is known by, and where it leads.
const ENTRY_SIZE: usize = size_of::<pe::ImageResourceDirectoryEntry>();

/// UTF-8 for what programs get as bytes, and paths of any length.
const MANIFEST: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<assembly xmlns="urn:schemas-microsoft-com:asm.v1" manifestVersion="1.0">
  <trustInfo xmlns="urn:schemas-microsoft-com:asm.v3">
    <security>
      <requestedPrivileges>
        <requestedExecutionLevel level="asInvoker" uiAccess="false"/>
      </requestedPrivileges>
    </security>
  </trustInfo>
  <compatibility xmlns="urn:schemas-microsoft-com:compatibility.v1">
    <application>
      <supportedOS Id="{8e0f7a12-bfb3-4fe8-b9a5-48fd50a15a9a}"/>
    </application>
  </compatibility>
  <application xmlns="urn:schemas-microsoft-com:asm.v3">
    <windowsSettings>
      <activeCodePage xmlns="http://schemas.microsoft.com/SMI/2019/WindowsSettings">UTF-8</activeCodePage>
      <longPathAware xmlns="http://schemas.microsoft.com/SMI/2016/WindowsSettings">true</longPathAware>
    </windowsSettings>
  </application>
</assembly>
"#;

/// A resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    kind: u16,
    /// What tells it from others of its kind.
    id: u16,
    data: Vec<u8>,
}

/// What Windows shows of a program.
#[derive(Debug, Clone, Copy)]
pub struct Version<'a> {
    /// The program's name.
    pub name: &'a str,
    /// The version as people write it; up to four numbers at its beginning are what Windows
    /// compares.
    pub version: &'a str,
    /// What it is, in a few words.
    pub description: &'a str,
    /// Who made it.
    pub author: &'a str,
    /// Whose it is.
    pub copyright: &'a str,
}

/// The application manifest: UTF-8 as the active code page, paths of any length.
#[must_use]
pub fn manifest() -> Resource {
    Resource { kind: RT_MANIFEST, id: 1, data: MANIFEST.as_bytes().to_vec() }
}

/// Version information.
#[must_use]
pub fn version(version: &Version<'_>) -> Resource {
    let file = format!("{}.exe", version.name);
    let strings = [
        ("CompanyName", version.author),
        ("FileDescription", version.description),
        ("FileVersion", version.version),
        ("InternalName", version.name),
        ("LegalCopyright", version.copyright),
        ("OriginalFilename", &file),
        ("ProductName", version.name),
        ("ProductVersion", version.version),
    ];
    let given = strings.into_iter().filter(|(_, text)| !text.is_empty());
    let strings: Vec<Vec<u8>> = given
        .map(|(key, text)| {
            let units = text.encode_utf16().count() as u16 + 1;
            block(key, true, units, &utf16(text), &[])
        })
        .collect();
    let table = block(&format!("{LANGUAGE:04x}{CODE_PAGE:04x}"), true, 0, &[], &strings);
    let translation = [LANGUAGE.to_le_bytes(), CODE_PAGE.to_le_bytes()].concat();
    let translation = block("Translation", false, 4, &translation, &[]);
    let children = [
        block("StringFileInfo", true, 0, &[], &[table]),
        block("VarFileInfo", true, 0, &[], &[translation]),
    ];
    let fixed = fixed_file_info(version.version);
    let data = block("VS_VERSION_INFO", false, fixed.len() as u16, &fixed, &children);
    Resource { kind: RT_VERSION, id: 1, data }
}

/// `VS_FIXEDFILEINFO`.
fn fixed_file_info(version: &str) -> Vec<u8> {
    const SIGNATURE: u32 = 0xfeef_04bd;
    const STRUCTURE_VERSION: u32 = 0x1_0000;
    const FLAGS_MASK: u32 = 0x3f;
    const VOS_NT_WINDOWS32: u32 = 0x4_0004;
    const VFT_APP: u32 = 1;
    let mut numbers = version
        .split(|character: char| !character.is_ascii_digit())
        .take(4)
        .map(|number| number.parse::<u16>().unwrap_or(0));
    let mut pair =
        || u32::from(numbers.next().unwrap_or(0)) << 16 | u32::from(numbers.next().unwrap_or(0));
    let (high, low) = (pair(), pair());
    let words = [
        SIGNATURE,
        STRUCTURE_VERSION,
        high,
        low,
        high,
        low,
        FLAGS_MASK,
        0,
        VOS_NT_WINDOWS32,
        VFT_APP,
        0,
        0,
        0,
    ];
    words.iter().flat_map(|word: &u32| word.to_le_bytes()).collect()
}

/// A block of `VS_VERSIONINFO`: lengths, a key, a value, other blocks; each on 4 bytes.
fn block(key: &str, text: bool, value_length: u16, value: &[u8], children: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0; 2];
    bytes.extend_from_slice(&value_length.to_le_bytes());
    bytes.extend_from_slice(&u16::from(text).to_le_bytes());
    bytes.extend_from_slice(&utf16(key));
    for part in [value].into_iter().chain(children.iter().map(Vec::as_slice)) {
        if !part.is_empty() {
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            bytes.extend_from_slice(part);
        }
    }
    let length = bytes.len() as u16;
    bytes[..2].copy_from_slice(&length.to_le_bytes());
    bytes
}

/// With a zero at the end.
fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

/// The section that holds `resources`, to lie `rva` bytes after the image's start.
///
/// Three levels of directories: by kind, by number, by language. Then what describes each
/// resource, then their bytes.
pub(super) fn write(resources: &[Resource], rva: u32) -> Vec<u8> {
    let mut sorted: Vec<&Resource> = resources.iter().collect();
    sorted.sort_by_key(|resource| (resource.kind, resource.id));
    let kinds: Vec<&[&Resource]> = sorted.chunk_by(|a, b| a.kind == b.kind).collect();

    let directory_size =
        |entries: usize| size_of::<ImageResourceDirectory>() + entries * ENTRY_SIZE;
    let by_number = directory_size(kinds.len());
    let by_language =
        by_number + kinds.iter().map(|kind| directory_size(kind.len())).sum::<usize>();
    let descriptions = by_language + sorted.len() * directory_size(1);
    let data = descriptions + sorted.len() * size_of::<ImageResourceDataEntry>();

    let mut out = Vec::new();
    let mut next = by_number;
    let mut entries = Vec::new();
    for kind in &kinds {
        entries.push((kind[0].kind, next, true));
        next += directory_size(kind.len());
    }
    directory(&mut out, &entries);
    let mut next = by_language;
    for kind in &kinds {
        entries.clear();
        for resource in *kind {
            entries.push((resource.id, next, true));
            next += directory_size(1);
        }
        directory(&mut out, &entries);
    }
    for index in 0..sorted.len() {
        let place = descriptions + index * size_of::<ImageResourceDataEntry>();
        directory(&mut out, &[(LANGUAGE, place, false)]);
    }
    let mut place = data.next_multiple_of(8);
    for resource in &sorted {
        out.extend_from_slice(bytes_of(&ImageResourceDataEntry {
            offset_to_data: U32::new(LE, rva + place as u32),
            size: U32::new(LE, resource.data.len() as u32),
            code_page: U32::new(LE, 0),
            reserved: U32::new(LE, 0),
        }));
        place = (place + resource.data.len()).next_multiple_of(8);
    }
    for resource in &sorted {
        out.resize(out.len().next_multiple_of(8), 0);
        out.extend_from_slice(&resource.data);
    }
    out
}

/// A directory of entries: a number, where it leads in the section, whether to a directory.
fn directory(out: &mut Vec<u8>, entries: &[(u16, usize, bool)]) {
    out.extend_from_slice(bytes_of(&ImageResourceDirectory {
        characteristics: U32::new(LE, 0),
        time_date_stamp: U32::new(LE, 0),
        major_version: U16::new(LE, 0),
        minor_version: U16::new(LE, 0),
        number_of_named_entries: U16::new(LE, 0),
        number_of_id_entries: U16::new(LE, entries.len() as u16),
    }));
    for &(number, place, is_directory) in entries {
        let flag = if is_directory { pe::IMAGE_RESOURCE_DATA_IS_DIRECTORY } else { 0 };
        out.extend_from_slice(bytes_of(&pe::ImageResourceDirectoryEntry {
            name_or_id: U32::new(LE, number.into()),
            offset_to_data_or_directory: U32::new(LE, place as u32 | flag),
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::read::pe::{ResourceDirectory, ResourceDirectoryEntryData};

    const RVA: u32 = 0x5000;

    /// The data of each kind of resource, by way of the three directories.
    fn read(section: &[u8]) -> Vec<(u16, Vec<u8>)> {
        let directory = ResourceDirectory::new(section);
        let mut found = Vec::new();
        for kind in directory.root().unwrap().entries {
            let ids = kind.data(directory).unwrap().table().unwrap();
            let languages = ids.entries[0].data(directory).unwrap().table().unwrap();
            let entry = match languages.entries[0].data(directory).unwrap() {
                ResourceDirectoryEntryData::Data(entry) => entry,
                ResourceDirectoryEntryData::Table(_) => panic!("a fourth level"),
            };
            let start = (entry.offset_to_data.get(LE) - RVA) as usize;
            let data = section[start..start + entry.size.get(LE) as usize].to_vec();
            found.push((kind.name_or_id.get(LE) as u16, data));
        }
        found
    }

    #[test]
    fn what_is_written_is_found_by_its_kind() {
        let about = Version {
            name: "app",
            version: "1.4.2-rc.3",
            description: "An example",
            author: "",
            copyright: "\u{a9} Example",
        };
        let section = write(&[manifest(), version(&about)], RVA);
        let found = read(&section);
        assert_eq!(found.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [16, 24]);
        assert!(found[1].1.starts_with(b"<?xml"));
        let information = &found[0].1;
        assert_eq!(
            usize::from(information[0]) | usize::from(information[1]) << 8,
            information.len()
        );
        let holds = |bytes: &[u8]| information.windows(bytes.len()).any(|part| part == bytes);
        assert!(holds(&utf16("An example")) && holds(&utf16("app.exe")));
        assert!(holds(&utf16("040904b0")) && !holds(&utf16("CompanyName")));
        // 1.4.2.0, its two halves in this order, each as a number.
        assert!(holds(&[4, 0, 1, 0, 0, 0, 2, 0]));
    }
}
