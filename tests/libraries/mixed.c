// Calls everything that the library made of mixed.wat exports. Ends with 0 and "ok" if all is right.

#include <stdio.h>
#include <string.h>

#include "mixed.h"

#define CHECK(condition)                                                     \
    do {                                                                     \
        if (!(condition)) {                                                  \
            printf("line %d: %s\n", __LINE__, #condition);                   \
            return 1;                                                        \
        }                                                                    \
    } while (0)

#define CODE(code, wanted)                                                   \
    do {                                                                     \
        int found = code;                                                    \
        if (found != (wanted)) {                                             \
            printf("line %d: %s is %d, %s\n", __LINE__, #code, found,        \
                   mixed_message(found));                                    \
            return 1;                                                        \
        }                                                                    \
    } while (0)

static int calls(void) {
    uint32_t a = 0, b = 0;
    double sum = 0;
    uint64_t wide = 0;
    CODE(mixed_call_started(&a), mixed_OK);
    CHECK(a == 1);
    CODE(mixed_call_add(40, 2, &a), mixed_OK);
    CHECK(a == 42);
    CODE(mixed_call_mixed((uint64_t)-1, 0.5f, 0.25, 4, &sum), mixed_OK);
    CHECK(sum == 3.75);
    CODE(mixed_call_many(1, 2, 3, 4, 5, 6, 7, 8, 9, 10.0f, 11.0, &wide), mixed_OK);
    CHECK(wide == 66);
    CODE(mixed_call_divide(17, 5, &a, &b), mixed_OK);
    CHECK(a == 3 && b == 2);
    uint32_t r0, r2, r4, r6;
    uint64_t r1, r3, r5;
    float r7;
    CODE(mixed_call_eight(1, &r0, &r1, &r2, &r3, &r4, &r5, &r6, &r7), mixed_OK);
    CHECK(r0 == 1 && r1 == 2 && r2 == 3 && r3 == 4 && r4 == 5 && r5 == 6 && r6 == 7 && r7 == 8.5f);
    return 0;
}

static int memory(void) {
    uint32_t value = 0;
    uint8_t *memory = mixed_memory_memory();
    CHECK(mixed_size_memory() == 65536);
    CHECK(memcmp(memory + 16, "written by wasm", 15) == 0);
    memory[1000] = 0x78;
    memory[1001] = 0x56;
    CODE(mixed_call_load(1000, &value), mixed_OK);
    CHECK(value == 0x5678);
    CODE(mixed_call_load(65536, &value), mixed_TRAP_OUT_OF_BOUNDS_MEMORY_ACCESS);
    CODE(mixed_call_load((uint32_t)-1, &value), mixed_TRAP_OUT_OF_BOUNDS_MEMORY_ACCESS);
    CODE(mixed_call_grow(1, &value), mixed_OK);
    CHECK(value == 1 && mixed_size_memory() == 131072 && mixed_memory_memory() == memory);
    CODE(mixed_call_load(65536, &value), mixed_OK);
    CHECK(value == 0);
    return 0;
}

static int globals(void) {
    CHECK(mixed_get_count() == 7 && mixed_get_pi() == 3.25);
    CODE(mixed_call_increment(), mixed_OK);
    CHECK(mixed_get_count() == 8);
    mixed_set_count(100);
    CODE(mixed_call_increment(), mixed_OK);
    CHECK(mixed_get_count() == 101);
    return 0;
}

static int traps(void) {
    uint32_t a = 77, b = 78;
    CODE(mixed_call_fail(), mixed_TRAP_UNREACHABLE);
    CHECK(strcmp(mixed_message(mixed_TRAP_UNREACHABLE), "unreachable") == 0);
    CODE(mixed_call_divide(1, 0, &a, &b), mixed_TRAP_INTEGER_DIVIDE_BY_ZERO);
    CHECK(a == 77 && b == 78);
    CODE(mixed_call_fill(131072 - 8), mixed_TRAP_OUT_OF_BOUNDS_MEMORY_ACCESS);
    CODE(mixed_call_nullZ20call(), mixed_TRAP_UNINITIALIZED_ELEMENT);
    for (int round = 0; round < 3; round++) {
        CODE(mixed_call_deep(1, &a), mixed_TRAP_CALL_STACK_EXHAUSTED);
    }
    // What a call of WASI holds is free again.
    CODE(mixed_call_deep_stat(1, &a), mixed_TRAP_CALL_STACK_EXHAUSTED);
    CODE(mixed_call_list(&a), mixed_OK);
    CHECK(a == 0);
    CODE(mixed_call_exit(9), mixed_EXITED);
    CHECK(mixed_exit_code() == 9);
    CODE(mixed_call_add(1, 2, &a), mixed_OK);
    CHECK(a == 3);
    return 0;
}

#ifndef _WIN32
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>

static sigjmp_buf landing;

static void host_handler(int number) {
    (void)number;
    siglongjmp(landing, 1);
}

// A fault of the program's own reaches the program's own handler.
static int own_fault(void) {
    volatile int *volatile nowhere = (int *)8;
    if (sigsetjmp(landing, 1) == 0) {
        *nowhere = 1;
        CHECK(!"no fault");
    }
    return 0;
}

static void *add_often(void *sum) {
    for (uint32_t i = 0; i < 2000; i++) {
        uint32_t more = 0, nothing;
        if (mixed_call_add(i, 1, &more) != mixed_OK) return sum;
        if (i % 100 == 0 && mixed_call_deep(0, &nothing) != mixed_TRAP_CALL_STACK_EXHAUSTED) {
            return sum;
        }
        *(uint64_t *)sum += more;
    }
    return NULL;
}

static int threads(void) {
    pthread_t threads[3];
    uint64_t sums[3] = {0, 0, 0};
    for (int i = 0; i < 3; i++) {
        CHECK(pthread_create(&threads[i], NULL, add_often, &sums[i]) == 0);
    }
    for (int i = 0; i < 3; i++) {
        void *failed;
        CHECK(pthread_join(threads[i], &failed) == 0 && failed == NULL);
        CHECK(sums[i] == 2001000);
    }
    return 0;
}

static int host(void) {
    return own_fault() || threads() || own_fault();
}

static void prepare_host(void) {
    signal(SIGSEGV, host_handler);
}
#else
static int host(void) {
    return 0;
}

static void prepare_host(void) {
}
#endif

int main(void) {
    prepare_host();
    uint32_t value = 0;
    CODE(mixed_call_add(1, 2, &value), mixed_NOT_INSTANTIATED);
    CODE(mixed_instantiate(), mixed_OK);
    CODE(mixed_instantiate(), mixed_ALREADY_INSTANTIATED);
    for (int round = 0; round < 2; round++) {
        if (calls()) return 1;
    }
    if (memory() || globals() || traps() || host() || calls()) return 1;
    fflush(stdout);
    CODE(mixed_call_print(&value), mixed_OK);
    CHECK(value == 0);
    puts("ok");
    return 0;
}
