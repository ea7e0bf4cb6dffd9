//! The prebuilt runtime libraries, one for each target.
//!
//! `scripts/build-runtime` writes them packed; the crate carries them as its build script unpacks
//! them. A library is an `ar` archive in the common format without symbol index. It holds
//! `runtime.o`, `builtins.o` and, for Windows, short-import members, all named `import`, that say
//! which DLL has which function. Source of the last: PE Format, "Import Library Format".

use crate::{Arch, Os, Target};

/// What the libraries were built with.
pub const TOOLCHAIN: &str = include_str!("../runtime/toolchain");

/// The library that the build script unpacked for a target of that name.
macro_rules! library {
    ($name:literal) => {
        include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".a"))
    };
}

/// The runtime library of a target: the bytes of an archive.
#[must_use]
pub const fn archive(target: &Target) -> &'static [u8] {
    match (target.os, target.arch) {
        (Os::Linux, Arch::Amd64) => library!("linux-amd64"),
        (Os::Linux, Arch::Arm64) => library!("linux-arm64"),
        (Os::Darwin, Arch::Amd64) => library!("darwin-amd64"),
        (Os::Darwin, Arch::Arm64) => library!("darwin-arm64"),
        (Os::Windows, Arch::Amd64) => library!("windows-amd64"),
        (Os::Windows, Arch::Arm64) => library!("windows-arm64"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target;
    use object::read::archive::ArchiveFile;
    use sha2::{Digest as _, Sha256};
    use std::path::Path;

    #[test]
    fn every_library_has_its_objects_and_only_windows_has_imports() {
        for target in target::ALL {
            let library = archive(target);
            let members: Vec<_> = ArchiveFile::parse(library)
                .unwrap()
                .members()
                .map(|member| String::from_utf8(member.unwrap().name().to_vec()).unwrap())
                .collect();
            assert_eq!(members[..2], ["runtime.o", "builtins.o"], "{target}");
            assert!(members[2..].iter().all(|name| name == "import"), "{target}");
            assert_eq!(members.len() > 2, target.os == Os::Windows, "{target}");
        }
    }

    /// The libraries are rebuilt and compared by `scripts/build-runtime --check`; this tells at
    /// once that they must be.
    #[test]
    fn the_libraries_were_built_from_the_sources_beside_them() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for line in include_str!("../runtime/sources.sha256").lines() {
            let (hash, file) = line.split_once("  ").unwrap();
            let bytes = std::fs::read(root.join(file)).unwrap_or_default();
            let digest = Sha256::digest(bytes);
            let found: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(found, hash, "{file} changed: run scripts/build-runtime");
        }
    }
}
