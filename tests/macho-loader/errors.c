// Darwin's error numbers. Source: <sys/errno.h>.
#include "loader.h"

#include <errno.h>

static __thread int current;

// Up to ERANGE (34) both systems agree, but for EAGAIN and EDEADLK.
static const uint8_t numbers[] = {
    [EAGAIN] = 35,       [EDEADLK] = 11,         [EINPROGRESS] = 36,  [EALREADY] = 37,
    [ENOTSOCK] = 38,     [EDESTADDRREQ] = 39,    [EMSGSIZE] = 40,     [EPROTOTYPE] = 41,
    [ENOPROTOOPT] = 42,  [EPROTONOSUPPORT] = 43, [ENOTSUP] = 45,      [EAFNOSUPPORT] = 47,
    [EADDRINUSE] = 48,   [EADDRNOTAVAIL] = 49,   [ENETDOWN] = 50,     [ENETUNREACH] = 51,
    [ENETRESET] = 52,    [ECONNABORTED] = 53,    [ECONNRESET] = 54,   [ENOBUFS] = 55,
    [EISCONN] = 56,      [ENOTCONN] = 57,        [ETIMEDOUT] = 60,    [ECONNREFUSED] = 61,
    [ELOOP] = 62,        [ENAMETOOLONG] = 63,    [EHOSTUNREACH] = 65, [ENOTEMPTY] = 66,
    [EUSERS] = 68,       [EDQUOT] = 69,          [ESTALE] = 70,       [ENOLCK] = 77,
    [ENOSYS] = 78,       [EOVERFLOW] = 84,       [ECANCELED] = 89,    [EIDRM] = 90,
    [ENOMSG] = 91,       [EILSEQ] = 92,          [EBADMSG] = 94,      [EPROTO] = 100,
    [EOWNERDEAD] = 105,
};

int darwin_error(int error) {
    const int number = error < (int)sizeof numbers ? numbers[error] : 0;
    if (number) return number;
    REQUIRE(error <= ERANGE, "Linux error %d has no number on Darwin", error);
    return error;
}

int *darwin_errno(void) {
    return &current;
}

long host_result(long result) {
    if (result < 0) current = darwin_error(errno);
    return result;
}

int fail(int error) {
    current = error;
    return -1;
}

// Called by gate.S.
[[noreturn]] void refuse_misaligned(void);
void refuse_misaligned(void) {
    refuse("an import was called with a misaligned stack");
}
