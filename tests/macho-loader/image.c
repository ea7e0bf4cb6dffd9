// Reads a Mach-O executable, checks what macOS's kernel and dyld check, and maps it.
//
// Sources: XNU's bsd/kern/mach_loader.c; dyld's MachOFile and MachOAnalyzer.
#include "loader.h"
#include "macho.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

const void *image_bytes(const struct image *image, uint64_t offset, uint64_t size) {
    REQUIRE(offset <= image->size && size <= image->size - offset,
            "%#llx bytes at file offset %#llx lie beyond the end of the file",
            (unsigned long long)size, (unsigned long long)offset);
    return image->bytes + offset;
}

enum { CPU_TYPE = ARM64 ? CPU_TYPE_ARM64 : CPU_TYPE_X86_64 };

// ---- Load commands

// A table in __LINKEDIT.
struct table {
    const char *name;
    struct range range;
    uint32_t alignment;
};

// What is known while the load commands are read.
struct reader {
    struct image *image;
    uint32_t dylib_count;
    bool dyld, dyld_info, macos, uuid, main, symtab, dysymtab;
    struct table tables[16];
    unsigned table_count;
};

static struct range add_table(struct reader *reader, const char *name, uint32_t offset,
                              uint32_t size, uint32_t alignment) {
    const struct range range = {offset, size};
    if (size == 0) return range;
    REQUIRE(reader->table_count < 16, "too many tables in __LINKEDIT");
    REQUIRE(offset % alignment == 0, "mis-aligned __LINKEDIT content: %s", name);
    reader->tables[reader->table_count++] = (struct table){name, range, alignment};
    return range;
}

static void check_section(const struct segment *segment, const struct section *section) {
    const uint64_t end = section->address + section->size;
    const unsigned type = section->flags & SECTION_TYPE;
    REQUIRE(section->address >= segment->address && end >= section->address &&
                end <= segment->address + segment->size,
            "section %.16s lies outside its segment", section->name);
    REQUIRE(type != S_MOD_INIT_FUNC_POINTERS && type != S_INIT_FUNC_OFFSETS,
            "section %.16s: this loader runs no initialisers", section->name);
    REQUIRE(type < S_THREAD_LOCAL_REGULAR || type > S_THREAD_LOCAL_INIT_FUNCTION_POINTERS,
            "section %.16s: this loader has no thread-local variables", section->name);
    if (type == S_ZEROFILL || type == S_GB_ZEROFILL) return;
    REQUIRE(section->offset - segment->file_offset == section->address - segment->address,
            "section %.16s: its file offset does not match its address", section->name);
    REQUIRE(section->offset + section->size <= segment->file_offset + segment->file_size,
            "section %.16s lies outside its segment's part of the file", section->name);
}

static void read_segment(struct reader *reader, const struct segment_command *command) {
    struct image *image = reader->image;
    REQUIRE(image->segment_count < 16, "more than 16 segments");
    struct segment *segment = &image->segments[image->segment_count++];
    memcpy(segment->name, command->name, 16);
    segment->address = command->address;
    segment->size = command->memory_size;
    segment->file_offset = command->file_offset;
    segment->file_size = command->file_size;
    segment->protection = command->initial_protection;
    segment->read_only_after_fixups = command->flags & SG_READ_ONLY;

    const char *name = segment->name;
    REQUIRE(command->size == sizeof *command + command->section_count * sizeof(struct section),
            "segment %s: its load command has the wrong size", name);
    REQUIRE(segment->address % PAGE_SIZE == 0 && segment->file_offset % PAGE_SIZE == 0,
            "segment %s is not aligned to pages of %#x bytes", name, PAGE_SIZE);
    REQUIRE(segment->address + segment->size >= segment->address, "segment %s wraps around", name);
    REQUIRE(segment->file_size <= segment->size, "segment %s: filesize exceeds vmsize", name);
    image_bytes(image, segment->file_offset, segment->file_size);
    REQUIRE((segment->protection & ~command->maximum_protection) == 0,
            "segment %s: its protection exceeds the maximum", name);
    REQUIRE((segment->protection & (PROT_WRITE | PROT_EXEC)) != (PROT_WRITE | PROT_EXEC),
            "segment %s is writable and executable", name);

    const struct section *sections = (const struct section *)(command + 1);
    for (uint32_t i = 0; i < command->section_count; i++) check_section(segment, &sections[i]);
}

static const char *command_name(const struct name_command *command) {
    const char *name = (const char *)command + command->name_offset;
    REQUIRE(command->name_offset >= sizeof *command && command->name_offset < command->size &&
                memchr(name, 0, command->size - command->name_offset),
            "load command %#x: its name does not end inside it", command->command);
    return name;
}

static void read_dyld_info(struct reader *reader, const struct dyld_info_command *info) {
    struct image *image = reader->image;
    reader->dyld_info = true;
    image->rebase = add_table(reader, "rebase opcodes", info->rebase_offset, info->rebase_size, 8);
    image->bind = add_table(reader, "bind opcodes", info->bind_offset, info->bind_size, 8);
    image->weak_bind =
        add_table(reader, "weak bind opcodes", info->weak_bind_offset, info->weak_bind_size, 8);
    image->lazy_bind =
        add_table(reader, "lazy bind opcodes", info->lazy_bind_offset, info->lazy_bind_size, 8);
    add_table(reader, "exports trie", info->export_offset, info->export_size, 8);
}

static void read_symtab(struct reader *reader, const struct symtab_command *symtab) {
    reader->symtab = true;
    add_table(reader, "symbol table", symtab->symbols_offset, symtab->symbol_count * 16, 8);
    add_table(reader, "string pool", symtab->strings_offset, symtab->strings_size, 1);
}

static void read_build_version(struct reader *reader, const struct build_version_command *build) {
    REQUIRE(build->platform == PLATFORM_MACOS, "platform %u is not macOS", build->platform);
    REQUIRE(build->minimum_os && build->sdk, "LC_BUILD_VERSION names no version");
    reader->macos = true;
}

static void read_command(struct reader *reader, const struct load_command *command) {
    struct image *image = reader->image;
    const void *body = command;
    const struct linkedit_command *linkedit = body;
    switch (command->command) {
    case LC_SEGMENT_64: read_segment(reader, body); break;
    case LC_DYLD_INFO:
    case LC_DYLD_INFO_ONLY: read_dyld_info(reader, body); break;
    case LC_DYLD_CHAINED_FIXUPS:
        image->chained_fixups =
            add_table(reader, "chained fixups", linkedit->offset, linkedit->data_size, 8);
        break;
    case LC_DYLD_EXPORTS_TRIE:
        add_table(reader, "exports trie", linkedit->offset, linkedit->data_size, 8);
        break;
    case LC_FUNCTION_STARTS:
        add_table(reader, "function starts", linkedit->offset, linkedit->data_size, 8);
        break;
    case LC_DATA_IN_CODE:
        add_table(reader, "data in code", linkedit->offset, linkedit->data_size, 8);
        break;
    case LC_CODE_SIGNATURE:
        image->signature =
            add_table(reader, "code signature", linkedit->offset, linkedit->data_size, 16);
        break;
    case LC_SYMTAB: read_symtab(reader, body); break;
    case LC_DYSYMTAB: {
        const struct dysymtab_command *dysymtab = body;
        reader->dysymtab = true;
        add_table(reader, "indirect symbols", dysymtab->indirect_offset,
                  dysymtab->indirect_count * 4, 4);
        break;
    }
    case LC_LOAD_DYLIB:
        REQUIRE(!strcmp(command_name(body), "/usr/lib/libSystem.B.dylib"),
                "Library not loaded: %s", command_name(body));
        reader->dylib_count++;
        break;
    case LC_LOAD_DYLINKER:
        REQUIRE(!strcmp(command_name(body), "/usr/lib/dyld"), "unknown linker %s", command_name(body));
        reader->dyld = true;
        break;
    case LC_BUILD_VERSION: read_build_version(reader, body); break;
    case LC_MAIN: {
        const struct entry_command *entry = body;
        REQUIRE(!reader->main, "more than one LC_MAIN");
        image->entry = entry->entry_offset;
        image->stack_size = entry->stack_size;
        reader->main = true;
        break;
    }
    case LC_UUID: reader->uuid = true; break;
    case LC_SOURCE_VERSION: break;
    default: refuse("load command %#x is unknown to this loader", command->command);
    }
}

// ---- The whole

static void check_segments(struct image *image) {
    const struct segment *zero = &image->segments[0], *text = &image->segments[1];
    REQUIRE(image->segment_count >= 3, "fewer than 3 segments");
    REQUIRE(!strcmp(zero->name, "__PAGEZERO") && zero->address == 0 && zero->size == 1ull << 32 &&
                zero->file_size == 0 && zero->protection == 0,
            "the first segment must be __PAGEZERO, 4 GiB without access");
    REQUIRE(!strcmp(text->name, "__TEXT") && text->file_offset == 0 && text->file_size != 0 &&
                text->protection == (PROT_READ | PROT_EXEC),
            "the second segment must be __TEXT, r-x, from the start of the file");
    image->preferred = text->address;
    for (unsigned i = 1; i < image->segment_count; i++) {
        const struct segment *former = &image->segments[i - 1], *segment = &image->segments[i];
        REQUIRE(segment->address >= former->address + former->size,
                "segment %s lies before the end of %s", segment->name, former->name);
        REQUIRE(segment->file_size == 0 ||
                    segment->file_offset >= former->file_offset + former->file_size,
                "segment %s lies in the file before the end of %s", segment->name, former->name);
    }
    const struct segment *last = &image->segments[image->segment_count - 1];
    REQUIRE(!strcmp(last->name, "__LINKEDIT") && last->protection == PROT_READ,
            "the last segment must be __LINKEDIT, r--");
    REQUIRE(last->file_offset + last->file_size == image->size, "__LINKEDIT must end the file");
}

static int compare_tables(const void *left, const void *right) {
    const struct table *a = left, *b = right;
    return a->range.offset < b->range.offset ? -1 : a->range.offset > b->range.offset;
}

// Every table must lie inside __LINKEDIT, and none inside another.
static void check_tables(struct reader *reader) {
    const struct image *image = reader->image;
    const struct segment *linkedit = &image->segments[image->segment_count - 1];
    qsort(reader->tables, reader->table_count, sizeof *reader->tables, compare_tables);
    uint64_t end = linkedit->file_offset;
    for (unsigned i = 0; i < reader->table_count; i++) {
        const struct table *table = &reader->tables[i];
        REQUIRE(table->range.offset >= end, "__LINKEDIT: %s overlaps what stands before it", table->name);
        end = (uint64_t)table->range.offset + table->range.size;
        REQUIRE(end <= image->size, "__LINKEDIT: %s lies beyond the end of the file", table->name);
    }
}

// Leaves of a universal file the image for this processor: bsd/kern/mach_fat.c.
static void choose_image(struct image *image) {
    const struct fat_header *header = image_bytes(image, 0, sizeof *header);
    if (__builtin_bswap32(header->magic) != FAT_MAGIC) return;
    const uint32_t count = __builtin_bswap32(header->count);
    const struct fat_arch *images =
        image_bytes(image, sizeof *header, count * (uint64_t)sizeof *images);
    for (uint32_t i = 0; i < count; i++) {
        if (__builtin_bswap32(images[i].cpu_type) != CPU_TYPE) continue;
        const uint32_t offset = __builtin_bswap32(images[i].offset);
        const uint32_t size = __builtin_bswap32(images[i].size);
        REQUIRE(offset % PAGE_SIZE == 0, "the image in a universal file is not on a page");
        image->bytes = image_bytes(image, offset, size);
        image->start = offset;
        image->size = size;
        return;
    }
    refuse("Bad CPU type: no image for this processor");
}

void image_read(struct image *image, const char *path) {
    struct stat status;
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    REQUIRE(file >= 0 && fstat(file, &status) == 0, "cannot open %s", path);
    REQUIRE(status.st_mode & 0111, "%s is not executable", path);
    image->path = path;
    image->size = status.st_size;
    image->bytes = mmap(NULL, image->size, PROT_READ, MAP_PRIVATE, file, 0);
    REQUIRE(image->bytes != MAP_FAILED, "cannot read %s", path);
    close(file);
    choose_image(image);

    const struct mach_header *header = image_bytes(image, 0, sizeof *header);
    REQUIRE(header->magic == MH_MAGIC_64, "%s is no 64-bit Mach-O file", path);
    REQUIRE(header->cpu_type == CPU_TYPE, "Bad CPU type %#x",
            header->cpu_type);
    REQUIRE(header->file_type == MH_EXECUTE, "not an executable");
    REQUIRE(header->flags & MH_PIE, "not position-independent");
    REQUIRE((header->flags & MH_DYLDLINK) && (header->flags & MH_TWOLEVEL),
            "not linked for dyld with two-level names");

    struct reader reader = {.image = image};
    uint64_t offset = sizeof *header;
    const uint64_t end = offset + header->commands_size;
    image_bytes(image, offset, header->commands_size);
    for (uint32_t i = 0; i < header->command_count; i++) {
        const struct load_command *command = image_bytes(image, offset, sizeof *command);
        REQUIRE(command->size >= sizeof *command && command->size % 8 == 0 &&
                    command->size <= end - offset,
                "load command %u has the wrong size", i);
        read_command(&reader, command);
        offset += command->size;
    }
    REQUIRE(offset == end, "the load commands' sizes do not add up");

    check_segments(image);
    check_tables(&reader);
    const struct segment *text = &image->segments[1];
    REQUIRE(end <= text->file_size, "the load commands reach beyond __TEXT");
    REQUIRE(reader.dyld, "no LC_LOAD_DYLINKER");
    REQUIRE(reader.dylib_count == 1, "%u LC_LOAD_DYLIB of libSystem", reader.dylib_count);
    REQUIRE(reader.macos, "no LC_BUILD_VERSION");
    REQUIRE(reader.uuid, "no LC_UUID");
    REQUIRE(reader.symtab && reader.dysymtab, "no LC_SYMTAB or LC_DYSYMTAB");
    REQUIRE(reader.main, "no LC_MAIN");
    REQUIRE(image->entry >= end && image->entry < text->file_size, "LC_MAIN leads out of __TEXT");
    REQUIRE(!(image->chained_fixups.size && reader.dyld_info),
            "both chained fixups and dyld info");
}

// ---- Mapping

// macOS keeps the first 4 GiB free of anything.
static void check_page_zero(void) {
    void *const low = (void *)0x10000;
    const uint64_t size = (1ull << 32) - 0x10000;
    void *const got = mmap(low, size, PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0);
    REQUIRE(got == low, "this system has mappings in the first 4 GiB");
    munmap(low, size);
}

// Maps a part of the file, to be read and written, in whole pages of Darwin's.
static void map_file(const struct image *image, void *to, uint64_t offset, uint64_t size) {
    const int file = open(image->path, O_RDONLY | O_CLOEXEC);
    REQUIRE(file >= 0, "cannot open %s", image->path);
    const void *const got = mmap(to, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, file,
                                 image->start + offset);
    REQUIRE(got == to, "cannot map %s", image->path);
    close(file);
}

static const struct image *mapped;

int image_map_again(uint64_t from, void *to, uint64_t size) {
    const uint64_t address = from - mapped->slide;
    for (unsigned i = 1; i < mapped->segment_count; i++) {
        const struct segment *segment = &mapped->segments[i];
        const uint64_t offset = address - segment->address;
        if (address < segment->address || offset + size > segment->file_size) continue;
        map_file(mapped, to, segment->file_offset + offset, size);
        mprotect(to, size, (int)segment->protection);
        return (int)segment->protection;
    }
    return -1;
}

void image_map(struct image *image) {
    mapped = image;
    check_page_zero();
    const struct segment *last = &image->segments[image->segment_count - 1];
    const uint64_t size = round_to_page(last->address + last->size) - image->preferred;

    uint16_t random;
    REQUIRE(getrandom(&random, sizeof random, 0) == sizeof random, "no random numbers");
    image->slide = (int64_t)(random + 1) * 0x4000;
    void *const base = (void *)(image->preferred + image->slide);
    void *const got = mmap(base, size, PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0);
    REQUIRE(got == base, "no room for the image at %p", base);

    for (unsigned i = 1; i < image->segment_count; i++) {
        const struct segment *segment = &image->segments[i];
        void *const start = (void *)(segment->address + image->slide);
        if (segment->size == 0) continue;
        const uint64_t whole = segment->file_size / PAGE_SIZE * PAGE_SIZE;
        mprotect(start, round_to_page(segment->size), PROT_READ | PROT_WRITE);
        if (whole) map_file(image, start, segment->file_offset, whole);
        memcpy((char *)start + whole, image->bytes + segment->file_offset + whole,
               segment->file_size - whole);
    }
}

void image_protect(const struct image *image) {
    for (unsigned i = 1; i < image->segment_count; i++) {
        const struct segment *segment = &image->segments[i];
        char *const start = (char *)(segment->address + image->slide);
        const int protection = segment->read_only_after_fixups ? PROT_READ : (int)segment->protection;
        if (segment->size == 0) continue;
        REQUIRE(mprotect(start, round_to_page(segment->size), protection) == 0,
                "cannot protect segment %s", segment->name);
        if (protection & PROT_EXEC) __builtin___clear_cache(start, start + segment->size);
    }
}
