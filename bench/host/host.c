/* host WHAT: does one thing with the host, again and again, as host.wat does through WASI.

     read    standard input to its end, 64 KiB at a time
     copy    the same, and writes it to standard output
     write   8 bytes to standard output
     clock   reads the monotonic clock
     random  fetches 32 random bytes
     walk    reads the entries of the working directory and writes their number
     stat    the same, with the attributes of each */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* As the guest's: how the kernel copies depends on where in a page a buffer begins. */
static _Alignas(4096) char data[65536];

static void must(int holds) {
    if (!holds) abort();
}

static void put(size_t length) {
    for (char *from = data; length;) {
        ssize_t written = write(1, from, length);
        must(written > 0);
        from += written;
        length -= written;
    }
}

static void get(int copies) {
    for (ssize_t length; (length = read(0, data, sizeof data));) {
        must(length > 0);
        if (copies) put(length);
    }
}

static void walk(int stats) {
    DIR *directory = opendir(".");
    struct stat found;
    long count = 0;
    must(directory != 0);
    for (struct dirent *entry; (entry = readdir(directory)); count++)
        if (stats && entry->d_name[0] != '.')
            must(!fstatat(dirfd(directory), entry->d_name, &found, AT_SYMLINK_NOFOLLOW));
    memcpy(data, &count, 8);
    put(8);
}

int main(int count, char **arguments) {
    if (count != 2) return 2;
    struct timespec now;
    switch (arguments[1][0] << 8 | arguments[1][1]) {
    case 'r' << 8 | 'e': get(0); break;
    case 'c' << 8 | 'o': get(1); break;
    case 'w' << 8 | 'r': for (int i = 0; i < 2000000; i++) put(8); break;
    case 'c' << 8 | 'l':
        for (int i = 0; i < 10000000; i++) must(!clock_gettime(CLOCK_MONOTONIC, &now));
        break;
    case 'r' << 8 | 'a':
        for (int i = 0; i < 1000000; i++) must(getrandom(data, 32, 0) == 32);
        break;
    case 'w' << 8 | 'a': walk(0); break;
    case 's' << 8 | 't': walk(1); break;
    }
    return 0;
}
