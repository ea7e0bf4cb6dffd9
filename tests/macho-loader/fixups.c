// Applies the fixups that dyld applies: either chained fixups or the opcodes of dyld info.
// Sources: <mach-o/fixup-chains.h>; <mach-o/loader.h>, REBASE_OPCODE_* and BIND_OPCODE_*.
#include "loader.h"
#include "macho.h"

#include <string.h>
#include <sys/mman.h>

// The pointer at `offset` in a segment, all of it inside and writable.
static uint64_t *pointer_at(const struct image *image, unsigned index, uint64_t offset) {
    REQUIRE(index < image->segment_count, "fixup in segment %u, which does not exist", index);
    const struct segment *segment = &image->segments[index];
    REQUIRE(offset <= segment->size && segment->size - offset >= 8, "fixup outside segment %s",
            segment->name);
    REQUIRE(segment->protection & PROT_WRITE, "fixup in segment %s, which is not writable",
            segment->name);
    return (uint64_t *)(segment->address + image->slide + offset);
}

// A string of the file that ends before `end`.
static const char *string_at(const struct image *image, uint64_t offset, uint64_t end) {
    const char *string = image_bytes(image, offset, end - offset);
    REQUIRE(offset < end && memchr(string, 0, end - offset), "a symbol name in the fixups has no end");
    return string;
}

static void require_libsystem(int ordinal) {
    REQUIRE(ordinal == 1, "import from library %d, of 1", ordinal);
}

// ---- Opcodes

struct opcodes {
    const struct image *image;
    uint64_t at, end;
};

static uint8_t next_byte(struct opcodes *opcodes) {
    REQUIRE(opcodes->at < opcodes->end, "fixup opcodes end in the middle of one");
    return opcodes->image->bytes[opcodes->at++];
}

static uint64_t next_uleb(struct opcodes *opcodes) {
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        const uint8_t byte = next_byte(opcodes);
        REQUIRE(shift < 64, "fixup opcodes: a number has too many bytes");
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return value;
    }
}

static int64_t next_sleb(struct opcodes *opcodes) {
    int64_t value = 0;
    for (unsigned shift = 0;;) {
        const uint8_t byte = next_byte(opcodes);
        REQUIRE(shift < 64, "fixup opcodes: a number has too many bytes");
        value |= (int64_t)(byte & 0x7f) << shift;
        shift += 7;
        if (byte < 0x80) return byte & 0x40 && shift < 64 ? value | -(1ll << shift) : value;
    }
}

static void rebase(const struct image *image, struct range range) {
    struct opcodes opcodes = {image, range.offset, (uint64_t)range.offset + range.size};
    unsigned segment = 0;
    uint64_t offset = 0;
    while (opcodes.at < opcodes.end) {
        const uint8_t byte = next_byte(&opcodes), immediate = byte & 15;
        uint64_t count = 0, skip = 0;
        switch (byte & 0xf0) {
        case 0x00: return;
        case 0x10: REQUIRE(immediate == 1, "rebase type %u", immediate); break;
        case 0x20: segment = immediate, offset = next_uleb(&opcodes); break;
        case 0x30: offset += next_uleb(&opcodes); break;
        case 0x40: offset += immediate * 8; break;
        case 0x50: count = immediate; break;
        case 0x60: count = next_uleb(&opcodes); break;
        case 0x70: count = 1, skip = next_uleb(&opcodes); break;
        case 0x80: count = next_uleb(&opcodes), skip = next_uleb(&opcodes); break;
        default: refuse("rebase opcode %#x", byte);
        }
        for (; count; count--, offset += 8 + skip) *pointer_at(image, segment, offset) += image->slide;
    }
}

static void bind(const struct image *image, struct range range, bool lazy) {
    struct opcodes opcodes = {image, range.offset, (uint64_t)range.offset + range.size};
    unsigned segment = 0;
    uint64_t offset = 0;
    const char *name = "";
    bool weak = false;
    int ordinal = 0;
    int64_t addend = 0;
    while (opcodes.at < opcodes.end) {
        const uint8_t byte = next_byte(&opcodes), immediate = byte & 15;
        uint64_t count = 0, skip = 0;
        switch (byte & 0xf0) {
        case 0x00:
            // In lazy opcodes it ends one binding, else all of them.
            if (!lazy) return;
            break;
        case 0x10: ordinal = immediate; break;
        case 0x20: ordinal = (int)next_uleb(&opcodes); break;
        case 0x30: ordinal = immediate ? (int8_t)(0xf0 | immediate) : 0; break;
        case 0x40:
            weak = immediate & 1;
            name = string_at(image, opcodes.at, opcodes.end);
            opcodes.at += strlen(name) + 1;
            break;
        case 0x50: REQUIRE(immediate == 1, "bind type %u", immediate); break;
        case 0x60: addend = next_sleb(&opcodes); break;
        case 0x70: segment = immediate, offset = next_uleb(&opcodes); break;
        case 0x80: offset += next_uleb(&opcodes); break;
        case 0x90: count = 1; break;
        case 0xa0: count = 1, skip = next_uleb(&opcodes); break;
        case 0xb0: count = 1, skip = immediate * 8; break;
        case 0xc0: count = next_uleb(&opcodes), skip = next_uleb(&opcodes); break;
        default: refuse("bind opcode %#x", byte);
        }
        if (count) require_libsystem(ordinal);
        for (; count; count--, offset += 8 + skip)
            *pointer_at(image, segment, offset) = import_address(name, weak) + addend;
    }
}

// ---- Chained fixups

// The address of import number `index`, with the addend of its table.
static uint64_t chained_import(const struct image *image, const struct chained_fixups_header *header,
                               uint32_t index) {
    const struct range range = image->chained_fixups;
    const uint64_t end = (uint64_t)range.offset + range.size;
    const uint64_t imports = (uint64_t)range.offset + header->imports_offset;
    REQUIRE(index < header->import_count, "chained fixups: import %u of %u", index, header->import_count);

    uint64_t name;
    int ordinal;
    bool weak;
    int64_t addend = 0;
    if (header->imports_format == CHAINED_IMPORT_ADDEND64) {
        const uint64_t *entry = image_bytes(image, imports + 16ull * index, 16);
        ordinal = (int16_t)entry[0], weak = entry[0] >> 16 & 1, name = entry[0] >> 32;
        addend = (int64_t)entry[1];
    } else {
        const bool wide = header->imports_format == CHAINED_IMPORT_ADDEND;
        const uint32_t *entry = image_bytes(image, imports + (wide ? 8ull : 4ull) * index, wide ? 8 : 4);
        ordinal = (int8_t)entry[0], weak = entry[0] >> 8 & 1, name = entry[0] >> 9;
        if (wide) addend = (int32_t)entry[1];
    }
    require_libsystem(ordinal);
    return import_address(string_at(image, (uint64_t)range.offset + header->symbols_offset + name, end),
                          weak) + addend;
}

// Follows one page's chain from its first pointer.
static void apply_chain(const struct image *image, const struct chained_fixups_header *header,
                        unsigned segment, uint64_t offset, uint16_t format) {
    for (;;) {
        uint64_t *const pointer = pointer_at(image, segment, offset);
        const uint64_t value = *pointer;
        const uint64_t next = value >> 51 & 0xfff;
        if (value >> 63) {
            *pointer = chained_import(image, header, value & 0xffffff) + (value >> 24 & 0xff);
        } else {
            const uint64_t target = value & 0xfffffffff, high = value >> 36 & 0xff;
            const uint64_t base = format == CHAINED_PTR_64_OFFSET ? image->preferred : 0;
            *pointer = (base + target + image->slide) | high << 56;
        }
        if (next == 0) return;
        offset += 4 * next;
    }
}

static void apply_chained_fixups(const struct image *image) {
    const struct range range = image->chained_fixups;
    const struct chained_fixups_header *header = image_bytes(image, range.offset, sizeof *header);
    REQUIRE(header->version == 0 && header->symbols_format == 0, "chained fixups: unknown version");
    REQUIRE(header->imports_format >= CHAINED_IMPORT && header->imports_format <= CHAINED_IMPORT_ADDEND64,
            "chained fixups: imports format %u", header->imports_format);

    const uint64_t starts_offset = (uint64_t)range.offset + header->starts_offset;
    const uint32_t count = *(const uint32_t *)image_bytes(image, starts_offset, 4);
    const uint32_t *offsets = image_bytes(image, starts_offset + 4, 4ull * count);
    REQUIRE(count == image->segment_count, "chained fixups for %u segments of %u", count,
            image->segment_count);
    for (uint32_t i = 0; i < count; i++) {
        if (offsets[i] == 0) continue;
        const struct chained_starts *starts =
            image_bytes(image, starts_offset + offsets[i], sizeof *starts);
        const uint8_t *page_starts = (const uint8_t *)(starts + 1);
        REQUIRE(starts->size >= sizeof *starts + 2 * starts->page_count,
                "chained fixups: the starts of segment %u are cut short", i);
        image_bytes(image, starts_offset + offsets[i], starts->size);
        REQUIRE(starts->page_size == 0x1000 || starts->page_size == 0x4000,
                "chained fixups: pages of %#x bytes", starts->page_size);
        REQUIRE(starts->pointer_format == CHAINED_PTR_64 || starts->pointer_format == CHAINED_PTR_64_OFFSET,
                "chained fixups: pointer format %u", starts->pointer_format);
        REQUIRE(starts->segment_offset == image->segments[i].address - image->preferred,
                "chained fixups: wrong offset of segment %u", i);
        for (uint16_t page = 0; page < starts->page_count; page++) {
            uint16_t first;
            memcpy(&first, page_starts + 2 * page, 2);
            if (first == CHAINED_PTR_START_NONE) continue;
            apply_chain(image, header, i, (uint64_t)page * starts->page_size + first,
                        starts->pointer_format);
        }
    }
}

void image_apply_fixups(const struct image *image) {
    if (image->chained_fixups.size) apply_chained_fixups(image);
    rebase(image, image->rebase);
    bind(image, image->bind, false);
    bind(image, image->weak_bind, false);
    bind(image, image->lazy_bind, true);
}
