//! Windows resources: version information, the icon, the application manifest.
//!
//! What they need is bytes, so that any host can make them. Sources: Microsoft PE Format, "The
//! .rsrc Section"; Win32 "Application manifests".

mod icon;
mod version;

use object::U32;
use object::pe::{self, ImageResourceDataEntry, ImageResourceDirectory};
use object::pod::bytes_of;
use object::read::pe::{ResourceDirectory, ResourceDirectoryEntryData};
use object::{LittleEndian as LE, U16};

pub use icon::{Icon, IconError};
pub use version::{Version, version};

/// Win32 "Resource Types".
const RT_MANIFEST: u16 = 24;

/// American English, as most executables say whatever they hold.
const LANGUAGE: u16 = 0x0409;

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

/// The application manifest: UTF-8 as the active code page, paths of any length.
#[must_use]
pub fn manifest() -> Resource {
    Resource { kind: RT_MANIFEST, id: 1, data: MANIFEST.as_bytes().to_vec() }
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

/// The resources in a directory that [`write()`] could have made: of each kind and number the first
/// language. `data` gives what lies at an address, relative to the image's start, and after it.
/// Leaves out whatever breaks the rules.
pub(crate) fn read<'a>(
    directory: ResourceDirectory<'a>,
    data: impl Fn(u32) -> Option<&'a [u8]>,
) -> Vec<Resource> {
    let table = |entry: &pe::ImageResourceDirectoryEntry| {
        entry.data(directory).ok().and_then(ResourceDirectoryEntryData::table)
    };
    let mut found = Vec::new();
    for kind in directory.root().map_or(&[][..], |root| root.entries) {
        for id in table(kind).map_or(&[][..], |numbers| numbers.entries) {
            let language = table(id).and_then(|languages| languages.entries.first());
            let entry = language.and_then(|entry| entry.data(directory).ok()?.data());
            let data = entry.and_then(|entry| {
                data(entry.offset_to_data.get(LE))?.get(..entry.size.get(LE) as usize)
            });
            let number =
                |entry: &pe::ImageResourceDirectoryEntry| entry.name_or_id.get(LE).try_into().ok();
            if let (Some(kind), Some(id), Some(data)) = (number(kind), number(id), data) {
                found.push(Resource { kind, id, data: data.to_vec() });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const RVA: u32 = 0x5000;

    #[test]
    fn what_is_written_is_read() {
        let resource = |kind, id, data: &[u8]| Resource { kind, id, data: data.to_vec() };
        let resources =
            [resource(3, 1, b"a"), resource(3, 2, b""), resource(14, 1, b"0123456789"), manifest()];
        let mut reversed = resources.clone();
        reversed.reverse();
        let section = write(&reversed, RVA);
        assert_eq!(section, write(&resources, RVA));
        let data = |rva: u32| section.get((rva - RVA) as usize..);
        assert_eq!(read(ResourceDirectory::new(&section), data), resources);
        assert_eq!(read(ResourceDirectory::new(&section[..40]), data), []);
    }
}
