"""Modules that are large in one way: very many functions, one very long body, or much data.

They run to their end and do nothing visible; what counts is compiling or starting them.
Source: core specification, "Binary Format".
"""

I32 = 0x7F
EMPTY = 0x40
BLOCK, LOOP, END, BR, BR_IF, BR_TABLE = 0x02, 0x03, 0x0B, 0x0C, 0x0D, 0x0E
CALL, DROP = 0x10, 0x1A
LOCAL_GET, LOCAL_SET, GLOBAL_GET, GLOBAL_SET = 0x20, 0x21, 0x23, 0x24
I32_LOAD, I32_STORE, I32_CONST, I32_EQZ = 0x28, 0x36, 0x41, 0x45
I32_ADD, I32_SUB, I32_MUL, I32_AND, I32_XOR, I32_ROTL = 0x6A, 0x6B, 0x6C, 0x71, 0x73, 0x77


def unsigned(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def signed(value):
    out = bytearray()
    while not -0x40 <= value < 0x40:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value & 0x7F)
    return bytes(out)


def const(value):
    return bytes([I32_CONST]) + signed(value)


def memory_access(operator, offset):
    return bytes([operator, 2]) + unsigned(offset)


def vector(items):
    return unsigned(len(items)) + b"".join(items)


def binary(sections):
    """A module of sections by their numbers."""
    contents = (
        bytes([number]) + unsigned(len(content)) + content for number, content in sections.items()
    )
    return b"\0asm\1\0\0\0" + b"".join(contents)


def module(bodies):
    """A module whose function 0 is `() -> ()` and its `_start`; all others are `i32 -> i32` and
    entries of its table."""
    types = vector([bytes([0x60, 0, 0]), bytes([0x60, 1, I32, 1, I32])])
    functions = unsigned(len(bodies)) + b"\0" + b"\1" * (len(bodies) - 1)
    table = vector([bytes([0x70, 0]) + unsigned(len(bodies))])
    memory = vector([bytes([0]) + unsigned(32)])
    stack = vector([bytes([I32, 1]) + const(1 << 20) + bytes([END])])
    exports = vector([b"\x06_start\0\0", b"\x06memory\x02\0"])
    held = vector([unsigned(index) for index in range(1, len(bodies))])
    elements = vector([b"\0" + const(1) + bytes([END]) + held])
    code = vector([unsigned(len(body)) + body for body in bodies])
    return binary({
        1: types, 3: functions, 4: table, 5: memory, 6: stack, 7: exports, 9: elements, 10: code
    })  # fmt: skip


def data_segment(size):
    """An empty `_start`, and a data segment of so many bytes, few of them zero."""
    words = b"".join((word * 0x9E3779B1 & 0xFFFFFFFF).to_bytes(4, "little") for word in range(1 << 16))
    data = (words * (size // len(words) + 1))[:size]
    segment = b"\0" + const(1 << 20) + bytes([END]) + unsigned(size) + data
    return binary({
        1: vector([bytes([0x60, 0, 0])]), 3: vector([b"\0"]),
        5: vector([bytes([0]) + unsigned((size >> 16) + 17)]),
        7: vector([b"\x06_start\0\0", b"\x06memory\x02\0"]),
        10: vector([bytes([2, 0, END])]), 11: vector([segment]),
    })  # fmt: skip


def many_functions(count):
    """`count` functions of some 60 bytes each, with a loop, memory accesses and a call."""
    bodies = [bytes([0]) + const(1) + bytes([CALL, 1, DROP, END])]
    for index in range(1, count):
        body = bytearray([1, 1, I32])
        body += bytes([LOCAL_GET, 0]) + const(index % 7 + 1) + bytes([I32_AND, LOCAL_SET, 1])
        body += bytes([BLOCK, EMPTY, LOOP, EMPTY, LOCAL_GET, 1, I32_EQZ, BR_IF, 1])
        body += bytes([LOCAL_GET, 1, LOCAL_GET, 1])
        body += memory_access(I32_LOAD, index % 4096) + const(index) + bytes([I32_XOR])
        body += memory_access(I32_STORE, index % 8192)
        body += bytes([LOCAL_GET, 1]) + const(1) + bytes([I32_SUB, LOCAL_SET, 1, BR, 0, END, END])
        body += bytes([LOCAL_GET, 0])
        if index % 8 and index + 1 < count:
            body += bytes([CALL]) + unsigned(index + 1)
        body += const(index) + bytes([I32_MUL, END])
        bodies.append(bytes(body))
    return module(bodies)


def long_body(size):
    """One body of about `size` bytes: a state machine as Go's compiler emits it, a jump table in
    a loop with one block for each state."""
    states, total = [], 0
    while total < size:
        number = len(states)
        state = bytearray([GLOBAL_GET, 0, GLOBAL_GET, 0])
        state += memory_access(I32_LOAD, number % 512 * 4) + bytes([LOCAL_GET, 1])
        state += const(number * 77) + bytes([I32_ADD, I32_XOR])
        state += memory_access(I32_STORE, number % 512 * 4)
        state += bytes([LOCAL_GET, 1]) + const(number % 31 + 1) + bytes([I32_ROTL, LOCAL_SET, 1])
        states.append(bytes(state))
        total += len(state)
    count = len(states)
    body = bytearray([1, 2, I32, LOOP, EMPTY])
    body += bytes([BLOCK, EMPTY]) * count
    body += bytes([LOCAL_GET, 2, BR_TABLE]) + unsigned(count - 1)
    body += b"".join(unsigned(index) for index in range(count))
    for number, state in enumerate(states):
        body += bytes([END]) + state
        # To another state now and then, as branches of the program do.
        if number % 5 == 0 and number + 9 < count:
            body += bytes([LOCAL_GET, 0, I32_EQZ, BR_IF]) + unsigned(7)
    body += bytes([END, LOCAL_GET, 1, END])
    start = bytes([0]) + const(3) + bytes([CALL, 1, DROP, END])
    return module([start, bytes(body)])
