// The Mach-O structures that the loader reads. Source: <mach-o/loader.h>, <mach-o/fixup-chains.h>,
// <kern/cs_blobs.h> of Apple's open source releases. Shortened names; every field is little-endian
// but those of the code signature.
#pragma once
#include <stdint.h>

enum {
    MH_MAGIC_64 = 0xfeedfacf,
    CPU_TYPE_X86_64 = 0x01000007,
    CPU_TYPE_ARM64 = 0x0100000c,
    MH_EXECUTE = 2,
    MH_DYLDLINK = 0x4,
    MH_TWOLEVEL = 0x80,
    MH_PIE = 0x200000,
};

// <mach-o/fat.h>: a universal file, whose fields are big-endian.
enum : uint32_t { FAT_MAGIC = 0xcafebabe };

struct fat_header {
    uint32_t magic, count;
};

struct fat_arch {
    uint32_t cpu_type, cpu_subtype, offset, size, alignment;
};

struct mach_header {
    uint32_t magic, cpu_type, cpu_subtype, file_type, command_count, commands_size, flags, reserved;
};

enum : uint32_t {
    LC_SYMTAB = 0x2,
    LC_DYSYMTAB = 0xb,
    LC_LOAD_DYLIB = 0xc,
    LC_LOAD_DYLINKER = 0xe,
    LC_SEGMENT_64 = 0x19,
    LC_UUID = 0x1b,
    LC_CODE_SIGNATURE = 0x1d,
    LC_DYLD_INFO = 0x22,
    LC_FUNCTION_STARTS = 0x26,
    LC_DATA_IN_CODE = 0x29,
    LC_SOURCE_VERSION = 0x2a,
    LC_BUILD_VERSION = 0x32,
    LC_DYLD_INFO_ONLY = 0x80000022,
    LC_MAIN = 0x80000028,
    LC_DYLD_EXPORTS_TRIE = 0x80000033,
    LC_DYLD_CHAINED_FIXUPS = 0x80000034,
};

struct load_command {
    uint32_t command, size;
};

enum { SG_READ_ONLY = 0x10 };

struct segment_command {
    uint32_t command, size;
    char name[16];
    uint64_t address, memory_size, file_offset, file_size;
    uint32_t maximum_protection, initial_protection, section_count, flags;
};

enum {
    SECTION_TYPE = 0xff,
    S_ZEROFILL = 0x1,
    S_MOD_INIT_FUNC_POINTERS = 0x9,
    S_GB_ZEROFILL = 0xc,
    S_THREAD_LOCAL_REGULAR = 0x11,
    S_THREAD_LOCAL_INIT_FUNCTION_POINTERS = 0x15,
    S_INIT_FUNC_OFFSETS = 0x16,
};

struct section {
    char name[16], segment[16];
    uint64_t address, size;
    uint32_t offset, align, relocation_offset, relocation_count, flags, reserved1, reserved2, reserved3;
};

struct linkedit_command {
    uint32_t command, size, offset, data_size;
};

struct dyld_info_command {
    uint32_t command, size;
    uint32_t rebase_offset, rebase_size, bind_offset, bind_size, weak_bind_offset, weak_bind_size;
    uint32_t lazy_bind_offset, lazy_bind_size, export_offset, export_size;
};

struct symtab_command {
    uint32_t command, size, symbols_offset, symbol_count, strings_offset, strings_size;
};

struct dysymtab_command {
    uint32_t command, size;
    uint32_t first_local, local_count, first_defined, defined_count, first_undefined, undefined_count;
    uint32_t unused[6];
    uint32_t indirect_offset, indirect_count;
    uint32_t unused_relocations[4];
};

struct name_command {  // LC_LOAD_DYLIB, LC_LOAD_DYLINKER
    uint32_t command, size, name_offset;
};

struct build_version_command {
    uint32_t command, size, platform, minimum_os, sdk, tool_count;
};
enum { PLATFORM_MACOS = 1 };

struct entry_command {
    uint32_t command, size;
    uint64_t entry_offset, stack_size;
};

struct chained_fixups_header {
    uint32_t version, starts_offset, imports_offset, symbols_offset, import_count, imports_format;
    uint32_t symbols_format;
};
enum { CHAINED_IMPORT = 1, CHAINED_IMPORT_ADDEND = 2, CHAINED_IMPORT_ADDEND64 = 3 };

struct chained_starts {  // followed by page_count 16-bit page starts
    uint32_t size;
    uint16_t page_size, pointer_format;
    uint64_t segment_offset;
    uint32_t max_valid_pointer;
    uint16_t page_count;
} __attribute__((packed));
enum { CHAINED_PTR_64 = 2, CHAINED_PTR_64_OFFSET = 6, CHAINED_PTR_START_NONE = 0xffff };

// Code signature: big-endian.
enum : uint32_t {
    CSMAGIC_EMBEDDED_SIGNATURE = 0xfade0cc0,
    CSMAGIC_CODEDIRECTORY = 0xfade0c02,
    CSMAGIC_BLOBWRAPPER = 0xfade0b01,
    CSSLOT_CODEDIRECTORY = 0,
    CSSLOT_SIGNATURESLOT = 0x10000,
};
enum { CS_ADHOC = 0x2, CS_HASHTYPE_SHA256 = 2, CS_EXECSEG_MAIN_BINARY = 1, CS_SUPPORTS_EXECSEG = 0x20400 };

struct blob {
    uint32_t magic, length;
};

struct super_blob {
    uint32_t magic, length, count;
};
struct blob_index {
    uint32_t type, offset;
};
struct code_directory {
    uint32_t magic, length, version, flags, hash_offset, identifier_offset, special_slot_count;
    uint32_t code_slot_count, code_limit;
    uint8_t hash_size, hash_type, platform, page_size_log2;
    uint32_t spare2, scatter_offset, team_offset, spare3;
    uint64_t code_limit_64, exec_segment_base, exec_segment_limit, exec_segment_flags;
} __attribute__((packed));
