// Finds imports by name and gives each a gate: a few instructions through which the executable
// calls the loader's function. What a gate does is said in gate.S.
#include "loader.h"

#include <string.h>
#include <sys/mman.h>

static const struct export *const tables[] = {
    file_exports,   directory_exports, memory_exports, time_exports,
    socket_exports, thread_exports,    signal_exports, process_exports,
};

enum { GATES_SIZE = 1 << 16, GATE_SIZE = 32 };
static uint8_t *gates, *next_gate;

// Writes a gate that jumps to `common` with the function's address in a scratch register.
static uint64_t create_gate(const char *common, const void *function) {
    if (!gates) {
        gates = mmap(NULL, GATES_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        REQUIRE(gates != MAP_FAILED, "no memory for gates");
        next_gate = gates;
    }
    REQUIRE(next_gate + GATE_SIZE <= gates + GATES_SIZE, "too many imports");
    uint8_t *const gate = next_gate;
    next_gate += GATE_SIZE;
#ifdef __aarch64__
    const uint32_t code[] = {
        0x58000090,  // ldr x16, function
        0x580000b1,  // ldr x17, common
        0xd61f0220,  // br x17
        0xd503201f,  // nop
    };
    memcpy(gate, code, sizeof code);
    memcpy(gate + 16, &function, 8);
    memcpy(gate + 24, &common, 8);
#else
    const uint8_t code[] = {
        0x4c, 0x8b, 0x1d, 0x09, 0, 0, 0,  // mov r11, [rip + 9]: function
        0xff, 0x25, 0x0b, 0, 0, 0,        // jmp [rip + 11]: common
        0x90, 0x90, 0x90,
    };
    memcpy(gate, code, sizeof code);
    memcpy(gate + 16, &function, 8);
    memcpy(gate + 24, &common, 8);
#endif
    return (uint64_t)gate;
}

static const char *gate_of(const struct export *export) {
    switch (ARM64 ? export->fixed : PLAIN) {
    case 1: return gate_variadic_1;
    case 2: return gate_variadic_2;
    case 3: return gate_variadic_3;
    case MANY: return gate_many;
    default: return gate_plain;
    }
}

uint64_t import_address(const char *name, bool weak) {
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        for (const struct export *export = tables[i]; export->name; export++)
            if (!strcmp(export->name, name))
                return export->fixed == VARIABLE ? (uint64_t)export->function
                                                 : create_gate(gate_of(export), export->function);
    REQUIRE(weak, "Symbol not found: %s", name);
    return 0;
}

void imports_seal(void) {
    if (!gates) return;
    mprotect(gates, GATES_SIZE, PROT_READ | PROT_EXEC);
    __builtin___clear_cache((char *)gates, (char *)next_gate);
}
