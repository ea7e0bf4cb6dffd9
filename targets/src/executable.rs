//! Reads an executable back: for which target it is, what it was granted, what it consists of.
//!
//! Knows executables of all three formats that carry a capability manifest, as the linker writes
//! them; whatever else it is given is an error. Sources: System V ABI (ELF), Microsoft's PE/COFF
//! specification, Apple's `mach-o/loader.h` and `kern/cs_blobs.h`.

use kiln_abi::symbol::{EMBED_SECTION, POLICY_SECTION};
use object::read::macho::{CodeDirectory, FatArch as _, MachOFatFile32, MachOFile64};
use object::read::pe::PeFile64;
use object::{
    Architecture, BinaryFormat, Endianness, Object as _, ObjectKind, ObjectSection as _, macho,
};
use sha2::{Digest as _, Sha256};

use crate::pe::resources::{self, Icon};
use crate::target::{self, Arch, ObjectFormat, Target};

/// An executable.
#[derive(Debug)]
pub struct Executable {
    /// What it runs on.
    pub target: &'static Target,
    /// Its capability manifest, in the grammar of [`kiln_abi::program`].
    pub manifest: String,
    /// Its section of embedded files, as [`kiln_abi::embed`] describes it; empty without any.
    pub embedded: Vec<u8>,
    /// Its sections in the order of the file.
    pub sections: Vec<Section>,
    /// Dynamic libraries that the operating system loads with it.
    pub libraries: Vec<String>,
    /// Its code signature, where it has one.
    pub signature: Option<Signature>,
    /// Its icon, where it has one.
    pub icon: Option<Icon>,
}

/// A section.
#[derive(Debug)]
pub struct Section {
    /// Its name; in Mach-O `segment,section`.
    pub name: String,
    /// Its address in memory before any slide.
    pub address: u64,
    /// Bytes that it takes in memory.
    pub size: u64,
    /// Bytes that it takes in the file.
    pub file_size: u64,
}

/// A Mach-O code signature.
#[derive(Debug)]
pub struct Signature {
    /// The name that it gives the executable.
    pub identifier: String,
    /// Whether it says only that the bytes are whole, not who made them.
    pub ad_hoc: bool,
    /// Number of pages that it holds a hash of.
    pub pages: u32,
    /// Whether every page has the hash that the signature holds.
    pub intact: bool,
}

/// Why bytes were not read as an executable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No file of a known format.
    #[error("the format is not known")]
    UnknownFormat,
    /// An executable for another machine, or a file of another kind, such as an object.
    #[error("this is no executable for any of Kiln's targets")]
    OtherTarget,
    /// An executable without a capability manifest.
    #[error("the executable has no capability manifest: it was not made by Kiln")]
    NoManifest,
    /// A file that breaks the rules of its format.
    #[error("the file is malformed")]
    Malformed(#[from] object::Error),
}

/// The images in a file: those of a universal executable, or the file itself.
///
/// # Errors
/// A universal executable is malformed.
pub fn images(bytes: &[u8]) -> Result<Vec<&[u8]>, Error> {
    if !matches!(object::FileKind::parse(bytes), Ok(object::FileKind::MachOFat32)) {
        return Ok(vec![bytes]);
    }
    let file = MachOFatFile32::parse(bytes)?;
    file.arches().iter().map(|arch| Ok(arch.data(bytes)?)).collect()
}

impl Executable {
    /// Reads an executable.
    ///
    /// # Errors
    /// The bytes are no executable for one of the targets, carry no manifest, or are malformed.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        object::FileKind::parse(bytes).map_err(|_| Error::UnknownFormat)?;
        let file = object::File::parse(bytes)?;
        let target = target_of(&file).ok_or(Error::OtherTarget)?;
        let mut libraries = Vec::new();
        for library in file.import_libraries()? {
            libraries.push(text(library?.name()));
        }
        let signature = match &file {
            object::File::MachO64(file) => signature(file, bytes)?,
            _ => None,
        };
        let icon = match &file {
            object::File::Pe64(file) => icon(file, bytes)?,
            _ => None,
        };
        let manifest = manifest(&file)?;
        let embedded = match file.section_by_name(EMBED_SECTION) {
            Some(section) => {
                section.data()?.get(..section.size() as usize).unwrap_or_default().to_vec()
            }
            None => vec![],
        };
        let sections =
            file.sections().map(|section| self::section(&section)).collect::<Result<_, _>>()?;
        Ok(Self { target, manifest, embedded, sections, libraries, signature, icon })
    }
}

fn target_of(file: &object::File<'_>) -> Option<&'static Target> {
    let format = match file.format() {
        BinaryFormat::Elf => ObjectFormat::Elf,
        BinaryFormat::MachO => ObjectFormat::MachO,
        BinaryFormat::Pe => ObjectFormat::Coff,
        _ => return None,
    };
    let arch = match file.architecture() {
        Architecture::X86_64 => Arch::Amd64,
        Architecture::Aarch64 => Arch::Arm64,
        _ => return None,
    };
    // A static position-independent ELF executable has the type of a shared object.
    if !matches!(file.kind(), ObjectKind::Executable | ObjectKind::Dynamic) {
        return None;
    }
    target::ALL.into_iter().find(|target| target.format == format && target.arch == arch)
}

fn manifest(file: &object::File<'_>) -> Result<String, Error> {
    let section = file.section_by_name(POLICY_SECTION).ok_or(Error::NoManifest)?;
    let data = section.data()?;
    let end = data.iter().position(|&byte| byte == 0).unwrap_or(data.len());
    Ok(text(&data[..end]))
}

fn section<'data>(section: &impl object::ObjectSection<'data>) -> Result<Section, Error> {
    let name = section.name()?;
    let name = match section.segment_name()? {
        Some(segment) => format!("{segment},{name}"),
        None => name.to_owned(),
    };
    let file_size = section.file_range().map_or(0, |(_, size)| size);
    Ok(Section { name, address: section.address(), size: section.size(), file_size })
}

fn signature(file: &MachOFile64<'_, Endianness>, bytes: &[u8]) -> Result<Option<Signature>, Error> {
    let endian = file.endian();
    let mut commands = file.macho_load_commands()?;
    while let Some(command) = commands.next()? {
        if command.cmd() != macho::LC_CODE_SIGNATURE {
            continue;
        }
        let data: &macho::LinkeditDataCommand<_> = command.data()?;
        for blob in data.code_signature(endian, bytes)?.blobs() {
            if let Some(directory) = blob?.code_directory()? {
                return self::directory(&directory, bytes).map(Some);
            }
        }
    }
    Ok(None)
}

fn directory(directory: &CodeDirectory<'_>, bytes: &[u8]) -> Result<Signature, Error> {
    let header = directory.header();
    Ok(Signature {
        identifier: text(directory.ident()?),
        ad_hoc: header.flags.get(object::BigEndian).contains(macho::CS_ADHOC),
        pages: header.n_code_slots.get(object::BigEndian),
        intact: is_intact(directory, bytes).unwrap_or(false),
    })
}

/// Compares the hash of each page of `bytes` with the directory's. `None` for a directory that no
/// kernel would take either: another hash, no pages, or not as many as the file has.
fn is_intact(directory: &CodeDirectory<'_>, bytes: &[u8]) -> Option<bool> {
    let header = directory.header();
    if header.hash_type != macho::CS_HASHTYPE_SHA256 {
        return None;
    }
    let page_size = 1_usize.checked_shl(header.page_size.into())?;
    let signed = bytes.get(..usize::try_from(directory.code_limit()).ok()?)?;
    let pages = signed.chunks(page_size);
    if pages.len() != header.n_code_slots.get(object::BigEndian) as usize {
        return None;
    }
    let mut slots = 0..;
    Some(pages.zip(&mut slots).all(|(page, slot)| {
        directory.code_hash(slot).is_ok_and(|hash| hash == Sha256::digest(page).as_slice())
    }))
}

fn icon(file: &PeFile64<'_>, bytes: &[u8]) -> Result<Option<Icon>, Error> {
    let sections = file.section_table();
    let Some(directory) = file.data_directories().resource_directory(bytes, &sections)? else {
        return Ok(None);
    };
    let resources = resources::read(directory, |address| sections.pe_data_at(bytes, address));
    Ok(Icon::of_resources(&resources))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
