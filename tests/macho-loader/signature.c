// Checks the code signature as the kernel does before it lets a page be executed: ad hoc, or with a
// certificate's signature over it, which is not verified.
// Source: XNU's bsd/kern/ubc_subr.c and osfmk/kern/cs_blobs.h.
#include "loader.h"
#include "macho.h"
#include "sha256.h"

#include <string.h>

static uint32_t big32(uint32_t value) {
    return __builtin_bswap32(value);
}

static void check_pages(const struct image *image, const uint8_t *hashes, uint32_t count,
                        uint32_t limit, unsigned page_log2) {
    for (uint32_t page = 0; page < count; page++) {
        const uint64_t start = (uint64_t)page << page_log2;
        uint64_t end = start + (1ull << page_log2);
        if (end > limit) end = limit;
        uint8_t digest[32];
        sha256(image->bytes + start, end - start, digest);
        REQUIRE(memcmp(digest, hashes + 32 * (uint64_t)page, 32) == 0,
                "code signature: the hash of page %u does not match", page);
    }
}

static void check_code_directory(const struct image *image, uint64_t offset, bool certified) {
    const struct code_directory *directory = image_bytes(image, offset, sizeof *directory);
    const uint32_t length = big32(directory->length), limit = big32(directory->code_limit);
    const uint32_t hashes = big32(directory->hash_offset), count = big32(directory->code_slot_count);
    const unsigned page_log2 = directory->page_size_log2;
    const struct segment *text = &image->segments[1];
    image_bytes(image, offset, length);

    REQUIRE(big32(directory->magic) == CSMAGIC_CODEDIRECTORY, "code directory: wrong magic");
    REQUIRE(big32(directory->version) >= CS_SUPPORTS_EXECSEG, "code directory: version too old");
    REQUIRE(!!(big32(directory->flags) & CS_ADHOC) == !certified,
            "code directory: marked ad-hoc in spite of a certificate, or not without one");
    REQUIRE(directory->hash_size == 32 && directory->hash_type == CS_HASHTYPE_SHA256,
            "code directory: hashes are not SHA-256");
    REQUIRE(page_log2 == 12 || page_log2 == 14, "code directory: pages of 2^%u bytes", page_log2);
    REQUIRE(limit == image->signature.offset, "code directory: its limit is not the signature's start");
    REQUIRE(count == ((uint64_t)limit + (1u << page_log2) - 1) >> page_log2,
            "code directory: %u slots", count);
    REQUIRE(hashes >= sizeof *directory + 32ull * big32(directory->special_slot_count) &&
                hashes + 32ull * count <= length,
            "code directory: its hashes lie outside it");
    const uint32_t identifier = big32(directory->identifier_offset);
    REQUIRE(identifier < length &&
                memchr((const char *)directory + identifier, 0, length - identifier),
            "code directory: its identifier does not end inside it");
    REQUIRE(__builtin_bswap64(directory->exec_segment_base) == text->file_offset &&
                __builtin_bswap64(directory->exec_segment_limit) == text->file_size &&
                __builtin_bswap64(directory->exec_segment_flags) & CS_EXECSEG_MAIN_BINARY,
            "code directory: its executable segment is not __TEXT of a main binary");
    check_pages(image, (const uint8_t *)directory + hashes, count, limit, page_log2);
}

void image_check_signature(const struct image *image) {
    const struct range signature = image->signature;
    if (signature.size == 0) {
        REQUIRE(!ARM64, "no code signature: Apple silicon kills such a process");
        return;
    }
    REQUIRE((uint64_t)signature.offset + signature.size == image->size,
            "the code signature must end the file");
    const struct super_blob *blob = image_bytes(image, signature.offset, sizeof *blob);
    REQUIRE(big32(blob->magic) == CSMAGIC_EMBEDDED_SIGNATURE, "code signature: wrong magic");
    REQUIRE(big32(blob->length) <= signature.size, "code signature: longer than its load command says");
    const uint32_t count = big32(blob->count);
    const struct blob_index *index =
        image_bytes(image, signature.offset + sizeof *blob, count * (uint64_t)sizeof *index);
    uint64_t directory = 0;
    bool certified = false;
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t place = (uint64_t)signature.offset + big32(index[i].offset);
        const struct blob *part = image_bytes(image, place, sizeof *part);
        if (big32(index[i].type) == CSSLOT_CODEDIRECTORY) directory = place;
        // Ad hoc, the certificate's blob is missing or empty.
        if (big32(index[i].type) == CSSLOT_SIGNATURESLOT) {
            REQUIRE(big32(part->magic) == CSMAGIC_BLOBWRAPPER, "code signature: wrong certificate");
            certified = big32(part->length) > sizeof *part;
        }
    }
    REQUIRE(directory, "code signature: no code directory");
    check_code_directory(image, directory, certified);
}
