// Threads. Darwin's objects are opaque and larger than what is kept in them here: a mark that says
// what they are, and a pointer to the host's object. Source: <pthread.h>, <sys/_pthread/_pthread_types.h>.
#include "loader.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

// Marks of static initialisers, and ours of objects in use.
enum : uint64_t {
    MUTEX_STATIC = 0x32aaaba7,
    MUTEX_STATIC_RECURSIVE = 0x32aaaba2,
    CONDITION_STATIC = 0x3cb0b1bb,
    ONCE_STATIC = 0x30b1bcba,
    ATTRIBUTES_MARK = 0x54485241,
    MUTEX_MARK = 0x4d555458,
    CONDITION_MARK = 0x434f4e44,
    ONCE_MARK = 0x4f4e4345,
};

struct object {
    uint64_t mark;
    void *host;
};

static pthread_mutex_t lazily = PTHREAD_MUTEX_INITIALIZER;

static int number(int error) {
    return error ? darwin_error(error) : 0;
}

static void *allocate(size_t size) {
    void *const memory = calloc(1, size);
    REQUIRE(memory, "out of memory");
    return memory;
}

// ---- Threads

static int attributes_create(struct object *attributes) {
    *attributes = (struct object){ATTRIBUTES_MARK, allocate(sizeof(pthread_attr_t))};
    pthread_attr_init(attributes->host);
    return pthread_attr_setstacksize(attributes->host, 512 << 10);
}

static pthread_attr_t *attributes_of(const struct object *attributes) {
    REQUIRE(attributes->mark == ATTRIBUTES_MARK, "uninitialised pthread_attr_t");
    return attributes->host;
}

static int attributes_destroy(struct object *attributes) {
    free(attributes_of(attributes));
    *attributes = (struct object){0};
    return 0;
}

static int attributes_set_stack_size(struct object *attributes, size_t size) {
    if (size < 16384 || size % PAGE_SIZE) return D_EINVAL;
    return number(pthread_attr_setstacksize(attributes_of(attributes), size));
}

static int attributes_set_guard_size(struct object *attributes, size_t size) {
    if (size % PAGE_SIZE) return D_EINVAL;
    return number(pthread_attr_setguardsize(attributes_of(attributes), size));
}

static int attributes_set_stack(struct object *attributes, void *low, size_t size) {
    if (size < 16384 || size % PAGE_SIZE || (uintptr_t)low % PAGE_SIZE) return D_EINVAL;
    return number(pthread_attr_setstack(attributes_of(attributes), low, size));
}

static int attributes_set_detached(struct object *attributes, int state) {
    if (state != 1 && state != 2) return D_EINVAL;
    return number(pthread_attr_setdetachstate(
        attributes_of(attributes), state == 2 ? PTHREAD_CREATE_DETACHED : PTHREAD_CREATE_JOINABLE));
}

static int create(pthread_t *thread, const struct object *attributes, void *(*start)(void *),
                  void *argument) {
    struct object standard;
    if (!attributes) attributes_create(&standard);
    const int error = pthread_create(thread, attributes_of(attributes ? attributes : &standard), start,
                                     argument);
    if (!attributes) attributes_destroy(&standard);
    return number(error);
}

static int join(pthread_t thread, void **result) {
    return number(pthread_join(thread, result));
}

static int detach(pthread_t thread) {
    return number(pthread_detach(thread));
}

// ---- Mutexes and conditions

// The host's object, created when a statically initialised one is first used.
static void *host_object(struct object *object, uint64_t initial, uint64_t mark, size_t size,
                         const char *what) {
    pthread_mutex_lock(&lazily);
    if (object->mark == initial || (mark == MUTEX_MARK && object->mark == MUTEX_STATIC_RECURSIVE)) {
        void *const host = allocate(size);
        if (mark == MUTEX_MARK) {
            pthread_mutexattr_t kind;
            pthread_mutexattr_init(&kind);
            if (object->mark == MUTEX_STATIC_RECURSIVE)
                pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE);
            pthread_mutex_init(host, &kind);
        } else {
            pthread_cond_init(host, NULL);
        }
        *object = (struct object){mark, host};
    }
    pthread_mutex_unlock(&lazily);
    REQUIRE(object->mark == mark, "uninitialised %s", what);
    return object->host;
}

static pthread_mutex_t *mutex_of(struct object *mutex) {
    return host_object(mutex, MUTEX_STATIC, MUTEX_MARK, sizeof(pthread_mutex_t), "pthread_mutex_t");
}

static pthread_cond_t *condition_of(struct object *condition) {
    return host_object(condition, CONDITION_STATIC, CONDITION_MARK, sizeof(pthread_cond_t),
                       "pthread_cond_t");
}

static int mutex_create(struct object *mutex, const void *attributes) {
    REQUIRE(!attributes, "pthread_mutex_init: attributes are unknown to this loader");
    *mutex = (struct object){MUTEX_STATIC, NULL};
    return 0;
}

static int mutex_lock(struct object *mutex) {
    return number(pthread_mutex_lock(mutex_of(mutex)));
}

static int mutex_try_lock(struct object *mutex) {
    return number(pthread_mutex_trylock(mutex_of(mutex)));
}

static int mutex_unlock(struct object *mutex) {
    return number(pthread_mutex_unlock(mutex_of(mutex)));
}

static int condition_create(struct object *condition, const void *attributes) {
    REQUIRE(!attributes, "pthread_cond_init: attributes are unknown to this loader");
    *condition = (struct object){CONDITION_STATIC, NULL};
    return 0;
}

static int condition_wait(struct object *condition, struct object *mutex) {
    return number(pthread_cond_wait(condition_of(condition), mutex_of(mutex)));
}

static int condition_wait_until(struct object *condition, struct object *mutex,
                                const struct timespec *time) {
    return number(pthread_cond_timedwait(condition_of(condition), mutex_of(mutex), time));
}

static int condition_wait_for(struct object *condition, struct object *mutex,
                              const struct timespec *duration) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += duration->tv_sec;
    until.tv_nsec += duration->tv_nsec;
    if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
    return number(pthread_cond_clockwait(condition_of(condition), mutex_of(mutex), CLOCK_MONOTONIC,
                                         &until));
}

static int condition_signal(struct object *condition) {
    return number(pthread_cond_signal(condition_of(condition)));
}

static int condition_broadcast(struct object *condition) {
    return number(pthread_cond_broadcast(condition_of(condition)));
}

static int object_destroy(struct object *object) {
    free(object->host);
    *object = (struct object){0};
    return 0;
}

// ---- Once, and values of a thread

static int once(struct object *control, void (*function)(void)) {
    pthread_mutex_lock(&lazily);
    const bool first = control->mark == ONCE_STATIC;
    if (first) *control = (struct object){ONCE_MARK, allocate(sizeof(pthread_once_t))};
    pthread_mutex_unlock(&lazily);
    REQUIRE(control->mark == ONCE_MARK, "uninitialised pthread_once_t");
    return number(pthread_once(control->host, function));
}

static int key_create(uint64_t *key, void (*destructor)(void *)) {
    pthread_key_t host;
    const int error = pthread_key_create(&host, destructor);
    *key = host;
    return number(error);
}

static void *value_of(uint64_t key) {
    return pthread_getspecific((pthread_key_t)key);
}

static int set_value(uint64_t key, const void *value) {
    return number(pthread_setspecific((pthread_key_t)key, value));
}

const struct export thread_exports[] = {
    FUNCTION("pthread_attr_init", attributes_create),
    FUNCTION("pthread_attr_destroy", attributes_destroy),
    FUNCTION("pthread_attr_setstacksize", attributes_set_stack_size),
    FUNCTION("pthread_attr_setguardsize", attributes_set_guard_size),
    FUNCTION("pthread_attr_setstack", attributes_set_stack),
    FUNCTION("pthread_attr_setdetachstate", attributes_set_detached),
    FUNCTION("pthread_create", create),
    FUNCTION("pthread_join", join),
    FUNCTION("pthread_detach", detach),
    FUNCTION("pthread_exit", pthread_exit),
    FUNCTION("pthread_self", pthread_self),
    FUNCTION("pthread_mutex_init", mutex_create),
    FUNCTION("pthread_mutex_destroy", object_destroy),
    FUNCTION("pthread_mutex_lock", mutex_lock),
    FUNCTION("pthread_mutex_trylock", mutex_try_lock),
    FUNCTION("pthread_mutex_unlock", mutex_unlock),
    FUNCTION("pthread_cond_init", condition_create),
    FUNCTION("pthread_cond_destroy", object_destroy),
    FUNCTION("pthread_cond_wait", condition_wait),
    FUNCTION("pthread_cond_timedwait", condition_wait_until),
    FUNCTION("pthread_cond_timedwait_relative_np", condition_wait_for),
    FUNCTION("pthread_cond_signal", condition_signal),
    FUNCTION("pthread_cond_broadcast", condition_broadcast),
    FUNCTION("pthread_once", once),
    FUNCTION("pthread_key_create", key_create),
    FUNCTION("pthread_getspecific", value_of),
    FUNCTION("pthread_setspecific", set_value),
    FUNCTION("sched_yield", sched_yield),
    {},
};
