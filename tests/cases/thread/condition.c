// Producers and consumers with a mutex and a condition variable, as a C library has them, and
// thread-local variables: what clang makes of these without any library beside.
//
//   clang --target=wasm32 -matomics -mbulk-memory -ftls-model=local-exec -O1 -nostdlib \
//     -Wl,--no-entry,--shared-memory,--import-memory,--export-memory,--max-memory=4194304 \
//     -Wl,--export=wasi_thread_start condition.c -o condition.wasm
//   wasm2wat --enable-threads condition.wasm

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))

IMPORT("wasi", "thread-spawn") int spawn(void *argument);

struct buffer {
    const char *bytes;
    unsigned long length;
};
IMPORT("wasi_snapshot_preview1", "fd_write")
int fd_write(int fd, const struct buffer *buffers, int count, unsigned long *written);
IMPORT("wasi_snapshot_preview1", "proc_exit") _Noreturn void proc_exit(int code);

static void wait(int *word, int value) {
    __builtin_wasm_memory_atomic_wait32(word, value, -1);
}

static void wake(int *word, unsigned count) {
    __builtin_wasm_memory_atomic_notify(word, count);
}

// 0 free, 1 taken, 2 taken and wanted.
struct mutex {
    int state;
};

static void lock(struct mutex *mutex) {
    int found = 0;
    if (__atomic_compare_exchange_n(&mutex->state, &found, 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        return;
    while (__atomic_exchange_n(&mutex->state, 2, __ATOMIC_SEQ_CST)) wait(&mutex->state, 2);
}

static void unlock(struct mutex *mutex) {
    if (__atomic_exchange_n(&mutex->state, 0, __ATOMIC_SEQ_CST) == 2) wake(&mutex->state, 1);
}

struct condition {
    int signals;
};

static void wait_for(struct condition *condition, struct mutex *mutex) {
    int const signals = __atomic_load_n(&condition->signals, __ATOMIC_SEQ_CST);
    unlock(mutex);
    wait(&condition->signals, signals);
    lock(mutex);
}

static void broadcast(struct condition *condition) {
    __atomic_fetch_add(&condition->signals, 1, __ATOMIC_SEQ_CST);
    wake(&condition->signals, -1);
}

static struct mutex mutex;
static struct condition changed;
static int queue[4], count, running;
static long sum;

static _Thread_local int taken = 1000;

static void put(int value) {
    lock(&mutex);
    while (count == 4) wait_for(&changed, &mutex);
    queue[count++] = value;
    broadcast(&changed);
    unlock(&mutex);
}

// Takes numbers until there is a negative one, and checks that it counted its own.
static void consume(void) {
    int own = 0;
    for (;;) {
        lock(&mutex);
        while (!count) wait_for(&changed, &mutex);
        int const value = queue[--count];
        if (value > 0) sum += value, taken++, own++;
        broadcast(&changed);
        unlock(&mutex);
        if (value < 0) break;
    }
    if (taken != 1000 + own) proc_exit(1);
}

struct thread {
    void *stack;
    void *locals;
};

extern void __wasm_init_tls(void *);

__attribute__((used)) void run(struct thread *thread) {
    __wasm_init_tls(thread->locals);
    consume();
    lock(&mutex);
    running--;
    broadcast(&changed);
    unlock(&mutex);
}

// Nothing may be called before the thread has its own stack.
__asm__(".globaltype __stack_pointer, i32\n"
        ".functype run (i32) -> ()\n"
        ".globl wasi_thread_start\n"
        ".type wasi_thread_start, @function\n"
        "wasi_thread_start:\n"
        ".functype wasi_thread_start (i32, i32) -> ()\n"
        "local.get 1\n"
        "i32.load 0\n"
        "global.set __stack_pointer\n"
        "local.get 1\n"
        "call run\n"
        "end_function\n");

enum { THREADS = 3, LAST = 2000 };

static struct thread threads[THREADS];
static _Alignas(16) char stacks[THREADS][4096], locals[THREADS][64];

static void print(long number) {
    char text[16], *at = text + sizeof text;
    *--at = '\n';
    do *--at = '0' + number % 10;
    while (number /= 10);
    struct buffer const buffer = {at, text + sizeof text - at};
    unsigned long written;
    fd_write(1, &buffer, 1, &written);
}

__attribute__((export_name("_start"))) void start(void) {
    for (running = 0; running < THREADS; running++) {
        threads[running] = (struct thread){stacks[running + 1], locals[running]};
    }
    for (int i = 0; i < THREADS; i++)
        if (spawn(&threads[i]) <= 0) proc_exit(2);
    for (int i = 1; i <= LAST; i++) put(i);
    lock(&mutex);
    while (count) wait_for(&changed, &mutex);
    unlock(&mutex);
    for (int i = 0; i < THREADS; i++) put(-1);
    lock(&mutex);
    while (running) wait_for(&changed, &mutex);
    unlock(&mutex);
    print(sum);
    // Time for the threads to end by themselves.
    __builtin_wasm_memory_atomic_wait32(&running, 0, 200000000);
}
