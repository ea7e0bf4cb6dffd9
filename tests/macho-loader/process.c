// The process: its end, environment and limits; and functions on memory and strings.
// Sources: <stdlib.h>, <crt_externs.h>, <mach-o/dyld.h>, <string.h>, <unistd.h>, <sys/resource.h>.
#include "loader.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

// ---- End

static void end(int code) {
    exit(code & 0xff);
}

static void end_now(int code) {
    _exit(code & 0xff);
}

// Lazy bindings are made before the start, so that nothing comes here.
static void bind_lazily(void) {
    refuse("dyld_stub_binder was called");
}

// ---- Environment and arguments

static char ***environment(void) {
    return &program_environment;
}

static char ***arguments(void) {
    return &program_arguments;
}

static int *argument_count(void) {
    return &program_argument_count;
}

// _NSGetExecutablePath: -1 and the size that is needed where `size` is too small.
static int executable_path(char *path, uint32_t *size) {
    const uint32_t needed = (uint32_t)strlen(program_path) + 1;
    const bool fits = *size >= needed;
    *size = needed;
    if (fits) memcpy(path, program_path, needed);
    return fits ? 0 : -1;
}

// ---- Limits

static long configuration(int name) {
    switch (name) {
    case 29: return PAGE_SIZE;
    case 57:    // _SC_NPROCESSORS_CONF
    case 58: return sysconf(_SC_NPROCESSORS_ONLN);
    default: refuse("sysconf name %d is unknown to this loader", name);
    }
}

// RLIMIT_STACK is 3 on both systems, RLIMIT_NOFILE is 8 on Darwin; infinity is 2^63 - 1.
static int limit(int resource, uint64_t limits[2]) {
    enum { POSIX_FLAG = 0x1000 };
    resource &= ~POSIX_FLAG;
    REQUIRE(resource == 3 || resource == 8, "getrlimit: resource %d", resource);
    struct rlimit host;
    const int result = getrlimit(resource == 3 ? RLIMIT_STACK : RLIMIT_NOFILE, &host);
    limits[0] = host.rlim_cur == RLIM_INFINITY ? INT64_MAX : host.rlim_cur;
    limits[1] = host.rlim_max == RLIM_INFINITY ? INT64_MAX : host.rlim_max;
    return (int)host_result(result);
}

// ---- Memory

static void zero(void *bytes, size_t count) {
    memset(bytes, 0, count);
}

static void fill(uint8_t *bytes, const void *pattern, size_t count, size_t width) {
    for (size_t at = 0; at < count; at += width)
        memcpy(bytes + at, pattern, count - at < width ? count - at : width);
}

// LLVM makes loops into calls of these.
static void fill_4(uint8_t *bytes, const void *pattern, size_t count) {
    fill(bytes, pattern, count, 4);
}

static void fill_8(uint8_t *bytes, const void *pattern, size_t count) {
    fill(bytes, pattern, count, 8);
}

static void fill_16(uint8_t *bytes, const void *pattern, size_t count) {
    fill(bytes, pattern, count, 16);
}

const struct export process_exports[] = {
    {"dyld_stub_binder", bind_lazily, PLAIN},
    FUNCTION("__error", darwin_errno),
    FUNCTION("exit", end),
    FUNCTION("_exit", end_now),
    FUNCTION("_Exit", end_now),
    FUNCTION("abort", abort),
    FUNCTION("getpid", getpid),
    FUNCTION("geteuid", geteuid),
    FUNCTION("_NSGetEnviron", environment),
    FUNCTION("_NSGetArgv", arguments),
    FUNCTION("_NSGetArgc", argument_count),
    FUNCTION("_NSGetExecutablePath", executable_path),
    FUNCTION("getenv", getenv),
    FUNCTION("sysconf", configuration),
    FUNCTION("getrlimit", limit),
    FUNCTION("memcpy", memcpy),
    FUNCTION("memmove", memmove),
    FUNCTION("memset", memset),
    FUNCTION("memcmp", memcmp),
    FUNCTION("memchr", memchr),
    FUNCTION("bzero", zero),
    FUNCTION("__bzero", zero),
    FUNCTION("memset_pattern4", fill_4),
    FUNCTION("memset_pattern8", fill_8),
    FUNCTION("memset_pattern16", fill_16),
    FUNCTION("strlen", strlen),
    FUNCTION("strnlen", strnlen),
    FUNCTION("strcmp", strcmp),
    FUNCTION("strncmp", strncmp),
    FUNCTION("strchr", strchr),
    {},
};
