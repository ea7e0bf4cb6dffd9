// Files, by descriptor and by path.
// Sources: <fcntl.h>, <sys/fcntl.h>, <sys/stat.h>, <sys/uio.h>, <sys/poll.h>, <sys/ioccom.h>.
#include "loader.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

// ---- Flags

struct flag {
    int darwin, host;
};

static const struct flag open_flags[] = {
    {0x1, O_WRONLY},       {0x2, O_RDWR},           {0x4, O_NONBLOCK},     {0x8, O_APPEND},
    {0x80, O_SYNC},        {0x100, O_NOFOLLOW},     {0x200, O_CREAT},      {0x400, O_TRUNC},
    {0x800, O_EXCL},       {0x20000, O_NOCTTY},     {0x100000, O_DIRECTORY}, {0x400000, O_DSYNC},
    {0x1000000, O_CLOEXEC}, {0, 0},
};
enum { D_O_CREAT = 0x200 };

static const struct flag at_flags[] = {
    {0x20, AT_SYMLINK_NOFOLLOW}, {0x40, AT_SYMLINK_FOLLOW}, {0x80, AT_REMOVEDIR}, {0, 0},
};

// Translates every bit. An unknown one is most likely another system's value.
static int translate_flags(const struct flag *flags, int value, const char *what) {
    int host = 0;
    for (; flags->darwin; flags++) {
        if (value & flags->darwin) host |= flags->host;
        value &= ~flags->darwin;
    }
    REQUIRE(value == 0, "%s: bits %#x mean nothing on Darwin or to this loader", what, value);
    return host;
}

int directory_descriptor(int descriptor) {
    return descriptor == -2 ? AT_FDCWD : descriptor;
}

// APFS refuses names that are not UTF-8.
static bool is_utf8(const char *path) {
    for (const uint8_t *at = (const uint8_t *)path; *at;) {
        const unsigned more = *at < 0x80                  ? 0
                              : *at >= 0xc2 && *at < 0xe0 ? 1
                              : *at >= 0xe0 && *at < 0xf0 ? 2
                              : *at >= 0xf0 && *at < 0xf5 ? 3
                                                          : 4;
        if (more == 4) return false;
        at++;
        for (unsigned i = 0; i < more; i++, at++)
            if ((*at & 0xc0) != 0x80) return false;
    }
    return true;
}

#define REQUIRE_PATH(path) \
    do { \
        if (!is_utf8(path)) return fail(D_EILSEQ); \
    } while (0)

// ---- Opening

static int open_at(int directory, const char *path, int flags, variadic mode) {
    REQUIRE_PATH(path);
    const int host = translate_flags(open_flags, flags, "open");
    const mode_t permissions = flags & D_O_CREAT ? first_variadic(mode) & 07777 : 0;
    return (int)host_result(openat(directory_descriptor(directory), path, host, permissions));
}

static int open_path(const char *path, int flags, variadic mode) {
    return open_at(-2, path, flags, mode);
}

static int close_descriptor(int descriptor) {
    return (int)host_result(close(descriptor));
}

static int duplicate(int descriptor) {
    return (int)host_result(dup(descriptor));
}

static int duplicate_to(int descriptor, int to) {
    return (int)host_result(dup2(descriptor, to));
}

static int create_pipe(int ends[2]) {
    return (int)host_result(pipe(ends));
}

// ---- Reading and writing. Darwin refuses counts that an int cannot hold.

static ssize_t read_bytes(int descriptor, void *bytes, size_t count) {
    return count > INT_MAX ? fail(D_EINVAL) : host_result(read(descriptor, bytes, count));
}

static ssize_t write_bytes(int descriptor, const void *bytes, size_t count) {
    return count > INT_MAX ? fail(D_EINVAL) : host_result(write(descriptor, bytes, count));
}

static ssize_t read_bytes_at(int descriptor, void *bytes, size_t count, int64_t offset) {
    return count > INT_MAX ? fail(D_EINVAL) : host_result(pread(descriptor, bytes, count, offset));
}

static ssize_t write_bytes_at(int descriptor, const void *bytes, size_t count, int64_t offset) {
    return count > INT_MAX ? fail(D_EINVAL) : host_result(pwrite(descriptor, bytes, count, offset));
}

// Darwin wants 1 to 1024 buffers of together no more than an int holds.
static bool are_valid(const struct iovec *buffers, int count) {
    if (count < 1 || count > 1024) return false;
    uint64_t total = 0;
    for (int i = 0; i < count; i++) {
        if (buffers[i].iov_len > INT_MAX) return false;
        total += buffers[i].iov_len;
    }
    return total <= INT_MAX;
}

static ssize_t read_vector(int descriptor, const struct iovec *buffers, int count) {
    return are_valid(buffers, count) ? host_result(readv(descriptor, buffers, count)) : fail(D_EINVAL);
}

static ssize_t write_vector(int descriptor, const struct iovec *buffers, int count) {
    return are_valid(buffers, count) ? host_result(writev(descriptor, buffers, count)) : fail(D_EINVAL);
}

static ssize_t read_vector_at(int descriptor, const struct iovec *buffers, int count, int64_t offset) {
    return are_valid(buffers, count) ? host_result(preadv(descriptor, buffers, count, offset))
                                     : fail(D_EINVAL);
}

static ssize_t write_vector_at(int descriptor, const struct iovec *buffers, int count, int64_t offset) {
    return are_valid(buffers, count) ? host_result(pwritev(descriptor, buffers, count, offset))
                                     : fail(D_EINVAL);
}

static int64_t seek(int descriptor, int64_t offset, int whence) {
    // SEEK_HOLE and SEEK_DATA have each other's numbers.
    const int host = whence == 3 ? SEEK_HOLE : whence == 4 ? SEEK_DATA : whence;
    return whence < 0 || whence > 4 ? fail(D_EINVAL) : host_result(lseek(descriptor, offset, host));
}

static int truncate_to(int descriptor, int64_t size) {
    return (int)host_result(ftruncate(descriptor, size));
}

static int synchronize(int descriptor) {
    return (int)host_result(fsync(descriptor));
}

// ---- Status

struct darwin_stat {
    int32_t device;
    uint16_t mode, links;
    uint64_t inode;
    uint32_t user, group;
    int32_t device_number;
    struct timespec accessed, modified, changed, created;
    int64_t size, blocks;
    int32_t block_size;
    uint32_t flags, generation;
    int32_t spare;
    int64_t spares[2];
};
_Static_assert(sizeof(struct darwin_stat) == 144, "struct stat with 64-bit inodes");

static int give_status(int result, const struct stat *host, struct darwin_stat *status) {
    if (result < 0) return (int)host_result(result);
    *status = (struct darwin_stat){
        .device = (int32_t)host->st_dev,
        .mode = (uint16_t)host->st_mode,
        .links = (uint16_t)host->st_nlink,
        .inode = host->st_ino,
        .user = host->st_uid,
        .group = host->st_gid,
        .device_number = (int32_t)host->st_rdev,
        .accessed = host->st_atim,
        .modified = host->st_mtim,
        .changed = host->st_ctim,
        .created = host->st_ctim,
        .size = host->st_size,
        .blocks = host->st_blocks,
        .block_size = (int32_t)host->st_blksize,
    };
    return 0;
}

static int status_of(int descriptor, struct darwin_stat *status) {
    struct stat host;
    return give_status(fstat(descriptor, &host), &host, status);
}

static int status_at(int directory, const char *path, struct darwin_stat *status, int flags) {
    REQUIRE_PATH(path);
    struct stat host;
    const int host_flags = translate_flags(at_flags, flags, "fstatat");
    return give_status(fstatat(directory_descriptor(directory), path, &host, host_flags), &host, status);
}

static int status_of_path(const char *path, struct darwin_stat *status) {
    return status_at(-2, path, status, 0);
}

static int status_of_link(const char *path, struct darwin_stat *status) {
    return status_at(-2, path, status, 0x20);
}

static int access_at(int directory, const char *path, int mode, int flags) {
    REQUIRE_PATH(path);
    REQUIRE((flags & ~0x10) == 0, "faccessat: flags %#x", flags);
    return (int)host_result(
        faccessat(directory_descriptor(directory), path, mode, flags ? AT_EACCESS : 0));
}

// UTIME_NOW and UTIME_OMIT are -1 and -2.
static const struct timespec *translate_times(const struct timespec from[2], struct timespec to[2]) {
    if (!from) return NULL;
    for (int i = 0; i < 2; i++) {
        to[i] = from[i];
        if (from[i].tv_nsec == -1) to[i].tv_nsec = UTIME_NOW;
        if (from[i].tv_nsec == -2) to[i].tv_nsec = UTIME_OMIT;
    }
    return to;
}

static int set_times(int descriptor, const struct timespec times[2]) {
    struct timespec host[2];
    return (int)host_result(futimens(descriptor, translate_times(times, host)));
}

static int set_times_at(int directory, const char *path, const struct timespec times[2], int flags) {
    REQUIRE_PATH(path);
    struct timespec host[2];
    const int host_flags = translate_flags(at_flags, flags, "utimensat");
    return (int)host_result(utimensat(directory_descriptor(directory), path,
                                      translate_times(times, host), host_flags));
}

// ---- Names

static int make_directory(int directory, const char *path, uint16_t mode) {
    REQUIRE_PATH(path);
    return (int)host_result(mkdirat(directory_descriptor(directory), path, mode));
}

static int remove_name(int directory, const char *path, int flags) {
    REQUIRE_PATH(path);
    const int host = translate_flags(at_flags, flags, "unlinkat");
    const int result = unlinkat(directory_descriptor(directory), path, host);
    // Where Linux says that the name is a directory, Darwin keeps to POSIX.
    return result < 0 && errno == EISDIR ? fail(D_EPERM) : (int)host_result(result);
}

static int rename_name(int from_directory, const char *from, int to_directory, const char *to) {
    REQUIRE_PATH(from);
    REQUIRE_PATH(to);
    return (int)host_result(renameat(directory_descriptor(from_directory), from,
                                     directory_descriptor(to_directory), to));
}

static int link_name(int from_directory, const char *from, int to_directory, const char *to, int flags) {
    REQUIRE_PATH(from);
    REQUIRE_PATH(to);
    return (int)host_result(linkat(directory_descriptor(from_directory), from,
                                   directory_descriptor(to_directory), to,
                                   translate_flags(at_flags, flags, "linkat")));
}

static int make_link(const char *contents, int directory, const char *path) {
    REQUIRE_PATH(path);
    return (int)host_result(symlinkat(contents, directory_descriptor(directory), path));
}

static ssize_t read_link(int directory, const char *path, char *contents, size_t size) {
    REQUIRE_PATH(path);
    return host_result(readlinkat(directory_descriptor(directory), path, contents, size));
}

static int change_directory(const char *path) {
    REQUIRE_PATH(path);
    return (int)host_result(chdir(path));
}

static char *working_directory(char *path, size_t size) {
    char *const result = getcwd(path, size);
    if (!result) host_result(-1);
    return result;
}

// ---- Control

static int status_flags(int descriptor) {
    const int host = fcntl(descriptor, F_GETFL);
    if (host < 0) return (int)host_result(host);
    int flags = host & O_ACCMODE;
    if (host & O_NONBLOCK) flags |= 0x4;
    if (host & O_APPEND) flags |= 0x8;
    // XNU keeps these two of an open file (FMASK in <sys/fcntl.h>).
    if ((host & O_SYNC) == O_SYNC) flags |= 0x80;
    else if (host & O_DSYNC) flags |= 0x400000;
    return flags;
}

struct darwin_preallocation {
    uint32_t flags;
    int32_t mode;
    int64_t offset, length, allocated;
};

static int preallocate(int descriptor, struct darwin_preallocation *request) {
    struct stat status;
    if (fstat(descriptor, &status) < 0) return (int)host_result(-1);
    // F_PEOFPOSMODE counts from the end of the file, F_VOLPOSMODE from its start.
    const off_t start = request->mode == 3 ? status.st_size : request->offset;
    const int result = fallocate(descriptor, FALLOC_FL_KEEP_SIZE, start, request->length);
    request->allocated = result < 0 ? 0 : request->length;
    return (int)host_result(result);
}

static int control(int descriptor, int command, variadic arguments) {
    switch (command) {
    case 0: return (int)host_result(fcntl(descriptor, F_DUPFD, (int)first_variadic(arguments)));
    case 1: return (int)host_result(fcntl(descriptor, F_GETFD));
    case 2: return (int)host_result(fcntl(descriptor, F_SETFD, (int)first_variadic(arguments)));
    case 3: return status_flags(descriptor);
    case 4: {
        const int flags = translate_flags(open_flags, (int)first_variadic(arguments), "F_SETFL");
        return (int)host_result(fcntl(descriptor, F_SETFL, flags));
    }
    case 42: return preallocate(descriptor, (void *)first_variadic(arguments));
    case 44:    // F_RDADVISE
    case 45:    // F_RDAHEAD
    case 48:    // F_NOCACHE
        return (int)host_result(fcntl(descriptor, F_GETFD)) < 0 ? -1 : 0;
    case 51:    // F_FULLFSYNC
    case 85:    // F_BARRIERFSYNC
        return synchronize(descriptor);
    case 67:
        return (int)host_result(fcntl(descriptor, F_DUPFD_CLOEXEC, (int)first_variadic(arguments)));
    default: refuse("fcntl command %d is unknown to this loader", command);
    }
}

static int control_device(int descriptor, unsigned long request, variadic arguments) {
    int *const value = (int *)first_variadic(arguments);
    switch (request) {
    case 0x4004667f: return (int)host_result(ioctl(descriptor, FIONREAD, value));
    case 0x8004667e: return (int)host_result(ioctl(descriptor, FIONBIO, value));
    default: refuse("ioctl request %#lx is unknown to this loader", request);
    }
}

static int is_terminal(int descriptor) {
    const int result = isatty(descriptor);
    if (!result) host_result(-1);
    return result;
}

// The events up to POLLRDBAND have the same numbers; the last one differs.
static int wait_for_events(struct pollfd *descriptors, uint32_t count, int timeout) {
    enum { D_POLLWRBAND = 0x100, SAME = 0xff };
    struct pollfd *const host = calloc(count ? count : 1, sizeof *host);
    if (!host) return fail(D_ENOMEM);
    for (uint32_t i = 0; i < count; i++) {
        const int events = descriptors[i].events;
        host[i].fd = descriptors[i].fd;
        host[i].events = (short)((events & SAME) | (events & D_POLLWRBAND ? POLLWRBAND : 0));
    }
    const int result = (int)host_result(poll(host, count, timeout));
    for (uint32_t i = 0; i < count; i++) {
        const int events = host[i].revents;
        descriptors[i].revents = (short)((events & SAME) | (events & POLLWRBAND ? D_POLLWRBAND : 0));
    }
    free(host);
    return result;
}

const struct export file_exports[] = {
    VARIADIC("open", 2, open_path),
    VARIADIC("openat", 3, open_at),
    FUNCTION("close", close_descriptor),
    FUNCTION("close$NOCANCEL", close_descriptor),
    FUNCTION("dup", duplicate),
    FUNCTION("dup2", duplicate_to),
    FUNCTION("pipe", create_pipe),
    FUNCTION("read", read_bytes),
    FUNCTION("write", write_bytes),
    FUNCTION("pread", read_bytes_at),
    FUNCTION("pwrite", write_bytes_at),
    FUNCTION("readv", read_vector),
    FUNCTION("writev", write_vector),
    FUNCTION("preadv", read_vector_at),
    FUNCTION("pwritev", write_vector_at),
    FUNCTION("lseek", seek),
    FUNCTION("ftruncate", truncate_to),
    FUNCTION("fsync", synchronize),
    INODE64("fstat", status_of),
    INODE64("fstatat", status_at),
    INODE64("stat", status_of_path),
    INODE64("lstat", status_of_link),
    FUNCTION("faccessat", access_at),
    FUNCTION("futimens", set_times),
    FUNCTION("utimensat", set_times_at),
    FUNCTION("mkdirat", make_directory),
    FUNCTION("unlinkat", remove_name),
    FUNCTION("renameat", rename_name),
    FUNCTION("linkat", link_name),
    FUNCTION("symlinkat", make_link),
    FUNCTION("readlinkat", read_link),
    FUNCTION("chdir", change_directory),
    FUNCTION("getcwd", working_directory),
    VARIADIC("fcntl", 2, control),
    VARIADIC("ioctl", 2, control_device),
    FUNCTION("isatty", is_terminal),
    FUNCTION("poll", wait_for_events),
    {},
};
