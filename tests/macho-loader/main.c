// Loads and executes a Mach-O executable: macho-loader PROGRAM [ARGS…]
#include "loader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

char **program_environment, **program_arguments;
int program_argument_count;
const char *program_path;

void refuse(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("macho-loader: refused: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    _Exit(127);
}

// The main thread's stack as macOS lays it out: 8 MiB unless LC_MAIN says otherwise, ending in an
// inaccessible region. Returns its upper end.
static uint64_t create_stack(uint64_t wanted) {
    const uint64_t guard = 1 << 20;
    const uint64_t size = round_to_page(wanted ? wanted : 8 << 20);
    uint8_t *low = mmap(NULL, guard + size, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    REQUIRE(low != MAP_FAILED && mprotect(low + guard, size, PROT_READ | PROT_WRITE) == 0,
            "no memory for a stack of %llu bytes", (unsigned long long)size);
    signals_begin((uint64_t)low, (uint64_t)low + guard + size);
    return (uint64_t)low + guard + size;
}

int main(int argc, char **argv, char **envp) {
    if (argc < 2) {
        fputs("usage: macho-loader PROGRAM [ARGS…]\n", stderr);
        return 2;
    }
    program_arguments = argv + 1;
    program_argument_count = argc - 1;
    program_environment = envp;
    program_path = argv[1];

    static struct image image;
    image_read(&image, argv[1]);
    image_check_signature(&image);
    image_map(&image);
    image_apply_fixups(&image);
    imports_seal();
    image_protect(&image);

    const uint64_t stack_top = create_stack(image.stack_size);
    char *apple[] = {"executable_path=program", NULL};
    const uint64_t entry = image.preferred + image.slide + image.entry;
    exit((int)enter(argc - 1, argv + 1, envp, apple, entry, stack_top));
}
