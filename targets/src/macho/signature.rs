//! The ad-hoc code signature, as linkers sign: hashes of all pages and nothing else.
//!
//! Without it, arm64 kernels kill the process. Whoever has a certificate replaces it later.
//!
//! Source: Apple `kern/cs_blobs.h`.

use object::macho;
use object::write::macho::{CodeDirectory, CodeSignatureEncoder};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

/// Alignment of the signature in the file.
pub(super) const ALIGN: usize = 16;

/// Binary logarithm of [`PAGE`].
const PAGE_LOG2: u8 = 12;
/// Bytes that each hash covers, whatever the hardware's page is.
pub(super) const PAGE: usize = 1 << PAGE_LOG2;

const HASH_SIZE: usize = 32;

/// Offset of the code directory: behind the header of the blob and its only entry, on 8 bytes.
fn directory_offset() -> usize {
    let encoder = CodeSignatureEncoder;
    ((encoder.super_blob_size() + encoder.blob_index_size()) as usize).next_multiple_of(8)
}

fn header_size() -> usize {
    CodeSignatureEncoder.code_directory_size(macho::CS_SUPPORTSEXECSEG) as usize
}

/// Offset of the page hashes in the signature.
fn hash_offset(identifier: &str) -> usize {
    (directory_offset() + header_size() + identifier.len() + 1).next_multiple_of(ALIGN)
}

/// Bytes of the signature of a file of `code_size` bytes.
pub(super) fn size(code_size: usize, identifier: &str) -> usize {
    hash_offset(identifier) + code_size.div_ceil(PAGE) * HASH_SIZE
}

/// The hashes of the pages of `file`.
pub(super) fn hash_pages(file: &[u8]) -> Vec<[u8; HASH_SIZE]> {
    file.par_chunks(PAGE).map(|page| Sha256::digest(page).into()).collect()
}

/// Appends the signature of everything in `file`, whose `__TEXT` segment has `text` bytes from
/// the file's start on, and whose pages have these `hashes`.
pub(super) fn append(file: &mut Vec<u8>, hashes: &[[u8; HASH_SIZE]], identifier: &str, text: u64) {
    let size = size(file.len(), identifier);
    let start = file.len();
    let directory = directory_offset();
    let encoder = CodeSignatureEncoder;
    let mut signature = Vec::with_capacity(size);
    encoder.signature_super_blob(&mut signature, size as u32, 1);
    encoder.blob_index(&mut signature, macho::CSSLOT_CODEDIRECTORY, directory as u32);
    signature.resize(directory, 0);
    encoder.code_directory(
        &mut signature,
        &CodeDirectory {
            length: (size - directory) as u32,
            version: macho::CS_SUPPORTSEXECSEG,
            flags: macho::CsFlags(macho::CS_ADHOC.0 | macho::CS_LINKER_SIGNED.0),
            hash_offset: (hash_offset(identifier) - directory) as u32,
            ident_offset: header_size() as u32,
            n_special_slots: 0,
            n_code_slots: hashes.len() as u32,
            code_limit: start as u64,
            hash_size: HASH_SIZE as u8,
            hash_type: macho::CS_HASHTYPE_SHA256,
            platform: 0,
            page_size: PAGE_LOG2,
            scatter_offset: 0,
            team_offset: 0,
            exec_seg_base: 0,
            exec_seg_limit: text,
            exec_seg_flags: macho::CS_EXECSEG_MAIN_BINARY,
        },
    );
    signature.extend_from_slice(identifier.as_bytes());
    signature.resize(hash_offset(identifier), 0);
    hashes.iter().for_each(|hash| signature.extend_from_slice(hash));
    file.extend_from_slice(&signature);
}
