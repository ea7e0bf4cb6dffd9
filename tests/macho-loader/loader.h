// A loader of Mach-O executables on Linux: what its files share.
//
// Maps an executable for macOS of this machine's architecture, refuses what macOS's kernel and
// dyld refuse, binds its imports of libSystem to functions of the same meaning in Darwin's ABI
// (structures, numbers of errors, flags and signals, calls), and enters it at LC_MAIN. It makes
// no attempt to be libSystem: what is missing here is reported by name.
//
//   main.c        the stages, in order
//   image.c       header, load commands, segments: checked and mapped
//   signature.c   the code signature's page hashes; who signed is not asked
//   fixups.c      chained fixups and dyld-info opcodes
//   imports.c     names of imports; gate.S the calls through which they are reached
//   files.c, directories.c, memory.c, time.c, sockets.c, threads.c, signals.c, process.c
//                 the functions themselves, by topic
#pragma once
#define _GNU_SOURCE
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __aarch64__
enum { ARM64 = 1, PAGE_SIZE = 0x4000 };
#else
enum { ARM64 = 0, PAGE_SIZE = 0x1000 };
#endif

static inline uint64_t round_to_page(uint64_t bytes) {
    return (bytes + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
}

// Ends the process with exit code 127: the executable, or a call that it made, is nothing that
// macOS would accept or that this loader knows.
[[noreturn]] void refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define REQUIRE(condition, ...) \
    do { \
        if (!(condition)) refuse(__VA_ARGS__); \
    } while (0)

// ---- The executable

struct segment {
    char name[17];
    uint64_t address, size;          // in memory, before sliding
    uint64_t file_offset, file_size;
    uint32_t protection;             // PROT_* have the same values on both systems
    bool read_only_after_fixups;
};

struct range {
    uint32_t offset, size;           // in the file; size 0 when absent
};

struct image {
    const char *path;
    const uint8_t *bytes;            // the file
    uint64_t size;
    uint64_t start;                  // offset of the image in a universal file
    struct segment segments[16];
    unsigned segment_count;
    int64_t slide;
    uint64_t preferred;              // address of __TEXT before sliding
    uint64_t entry;                  // file offset of main
    uint64_t stack_size;             // what LC_MAIN asks for; 0 leaves it to the system
    struct range signature, chained_fixups;
    struct range rebase, bind, weak_bind, lazy_bind;
};

// Bytes of the file from `offset`, all of them inside it.
const void *image_bytes(const struct image *image, uint64_t offset, uint64_t size);

void image_read(struct image *image, const char *path);
void image_check_signature(const struct image *image);
void image_map(struct image *image);
// Maps what lies at `from` in a segment once more, as it stands in the file, at `to`: whole pages,
// each copied when it is written. Gives their protection, or -1 where no segment has as many.
int image_map_again(uint64_t from, void *to, uint64_t size);
void image_apply_fixups(const struct image *image);
void image_protect(const struct image *image);

// ---- Imports

// A function of libSystem. `fixed` is the number of arguments before the variadic ones, or PLAIN,
// or, with more than eight, MANY; a variable's is VARIABLE.
struct export {
    const char *name;
    const void *function;
    int fixed;
};

enum { PLAIN = -1, MANY = -2, VARIABLE = -3 };
#define FUNCTION(name, function) {"_" name, function, PLAIN}
#define LONG_FUNCTION(name, function) {"_" name, function, MANY}
#define DATA(name, variable) {"_" name, variable, VARIABLE}
#define VARIADIC(name, fixed, function) {"_" name, function, fixed}

// On amd64 the plain names of functions that speak of inodes are those of an older ABI with
// 32-bit inodes, and the present ones carry a suffix; on arm64 there is no older ABI.
// Source: <sys/cdefs.h>, __DARWIN_INODE64.
#ifdef __aarch64__
#define INODE64(name, function) FUNCTION(name, function)
#else
#define INODE64(name, function) FUNCTION(name "$INODE64", function)
#endif

// What stands for `...`. Apple's arm64 convention passes variadic arguments on the stack, 8 bytes
// each, where gate.S points; on amd64 the first ones are ordinary register arguments.
typedef uintptr_t variadic;

static inline uint64_t first_variadic(variadic arguments) {
    return ARM64 ? *(const uint64_t *)arguments : arguments;
}

extern const struct export file_exports[], directory_exports[], memory_exports[], time_exports[],
    socket_exports[], thread_exports[], signal_exports[], process_exports[];

// Address by which the executable reaches an import; null for a weak one that does not exist.
uint64_t import_address(const char *name, bool weak);
void imports_seal(void);

// ---- Darwin's errors

// Passes a host call's result on; on failure, sets Darwin's errno from the host's.
long host_result(long result);
// Sets Darwin's errno to a Darwin number and returns -1.
int fail(int error);
// Darwin's number for a host error.
int darwin_error(int error);
int *darwin_errno(void);

// Numbers that the loader itself raises. Source: <sys/errno.h>.
enum { D_EPERM = 1, D_EIO = 5, D_EBADF = 9, D_ENOMEM = 12, D_EACCES = 13, D_EINVAL = 22, D_EILSEQ = 92 };

// ---- Files, for other topics

// The host's directory descriptor for one of Darwin, whose AT_FDCWD is -2.
int directory_descriptor(int descriptor);

// ---- Signals and the stack

// Tells which addresses are the main thread's stack and its guard.
void signals_begin(uint64_t stack_low, uint64_t stack_high);

// ---- Entering (gate.S)

// Calls main on its own stack.
long enter(long argc, char **argv, char **envp, char **apple, uint64_t entry, uint64_t stack_top);
extern char gate_plain[], gate_many[], gate_variadic_1[], gate_variadic_2[], gate_variadic_3[];

// Environment and arguments, for functions that hand them out.
extern char **program_environment, **program_arguments;
extern int program_argument_count;
extern const char *program_path;
