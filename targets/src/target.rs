//! The six targets: each one a constant value.
//!
//! Whatever differs between targets at compile and link time is a field here or a file of this
//! crate; no other crate asks for an operating system or an architecture.

use core::fmt;
use core::str::FromStr;

use object::{Architecture, BinaryFormat};

/// An operating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Os {
    /// Linux, by system calls alone.
    Linux,
    /// macOS, by libSystem.
    Darwin,
    /// Windows, by its DLLs.
    Windows,
}

/// A processor architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arch {
    /// x86-64 with the features of the level v2 (SSE4.2, POPCNT).
    Amd64,
    /// AArch64, ARMv8.0.
    Arm64,
}

/// A relocatable object's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectFormat {
    /// System V ABI.
    Elf,
    /// Apple's.
    MachO,
    /// Microsoft's.
    Coff,
}

/// How functions of C are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HostConvention {
    /// System V psABI of the architecture.
    SystemV,
    /// Apple's variant of AAPCS64.
    AppleArm64,
    /// Microsoft's x64 convention.
    WindowsFastcall,
}

/// How the pages that an executable's file has of a linear memory become that memory, without
/// their being copied at start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MemoryImage {
    /// Memory 0 has a link-time address, and the kernel maps them there.
    Fixed {
        /// Address of the memory.
        base: u64,
    },
    /// The runtime has the kernel map them once more, where it reserved the memory.
    Mapped,
    /// They end the image, and the runtime reserves the rest of the memory behind it.
    InPlace,
}

/// What Kiln compiles for.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// Operating system.
    pub os: Os,
    /// Architecture.
    pub arch: Arch,
    /// `os-arch`, as in names of release files.
    pub name: &'static str,
    /// The triple that rustc and LLVM know the target by.
    pub triple: &'static str,
    /// Other names that `--target` accepts.
    pub aliases: &'static [&'static str],
    /// Format of objects.
    pub format: ObjectFormat,
    /// Convention of C's functions. The runtime calls compiled code by it; compiled code calls
    /// the runtime by that of System V on every target.
    pub convention: HostConvention,
    /// Largest page size in bytes that the image must be right for.
    pub page_size: u64,
    /// What the code generator may take for granted of the processor, in its own words.
    pub cpu_features: &'static [&'static str],
    /// The instruction that fills gaps between functions: it traps.
    pub padding: &'static [u8],
    /// How an executable's memories come by contents that are large.
    pub memory_image: MemoryImage,
    /// What executables' names end in.
    pub executable_suffix: &'static str,
    /// What objects' names end in.
    pub object_suffix: &'static str,
    /// What stands before and behind the name of a shared library.
    pub shared_library: (&'static str, &'static str),
    /// The same of a static library.
    pub static_library: (&'static str, &'static str),
}

/// The x86-64 psABI's level v2: with it no operator of core wasm needs a library call.
const X86_64_V2: &[&str] =
    &["has_sse3", "has_ssse3", "has_cmpxchg16b", "has_sse41", "has_sse42", "has_popcnt"];

/// amd64 `int3`.
const INT3: &[u8] = &[0xcc];

/// arm64 `brk #0`.
const BRK: &[u8] = &[0x00, 0x00, 0x20, 0xd4];

/// Every target, in the order of tables and release pages.
pub const ALL: [&Target; 6] =
    [&LINUX_AMD64, &LINUX_ARM64, &DARWIN_AMD64, &DARWIN_ARM64, &WINDOWS_AMD64, &WINDOWS_ARM64];

/// Linux on x86-64. The memory base lies below 2 GiB so that instructions hold it as displacement.
pub const LINUX_AMD64: Target = Target {
    os: Os::Linux,
    arch: Arch::Amd64,
    name: "linux-amd64",
    triple: "x86_64-unknown-linux-musl",
    aliases: &["x86_64-unknown-linux-gnu", "x86_64-linux", "linux-x86_64", "linux-x64"],
    format: ObjectFormat::Elf,
    convention: HostConvention::SystemV,
    page_size: 0x1000,
    cpu_features: X86_64_V2,
    padding: INT3,
    memory_image: MemoryImage::Fixed { base: 0x20_0000 },
    executable_suffix: "",
    object_suffix: ".o",
    shared_library: ("lib", ".so"),
    static_library: ("lib", ".a"),
};

/// Linux on AArch64. The memory base is one `movz` away.
pub const LINUX_ARM64: Target = Target {
    os: Os::Linux,
    arch: Arch::Arm64,
    name: "linux-arm64",
    triple: "aarch64-unknown-linux-musl",
    aliases: &["aarch64-unknown-linux-gnu", "aarch64-linux", "linux-aarch64"],
    format: ObjectFormat::Elf,
    convention: HostConvention::SystemV,
    page_size: 0x1_0000,
    cpu_features: &[],
    padding: BRK,
    memory_image: MemoryImage::Fixed { base: 0x1_0000_0000 },
    executable_suffix: "",
    object_suffix: ".o",
    shared_library: ("lib", ".so"),
    static_library: ("lib", ".a"),
};

/// macOS on x86-64.
pub const DARWIN_AMD64: Target = Target {
    os: Os::Darwin,
    arch: Arch::Amd64,
    name: "darwin-amd64",
    triple: "x86_64-apple-darwin",
    aliases: &["macos-amd64", "darwin-x86_64", "macos-x86_64", "darwin-x64"],
    format: ObjectFormat::MachO,
    convention: HostConvention::SystemV,
    page_size: 0x1000,
    cpu_features: X86_64_V2,
    padding: INT3,
    memory_image: MemoryImage::Mapped,
    executable_suffix: "",
    object_suffix: ".o",
    shared_library: ("lib", ".dylib"),
    static_library: ("lib", ".a"),
};

/// macOS on Apple silicon.
pub const DARWIN_ARM64: Target = Target {
    os: Os::Darwin,
    arch: Arch::Arm64,
    name: "darwin-arm64",
    triple: "aarch64-apple-darwin",
    aliases: &["macos-arm64", "darwin-aarch64", "macos-aarch64", "arm64-apple-darwin"],
    format: ObjectFormat::MachO,
    convention: HostConvention::AppleArm64,
    page_size: 0x4000,
    cpu_features: &[],
    padding: BRK,
    memory_image: MemoryImage::Mapped,
    executable_suffix: "",
    object_suffix: ".o",
    shared_library: ("lib", ".dylib"),
    static_library: ("lib", ".a"),
};

/// Windows on x86-64.
pub const WINDOWS_AMD64: Target = Target {
    os: Os::Windows,
    arch: Arch::Amd64,
    name: "windows-amd64",
    triple: "x86_64-pc-windows-gnullvm",
    aliases: &["x86_64-pc-windows-msvc", "x86_64-pc-windows-gnu", "windows-x86_64", "windows-x64"],
    format: ObjectFormat::Coff,
    convention: HostConvention::WindowsFastcall,
    page_size: 0x1000,
    cpu_features: X86_64_V2,
    padding: INT3,
    memory_image: MemoryImage::InPlace,
    executable_suffix: ".exe",
    object_suffix: ".obj",
    shared_library: ("", ".dll"),
    static_library: ("", ".lib"),
};

/// Windows on AArch64.
pub const WINDOWS_ARM64: Target = Target {
    os: Os::Windows,
    arch: Arch::Arm64,
    name: "windows-arm64",
    triple: "aarch64-pc-windows-gnullvm",
    aliases: &["aarch64-pc-windows-msvc", "windows-aarch64"],
    format: ObjectFormat::Coff,
    convention: HostConvention::SystemV,
    page_size: 0x1000,
    cpu_features: &[],
    padding: BRK,
    memory_image: MemoryImage::InPlace,
    executable_suffix: ".exe",
    object_suffix: ".obj",
    shared_library: ("", ".dll"),
    static_library: ("", ".lib"),
};

impl Target {
    /// Link-time address of memory 0, where the OS lets an executable have one.
    #[must_use]
    pub const fn memory_base(&self) -> Option<u64> {
        match self.memory_image {
            MemoryImage::Fixed { base } => Some(base),
            MemoryImage::Mapped | MemoryImage::InPlace => None,
        }
    }

    /// The format and architecture of its objects, in the terms of the crate `object`.
    #[must_use]
    pub const fn object_kind(&self) -> (BinaryFormat, Architecture) {
        let format = match self.format {
            ObjectFormat::Elf => BinaryFormat::Elf,
            ObjectFormat::MachO => BinaryFormat::MachO,
            ObjectFormat::Coff => BinaryFormat::Coff,
        };
        let architecture = match self.arch {
            Arch::Amd64 => Architecture::X86_64,
            Arch::Arm64 => Architecture::Aarch64,
        };
        (format, architecture)
    }

    /// Whether an entry of `.pdata` holds where the function ends; on arm64 its unwind record
    /// does. Source: the PE format, section "The .pdata Section".
    #[must_use]
    pub const fn unwind_entry_has_end(&self) -> bool {
        matches!(self.arch, Arch::Amd64)
    }

    /// The target that this very program was built for, if it is one of the six.
    #[must_use]
    pub fn host() -> Option<&'static Self> {
        let os = std::env::consts::OS;
        let arch = std::env::consts::ARCH;
        format!("{os}-{arch}").parse().ok()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// No target has that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no target is named `{0}`")]
pub struct UnknownTarget(pub String);

impl FromStr for &'static Target {
    type Err = UnknownTarget;

    /// Accepts `os/arch`, `os-arch`, the triple and the aliases, in any case.
    fn from_str(name: &str) -> Result<Self, UnknownTarget> {
        let wanted = name.to_ascii_lowercase().replace('/', "-");
        ALL.into_iter()
            .find(|target| {
                wanted == target.name
                    || wanted == target.triple
                    || target.aliases.contains(&wanted.as_str())
            })
            .ok_or_else(|| UnknownTarget(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_to_its_target_and_no_other() {
        for target in ALL {
            for name in [target.name, target.triple].iter().chain(target.aliases) {
                assert_eq!(name.parse::<&Target>().unwrap().name, target.name);
            }
        }
        assert_eq!("Linux/ARM64".parse::<&Target>().unwrap().name, "linux-arm64");
        assert!("plan9-amd64".parse::<&Target>().is_err());
    }
}
