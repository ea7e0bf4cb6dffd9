// Sockets. Sources: <sys/socket.h>, <netinet/in.h>, <netinet/tcp.h>.
#include "loader.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

// ---- Addresses: Darwin's begin with a length byte and number IPv6 as 30.

enum { D_AF_INET6 = 30 };

static int translate_family(int family) {
    REQUIRE(family == AF_UNIX || family == AF_INET || family == D_AF_INET6, "address family %d", family);
    return family == D_AF_INET6 ? AF_INET6 : family;
}

static void give_address(const struct sockaddr_storage *host, socklen_t host_size, uint8_t *address,
                         socklen_t *size) {
    if (!address || !size) return;
    uint8_t bytes[sizeof *host];
    memcpy(bytes, host, sizeof bytes);
    bytes[0] = (uint8_t)host_size;
    bytes[1] = host->ss_family == AF_INET6 ? D_AF_INET6 : (uint8_t)host->ss_family;
    memcpy(address, bytes, *size < host_size ? *size : host_size);
    *size = host_size;
}

static socklen_t take_address(const uint8_t *address, socklen_t size, struct sockaddr_storage *host) {
    REQUIRE(size >= 2 && size <= sizeof *host, "a socket address of %u bytes", size);
    memcpy(host, address, size);
    host->ss_family = (sa_family_t)translate_family(address[1]);
    return size;
}

// ---- Connections

static int create(int family, int type, int protocol) {
    return (int)host_result(socket(translate_family(family), type, protocol));
}

static int bind_address(int descriptor, const uint8_t *address, socklen_t size) {
    struct sockaddr_storage host;
    const socklen_t host_size = take_address(address, size, &host);
    return (int)host_result(bind(descriptor, (struct sockaddr *)&host, host_size));
}

static int connect_address(int descriptor, const uint8_t *address, socklen_t size) {
    struct sockaddr_storage host;
    const socklen_t host_size = take_address(address, size, &host);
    return (int)host_result(connect(descriptor, (struct sockaddr *)&host, host_size));
}

static int listen_for(int descriptor, int backlog) {
    return (int)host_result(listen(descriptor, backlog));
}

static int accept_connection(int descriptor, uint8_t *address, socklen_t *size) {
    struct sockaddr_storage host;
    socklen_t host_size = sizeof host;
    const int result = accept(descriptor, (struct sockaddr *)&host, &host_size);
    if (result >= 0) give_address(&host, host_size, address, size);
    return (int)host_result(result);
}

static int own_address(int descriptor, uint8_t *address, socklen_t *size) {
    struct sockaddr_storage host;
    socklen_t host_size = sizeof host;
    const int result = getsockname(descriptor, (struct sockaddr *)&host, &host_size);
    if (result == 0) give_address(&host, host_size, address, size);
    return (int)host_result(result);
}

static int peer_address(int descriptor, uint8_t *address, socklen_t *size) {
    struct sockaddr_storage host;
    socklen_t host_size = sizeof host;
    const int result = getpeername(descriptor, (struct sockaddr *)&host, &host_size);
    if (result == 0) give_address(&host, host_size, address, size);
    return (int)host_result(result);
}

static int shut_down(int descriptor, int how) {
    return (int)host_result(shutdown(descriptor, how));
}

// ---- Data

static int translate_message_flags(int flags) {
    enum { OOB = 1, PEEK = 2, WAITALL = 0x40, DONTWAIT = 0x80, NOSIGNAL = 0x80000 };
    REQUIRE((flags & ~(OOB | PEEK | WAITALL | DONTWAIT | NOSIGNAL)) == 0, "message flags %#x", flags);
    return (flags & OOB ? MSG_OOB : 0) | (flags & PEEK ? MSG_PEEK : 0) |
           (flags & WAITALL ? MSG_WAITALL : 0) | (flags & DONTWAIT ? MSG_DONTWAIT : 0) |
           (flags & NOSIGNAL ? MSG_NOSIGNAL : 0);
}

static ssize_t receive(int descriptor, void *bytes, size_t count, int flags) {
    return host_result(recv(descriptor, bytes, count, translate_message_flags(flags)));
}

static ssize_t transmit(int descriptor, const void *bytes, size_t count, int flags) {
    return host_result(send(descriptor, bytes, count, translate_message_flags(flags)));
}

// A message without address and control data, which is all that is needed of one.
struct darwin_message {
    void *name;
    uint32_t name_size;
    struct iovec *buffers;
    int32_t buffer_count;
    void *control;
    uint32_t control_size;
    int32_t flags;
};

static struct msghdr translate_message(const struct darwin_message *message) {
    REQUIRE(!message->name && !message->control, "a message with address or control data");
    return (struct msghdr){.msg_iov = message->buffers, .msg_iovlen = (size_t)message->buffer_count};
}

static ssize_t receive_message(int descriptor, struct darwin_message *message, int flags) {
    struct msghdr host = translate_message(message);
    const ssize_t result = recvmsg(descriptor, &host, translate_message_flags(flags));
    message->flags = host.msg_flags & MSG_TRUNC ? 0x10 : 0;
    return host_result(result);
}

static ssize_t transmit_message(int descriptor, const struct darwin_message *message, int flags) {
    const struct msghdr host = translate_message(message);
    return host_result(sendmsg(descriptor, &host, translate_message_flags(flags)));
}

// ---- Options

// Sets the host's level and name; returns false for an option that has no counterpart.
static bool translate_option(int *level, int *name) {
    if (*level == IPPROTO_TCP && *name == 1) {
        *name = TCP_NODELAY;
        return true;
    }
    REQUIRE(*level == 0xffff, "socket option level %d", *level);
    *level = SOL_SOCKET;
    switch (*name) {
    case 0x2: *name = SO_ACCEPTCONN; return true;
    case 0x4: *name = SO_REUSEADDR; return true;
    case 0x8: *name = SO_KEEPALIVE; return true;
    case 0x1001: *name = SO_SNDBUF; return true;
    case 0x1002: *name = SO_RCVBUF; return true;
    case 0x1005: *name = SO_SNDTIMEO; return true;
    case 0x1006: *name = SO_RCVTIMEO; return true;
    case 0x1007: *name = SO_ERROR; return true;
    case 0x1008: *name = SO_TYPE; return true;
    case 0x1022: return false;    // SO_NOSIGPIPE
    default: refuse("socket option %#x is unknown to this loader", *name);
    }
}

static int set_option(int descriptor, int level, int name, const void *value, socklen_t size) {
    if (!translate_option(&level, &name)) return 0;
    return (int)host_result(setsockopt(descriptor, level, name, value, size));
}

static int get_option(int descriptor, int level, int name, void *value, socklen_t *size) {
    REQUIRE(translate_option(&level, &name), "SO_NOSIGPIPE is not read back");
    const int result = getsockopt(descriptor, level, name, value, size);
    if (result == 0 && name == SO_ERROR && *(int *)value) *(int *)value = darwin_error(*(int *)value);
    return (int)host_result(result);
}

const struct export socket_exports[] = {
    FUNCTION("socket", create),
    FUNCTION("bind", bind_address),
    FUNCTION("connect", connect_address),
    FUNCTION("listen", listen_for),
    FUNCTION("accept", accept_connection),
    FUNCTION("getsockname", own_address),
    FUNCTION("getpeername", peer_address),
    FUNCTION("shutdown", shut_down),
    FUNCTION("recv", receive),
    FUNCTION("send", transmit),
    FUNCTION("recvmsg", receive_message),
    FUNCTION("sendmsg", transmit_message),
    FUNCTION("setsockopt", set_option),
    FUNCTION("getsockopt", get_option),
    {},
};
