// Clocks and random numbers. Sources: <time.h>, <mach/mach_time.h>, <sys/random.h>.
#include "loader.h"

#include <sys/random.h>
#include <time.h>
#include <unistd.h>

// The host's clock for one of Darwin, or -1.
static int host_clock(int clock) {
    switch (clock) {
    case 0: return CLOCK_REALTIME;
    case 4:    // CLOCK_MONOTONIC_RAW
    case 5: return CLOCK_MONOTONIC_RAW;
    case 6: return CLOCK_BOOTTIME;    // CLOCK_MONOTONIC goes on while the machine sleeps
    case 8:    // CLOCK_UPTIME_RAW
    case 9: return CLOCK_MONOTONIC;
    case 12: return CLOCK_PROCESS_CPUTIME_ID;
    case 16: return CLOCK_THREAD_CPUTIME_ID;
    default: return -1;
    }
}

static int read_clock(int clock, struct timespec *time) {
    const int host = host_clock(clock);
    return host < 0 ? fail(D_EINVAL) : (int)host_result(clock_gettime(host, time));
}

static int read_resolution(int clock, struct timespec *resolution) {
    const int host = host_clock(clock);
    return host < 0 ? fail(D_EINVAL) : (int)host_result(clock_getres(host, resolution));
}

static uint64_t read_nanoseconds(int clock) {
    struct timespec time = {0};
    read_clock(clock, &time);
    return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static uint64_t absolute_time(void) {
    return read_nanoseconds(8);
}

struct timebase {
    uint32_t numerator, denominator;
};

static int read_timebase(struct timebase *timebase) {
    *timebase = (struct timebase){1, 1};
    return 0;
}

static int sleep_for(const struct timespec *time, struct timespec *remaining) {
    return (int)host_result(nanosleep(time, remaining));
}

static int give_entropy(void *bytes, size_t count) {
    return count > 256 ? fail(D_EIO) : (int)host_result(getentropy(bytes, count));
}

static void give_random(void *bytes, size_t count) {
    for (uint8_t *at = bytes; count;) {
        const ssize_t got = getrandom(at, count, 0);
        if (got > 0) at += got, count -= got;
    }
}

const struct export time_exports[] = {
    FUNCTION("clock_gettime", read_clock),
    FUNCTION("clock_getres", read_resolution),
    FUNCTION("clock_gettime_nsec_np", read_nanoseconds),
    FUNCTION("mach_absolute_time", absolute_time),
    FUNCTION("mach_timebase_info", read_timebase),
    FUNCTION("nanosleep", sleep_for),
    FUNCTION("getentropy", give_entropy),
    FUNCTION("arc4random_buf", give_random),
    {},
};
