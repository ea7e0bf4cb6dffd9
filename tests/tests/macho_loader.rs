//! The Mach-O loader refuses what macOS would refuse: what runs in it, has been checked.
//!
//! Takes an executable that Kiln made, spoils one thing at a time, and reads the loader's reason.
//! Format: `<mach-o/loader.h>`.

use std::ffi::OsStr;
use std::fs;

use kiln_targets::{Target, target};
use kiln_tests::execute::{Executed, Execution};
use kiln_tests::{kiln, large_data, trial};
use libtest_mimic::{Failed, Trial};
use sha2::{Digest as _, Sha256};

const LC_UUID: u32 = 0x1b;
const LC_SEGMENT_64: u32 = 0x19;
const LC_CODE_SIGNATURE: u32 = 0x1d;
const LC_SOURCE_VERSION: u32 = 0x2a;
const LC_BUILD_VERSION: u32 = 0x32;
const LC_MAIN: u32 = 0x8000_0028;

/// Offsets in a Mach-O header and in a segment's load command.
const CPU_TYPE: usize = 4;
const FLAGS: usize = 24;
const SEGMENT_NAME: usize = 8;
const SEGMENT_ADDRESS: usize = 24;
const SEGMENT_SIZE: usize = 32;
const SEGMENT_FILE_OFFSET: usize = 40;
const SEGMENT_FILE_SIZE: usize = 48;
const SEGMENT_MAXIMUM: usize = 56;
const SEGMENT_PROTECTION: usize = 60;

/// An executable that is being spoiled.
struct Image(Vec<u8>);

impl Image {
    fn u32(&self, offset: usize) -> u32 {
        u32::from_le_bytes(self.0[offset..offset + 4].try_into().expect("4 bytes"))
    }

    fn set_u32(&mut self, offset: usize, value: u32) {
        self.0[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
    }

    /// Offset of the first load command of that kind that `accept` accepts.
    fn find(&self, kind: u32, accept: impl Fn(usize) -> bool) -> usize {
        let mut offset = 32;
        for _ in 0..self.u32(16) {
            if self.u32(offset) == kind && accept(offset) {
                return offset;
            }
            offset += self.u32(offset + 4) as usize;
        }
        panic!("there is no load command {kind:#x} like that");
    }

    fn command(&self, kind: u32) -> usize {
        self.find(kind, |_| true)
    }

    fn segment(&self, name: &str) -> usize {
        self.find(LC_SEGMENT_64, |offset| {
            self.0[offset + SEGMENT_NAME..].starts_with(format!("{name}\0").as_bytes())
        })
    }

    fn big(bytes: &[u8]) -> u32 {
        u32::from_be_bytes(bytes[..4].try_into().expect("4 bytes"))
    }

    /// Offset of the signature's code directory, which is the first of its parts.
    fn code_directory(&self) -> usize {
        let start = self.u32(self.command(LC_CODE_SIGNATURE) + 8) as usize;
        start + Self::big(&self.0[start + 16..]) as usize
    }

    /// Makes a load command one that says nothing of importance.
    fn neutralize(&mut self, kind: u32) {
        let offset = self.command(kind);
        self.set_u32(offset, LC_SOURCE_VERSION);
    }
}

/// What is spoiled, how, and what the loader must say.
type Defect = (&'static str, fn(&mut Image), &'static str);

const DEFECTS: &[Defect] = &[
    ("changed-code", |image| image.0[0x1000] ^= 1, "hash of page"),
    ("cut-short", |image| image.0.truncate(image.0.len() - 16), "beyond the end of the file"),
    ("other-processor", |image| image.set_u32(CPU_TYPE, 7), "Bad CPU type"),
    ("not-position-independent", |image| image.set_u32(FLAGS, 0x85), "not position-independent"),
    (
        "neither-ad-hoc-nor-certified",
        |image| {
            let flags = image.code_directory() + 12;
            image.set_u32(flags, 0);
        },
        "ad-hoc",
    ),
    ("no-entry", |image| image.neutralize(LC_MAIN), "no LC_MAIN"),
    ("no-version", |image| image.neutralize(LC_BUILD_VERSION), "no LC_BUILD_VERSION"),
    ("no-uuid", |image| image.neutralize(LC_UUID), "no LC_UUID"),
    (
        "small-page-zero",
        |image| image.set_u32(image.segment("__PAGEZERO") + SEGMENT_SIZE, 0x1000),
        "__PAGEZERO",
    ),
    (
        "misaligned-segment",
        |image| image.set_u32(image.segment("__TEXT") + SEGMENT_ADDRESS, 0x200),
        "not aligned",
    ),
    (
        "writable-code",
        |image| {
            let text = image.segment("__TEXT");
            image.set_u32(text + SEGMENT_MAXIMUM, 7);
            image.set_u32(text + SEGMENT_PROTECTION, 7);
        },
        "writable and executable",
    ),
    (
        "overlapping-segments",
        |image| image.set_u32(image.segment("__LINKEDIT") + SEGMENT_ADDRESS, 0),
        "lies before the end",
    ),
];

fn execute(target: &'static Target, spoil: fn(&mut Image)) -> Result<Executed, Failed> {
    let scratch = kiln_tests::scratch()?;
    let module = kiln_tests::project().join("tests/cases/exit/forty-two.wat");
    let program = kiln::build(scratch.path(), &module, target, &[])?;
    let mut image = Image(fs::read(&program)?);
    spoil(&mut image);
    fs::write(&program, image.0)?;
    let execution = Execution::plain(target, &program, scratch.path());
    Ok(execution.run()?)
}

fn must_refuse(target: &'static Target, spoil: fn(&mut Image), reason: &str) -> Result<(), Failed> {
    let executed = execute(target, spoil)?;
    let said = String::from_utf8_lossy(&executed.stderr);
    if executed.code == 127 && said.contains(reason) {
        return Ok(());
    }
    Err(format!("not refused with {reason:?}: exit code {}\n{said}", executed.code).into())
}

/// Runs a universal executable, of which the image for `target` is taken.
fn universal(target: &'static Target) -> Result<(), Failed> {
    let scratch = kiln_tests::scratch()?;
    let module = kiln_tests::project().join("tests/cases/exit/forty-two.wat");
    let both = scratch.path().join("both");
    let args = [OsStr::new("build"), OsStr::new("--quiet"), OsStr::new("--universal")];
    let args = [&args[..], &[module.as_os_str(), OsStr::new("-o"), both.as_os_str()]].concat();
    kiln::run(scratch.path(), &args)?;
    must_exit(&Execution::plain(target, &both, scratch.path()).run()?)
}

/// What signing with a certificate changes of an executable leaves it one that runs.
fn signed(target: &'static Target) -> Result<(), Failed> {
    must_exit(&execute(target, sign)?)
}

/// A memory's contents are copied where their pages, mapped once more, could not be written: the test
/// of the module in `memory/image.wat` with a segment that may only be read.
fn unwritable(target: &'static Target) -> Result<(), Failed> {
    let scratch = kiln_tests::scratch()?;
    let module = large_data::write(scratch.path())?;
    let program = kiln::build(scratch.path(), &module, target, &[])?;
    let mut image = Image(fs::read(&program)?);
    let segment = image.segment("__KMEMORY");
    image.set_u32(segment + SEGMENT_MAXIMUM, 1);
    image.set_u32(segment + SEGMENT_PROTECTION, 1);
    sign(&mut image);
    fs::write(&program, image.0)?;
    large_data::must_end(&Execution::plain(target, &program, scratch.path()).run()?)
}

fn must_exit(executed: &Executed) -> Result<(), Failed> {
    if executed.code == 42 {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&executed.stderr);
    Err(format!("exit code {}\n{said}", executed.code).into())
}

/// Puts a signature in place of the one ad hoc as a Developer ID's is laid out: a code directory with
/// other flags and, behind it, what a certificate vouches with. It is longer by more than a page, so
/// the last segment and its load commands grow, and with them every hash changes that covers them.
/// `scripts/check-resigning` has a real tool do so; here nothing is vouched for.
/// Format: XNU's `osfmk/kern/cs_blobs.h`.
fn sign(image: &mut Image) {
    const SUPER_BLOB: [u32; 7] = [0xfade_0cc0, 0, 2, 0, 28, 0x1_0000, 0];
    const BLOB_WRAPPER: u32 = 0xfade_0b01;
    const CS_RUNTIME: u32 = 0x1_0000;
    const VOUCHER: usize = 0x5000;

    let command = image.command(LC_CODE_SIGNATURE);
    let start = image.u32(command + 8) as usize;
    let mut directory = image.0[image.code_directory()..].to_vec();
    let field = |directory: &[u8], at: usize| Image::big(&directory[at..]) as usize;
    directory.truncate(field(&directory, 4));
    directory[12..16].copy_from_slice(&CS_RUNTIME.to_be_bytes());

    let mut blob = SUPER_BLOB;
    let voucher = 28 + directory.len();
    let size = voucher + VOUCHER;
    (blob[1], blob[6]) = (size as u32, voucher as u32);
    image.0.truncate(start);
    let linkedit = image.segment("__LINKEDIT");
    let file_size = start + size - image.u32(linkedit + SEGMENT_FILE_OFFSET) as usize;
    image.set_u32(linkedit + SEGMENT_FILE_SIZE, file_size as u32);
    image.set_u32(linkedit + SEGMENT_SIZE, file_size.next_multiple_of(0x4000) as u32);
    image.set_u32(command + 12, size as u32);

    let hashes = field(&directory, 16);
    let page = 1 << directory[39];
    for (number, page) in image.0.chunks(page).enumerate() {
        directory[hashes + number * 32..][..32].copy_from_slice(&Sha256::digest(page));
    }
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect();
    let voucher: Vec<u8> = words(&[BLOB_WRAPPER, VOUCHER as u32]);
    let blob: Vec<u8> = words(&blob);
    image.0.extend([blob, directory, voucher].concat());
    image.0.resize(start + size, 0x5a);
}

fn main() {
    let mut trials: Vec<Trial> = Vec::new();
    for target in [&target::DARWIN_AMD64, &target::DARWIN_ARM64] {
        trials.push(trial::on_target("macho_loader::universal", target, || universal(target)));
        trials.push(trial::on_target("macho_loader::signed", target, || signed(target)));
        trials.push(trial::on_target("macho_loader::unwritable", target, || unwritable(target)));
        for (name, spoil, reason) in DEFECTS {
            trials.push(trial::on_target(&format!("macho_loader::{name}"), target, || {
                must_refuse(target, *spoil, reason)
            }));
        }
    }
    // Apple silicon alone insists on a signature.
    trials.push(trial::on_target("macho_loader::no-signature", &target::DARWIN_ARM64, || {
        let unsign: fn(&mut Image) = |image| image.neutralize(LC_CODE_SIGNATURE);
        must_refuse(&target::DARWIN_ARM64, unsign, "no code signature")
    }));
    trial::conclude(trials)
}
