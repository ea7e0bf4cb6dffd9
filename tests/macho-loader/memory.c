// Mapped memory, with Darwin's page sizes and flags. Sources: <sys/mman.h>; <mach/mach_vm.h>.
#include "loader.h"

#include <stdlib.h>
#include <sys/mman.h>

enum {
    D_MAP_SHARED = 0x1,
    D_MAP_PRIVATE = 0x2,
    D_MAP_FIXED = 0x10,
    D_MAP_NORESERVE = 0x40,
    D_MAP_JIT = 0x800,
    D_MAP_ANON = 0x1000,
    D_MAP_KNOWN = D_MAP_SHARED | D_MAP_PRIVATE | D_MAP_FIXED | D_MAP_NORESERVE | D_MAP_JIT | D_MAP_ANON,
};

static bool is_page_aligned(const void *address) {
    return (uintptr_t)address % PAGE_SIZE == 0;
}

// Apple silicon lets memory be writable and executable at once only with MAP_JIT.
static bool is_refused(int protection, int flags) {
    return ARM64 && (protection & PROT_WRITE) && (protection & PROT_EXEC) && !(flags & D_MAP_JIT);
}

// The host's pages may be smaller than Darwin's: finds room that is aligned to Darwin's.
static void *find_room(size_t size) {
    uint8_t *const low = mmap(NULL, size + PAGE_SIZE, PROT_NONE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (low == MAP_FAILED) return NULL;
    uint8_t *const aligned = (uint8_t *)round_to_page((uintptr_t)low);
    if (aligned > low) munmap(low, aligned - low);
    munmap(aligned + size, low + PAGE_SIZE - aligned);
    return aligned;
}

static void *map_failed(int error) {
    fail(error);
    return MAP_FAILED;
}

static void *map(void *address, size_t size, int protection, int flags, int descriptor, int64_t offset) {
    REQUIRE((flags & ~D_MAP_KNOWN) == 0, "mmap: flags %#x mean nothing on Darwin or to this loader",
            flags & ~D_MAP_KNOWN);
    const bool fixed = flags & D_MAP_FIXED;
    if (size == 0 || offset % PAGE_SIZE || (fixed && !is_page_aligned(address)))
        return map_failed(D_EINVAL);
    if (is_refused(protection, flags)) return map_failed(D_EACCES);
    if (fixed && (uintptr_t)address < 1ull << 32) return map_failed(D_ENOMEM);

    size = round_to_page(size);
    if (!fixed) {
        address = find_room(size);
        if (!address) return map_failed(D_ENOMEM);
    }
    // Darwin never counts memory before it is touched.
    int host = MAP_FIXED | MAP_NORESERVE;
    if (flags & D_MAP_SHARED) host |= MAP_SHARED;
    if (flags & D_MAP_PRIVATE) host |= MAP_PRIVATE;
    if (flags & D_MAP_ANON) host |= MAP_ANONYMOUS;
    void *const result = mmap(address, size, protection, host, descriptor, offset);
    if (result == MAP_FAILED) {
        host_result(-1);
        if (!fixed) munmap(address, size);
    }
    return result;
}

static int unmap(void *address, size_t size) {
    if (!is_page_aligned(address) || size == 0) return fail(D_EINVAL);
    return (int)host_result(munmap(address, round_to_page(size)));
}

static int protect(void *address, size_t size, int protection) {
    if (!is_page_aligned(address)) return fail(D_EINVAL);
    if (is_refused(protection, 0)) return fail(D_EACCES);
    return (int)host_result(mprotect(address, round_to_page(size), protection));
}

// Advice up to MADV_WILLNEED (3) has the same numbers. MADV_DONTNEED and its kin (4 to 8) keep the
// contents on Darwin, so that none of them may be passed on.
static int advise(void *address, size_t size, int advice) {
    if (advice < 0 || advice > 8) return fail(D_EINVAL);
    if (advice > 3) return 0;
    return (int)host_result(madvise(address, round_to_page(size), advice));
}

// Source: <mach/vm_statistics.h>, <mach/kern_return.h>, <mach/vm_inherit.h>.
enum { VM_FLAGS_FIXED = 0, VM_FLAGS_OVERWRITE = 0x4000 };
enum { KERN_SUCCESS = 0, KERN_INVALID_ADDRESS = 1, KERN_INVALID_ARGUMENT = 4 };
enum { VM_INHERIT_COPY = 1 };

// The port of the process; the number means nothing to us.
static const uint32_t task = 0x103;

// This loader maps nothing but parts of the executable, over what is mapped already, and takes them
// from the file: as long as the program has written nothing there, they are the same.
static int remap(uint32_t to_task, uint64_t *to, uint64_t size, uint64_t mask, int flags,
                 uint32_t from_task, uint64_t from, int copy, int *protection,
                 int *maximum_protection, uint32_t inheritance) {
    REQUIRE(to_task == task && from_task == task, "mach_vm_remap: not with the port of the process");
    REQUIRE(copy && flags == (VM_FLAGS_FIXED | VM_FLAGS_OVERWRITE) && mask == 0 &&
                inheritance == VM_INHERIT_COPY,
            "mach_vm_remap: flags %#x and the like are unknown to this loader", flags);
    // The kernel would round, and map more than was asked for.
    REQUIRE((*to | from | size) % PAGE_SIZE == 0, "mach_vm_remap: not in whole pages");
    if (size == 0) return KERN_INVALID_ARGUMENT;
    const int given = image_map_again(from, (void *)*to, size);
    if (given < 0) return KERN_INVALID_ADDRESS;
    *protection = *maximum_protection = given;
    return KERN_SUCCESS;
}

static int page_size(void) {
    return PAGE_SIZE;
}

const struct export memory_exports[] = {
    FUNCTION("mmap", map),
    FUNCTION("munmap", unmap),
    FUNCTION("mprotect", protect),
    FUNCTION("madvise", advise),
    LONG_FUNCTION("mach_vm_remap", remap),
    DATA("mach_task_self_", &task),
    FUNCTION("getpagesize", page_size),
    FUNCTION("malloc", malloc),
    FUNCTION("calloc", calloc),
    FUNCTION("realloc", realloc),
    FUNCTION("free", free),
    {},
};
