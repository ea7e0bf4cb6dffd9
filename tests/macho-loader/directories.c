// Directory streams. Source: <dirent.h>, <sys/dirent.h> with 64-bit inodes.
#include "loader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

struct darwin_entry {
    uint64_t inode, position;
    uint16_t record_length, name_length;
    uint8_t type;
    char name[1024];
};
_Static_assert(offsetof(struct darwin_entry, name) == 21, "struct dirent with 64-bit inodes");

struct stream {
    DIR *host;
    struct darwin_entry entry;
};

static struct stream *open_stream(DIR *host) {
    struct stream *const stream = host ? calloc(1, sizeof *stream) : NULL;
    if (stream) stream->host = host;
    else host_result(-1);
    return stream;
}

static struct stream *open_path(const char *path) {
    return open_stream(opendir(path));
}

static struct stream *open_descriptor(int descriptor) {
    return open_stream(fdopendir(descriptor));
}

// DT_* have the same values on both systems.
static struct darwin_entry *read_entry(struct stream *stream) {
    errno = 0;
    const struct dirent *host = readdir(stream->host);
    if (!host) {
        if (errno) host_result(-1);
        return NULL;
    }
    struct darwin_entry *const entry = &stream->entry;
    const size_t length = strlen(host->d_name);
    *entry = (struct darwin_entry){
        .inode = host->d_ino,
        .position = (uint64_t)host->d_off,
        .record_length = (uint16_t)((offsetof(struct darwin_entry, name) + length + 1 + 7) & ~7u),
        .name_length = (uint16_t)length,
        .type = host->d_type,
    };
    memcpy(entry->name, host->d_name, length + 1);
    return entry;
}

static void rewind_stream(struct stream *stream) {
    rewinddir(stream->host);
}

static long tell(struct stream *stream) {
    return telldir(stream->host);
}

static void seek(struct stream *stream, long position) {
    seekdir(stream->host, position);
}

static int descriptor_of(struct stream *stream) {
    return (int)host_result(dirfd(stream->host));
}

static int close_stream(struct stream *stream) {
    const int result = closedir(stream->host);
    free(stream);
    return (int)host_result(result);
}

const struct export directory_exports[] = {
    INODE64("opendir", open_path),
    INODE64("fdopendir", open_descriptor),
    INODE64("readdir", read_entry),
    INODE64("rewinddir", rewind_stream),
    INODE64("telldir", tell),
    INODE64("seekdir", seek),
    FUNCTION("dirfd", descriptor_of),
    FUNCTION("closedir", close_stream),
    {},
};
