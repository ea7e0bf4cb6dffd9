// Signals: numbers, structures and the handler that calls the executable's handlers.
// Sources: <sys/signal.h>, <sys/_types/_ucontext64.h>, <mach/i386/_structs.h>,
// <mach/arm/_structs.h>; XNU's bsd/uxkern/ux_exception.c for which fault raises which signal.
#include "loader.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum { D_SIGKILL = 9, D_SIGBUS = 10, D_SIGSEGV = 11, D_SIGSTOP = 17, SIGNALS = 32 };
enum { D_SA_ONSTACK = 1, D_SA_RESTART = 2, D_SA_RESETHAND = 4, D_SA_NODEFER = 0x10, D_SA_SIGINFO = 0x40 };

// Darwin's number of a host signal; 0 where there is none.
static const uint8_t darwin_numbers[SIGNALS] = {
    [SIGHUP] = 1,   [SIGINT] = 2,   [SIGQUIT] = 3,    [SIGILL] = 4,   [SIGTRAP] = 5,  [SIGABRT] = 6,
    [SIGFPE] = 8,   [SIGKILL] = 9,  [SIGBUS] = 10,    [SIGSEGV] = 11, [SIGSYS] = 12,  [SIGPIPE] = 13,
    [SIGALRM] = 14, [SIGTERM] = 15, [SIGURG] = 16,    [SIGSTOP] = 17, [SIGTSTP] = 18, [SIGCONT] = 19,
    [SIGCHLD] = 20, [SIGTTIN] = 21, [SIGTTOU] = 22,   [SIGIO] = 23,   [SIGXCPU] = 24, [SIGXFSZ] = 25,
    [SIGPROF] = 27, [SIGWINCH] = 28, [SIGVTALRM] = 26, [SIGUSR1] = 30, [SIGUSR2] = 31,
};

static int host_signal(int number) {
    for (int i = 1; i < SIGNALS; i++)
        if (darwin_numbers[i] == number) return i;
    return -1;
}

// ---- Darwin's structures

struct darwin_action {
    void *handler;    // SIG_DFL and SIG_IGN have the same values
    uint32_t mask;
    int32_t flags;
};

struct darwin_stack {
    void *low;
    uint64_t size;
    int32_t flags;
};

struct darwin_info {
    int32_t number, error, code, process;
    uint32_t user;
    int32_t status;
    void *address, *value;
    int64_t band;
    uint64_t padding[7];
};

#ifdef __aarch64__
struct darwin_machine_context {
    uint64_t fault_address;
    uint32_t syndrome, exception;
    uint64_t x[29], fp, lr, sp, pc;
    uint32_t cpsr, padding;
    unsigned __int128 v[32];
    uint32_t fpsr, fpcr;
};
_Static_assert(sizeof(struct darwin_machine_context) == 816, "mcontext64");
#else
struct darwin_machine_context {
    uint16_t trap, cpu;
    uint32_t error;
    uint64_t fault_address;
    uint64_t rax, rbx, rcx, rdx, rdi, rsi, rbp, rsp, r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rip, rflags, cs, fs, gs;
    uint8_t floating_point[524];
    uint32_t padding;
};
_Static_assert(sizeof(struct darwin_machine_context) == 712, "mcontext64");
#endif

struct darwin_context {
    int32_t on_stack;
    uint32_t mask;
    struct darwin_stack stack;
    struct darwin_context *link;
    uint64_t machine_size;
    struct darwin_machine_context *machine;
};
_Static_assert(sizeof(struct darwin_context) == 56, "ucontext64");

// ---- Registers, both ways

#ifdef __aarch64__
static void read_registers(const ucontext_t *host, struct darwin_machine_context *machine) {
    const mcontext_t *from = &host->uc_mcontext;
    machine->fault_address = from->fault_address;
    memcpy(machine->x, from->regs, sizeof machine->x);
    machine->fp = from->regs[29];
    machine->lr = from->regs[30];
    machine->sp = from->sp;
    machine->pc = from->pc;
    machine->cpsr = (uint32_t)from->pstate;
}

static void write_registers(const struct darwin_machine_context *machine, ucontext_t *host) {
    mcontext_t *const to = &host->uc_mcontext;
    memcpy(to->regs, machine->x, sizeof machine->x);
    to->regs[29] = machine->fp;
    to->regs[30] = machine->lr;
    to->sp = machine->sp;
    to->pc = machine->pc;
}

static uint64_t program_counter(const ucontext_t *host) {
    return host->uc_mcontext.pc;
}
#else
#define REGISTERS(each) \
    each(rax, RAX) each(rbx, RBX) each(rcx, RCX) each(rdx, RDX) each(rdi, RDI) each(rsi, RSI) \
    each(rbp, RBP) each(rsp, RSP) each(r8, R8) each(r9, R9) each(r10, R10) each(r11, R11) \
    each(r12, R12) each(r13, R13) each(r14, R14) each(r15, R15) each(rip, RIP) each(rflags, EFL)

static void read_registers(const ucontext_t *host, struct darwin_machine_context *machine) {
    const greg_t *from = host->uc_mcontext.gregs;
#define READ(darwin, linux) machine->darwin = (uint64_t)from[REG_##linux];
    REGISTERS(READ)
    machine->trap = (uint16_t)from[REG_TRAPNO];
    machine->error = (uint32_t)from[REG_ERR];
    machine->fault_address = (uint64_t)from[REG_CR2];
}

static void write_registers(const struct darwin_machine_context *machine, ucontext_t *host) {
    greg_t *const to = host->uc_mcontext.gregs;
#define WRITE(darwin, linux) to[REG_##linux] = (greg_t)machine->darwin;
    REGISTERS(WRITE)
}

static uint64_t program_counter(const ucontext_t *host) {
    return (uint64_t)host->uc_mcontext.gregs[REG_RIP];
}
#endif

// ---- Delivery

static struct darwin_action actions[SIGNALS];
static uint64_t stack_low, stack_high;

// Which of Darwin's signals a fault raises, and its code: an address where nothing is mapped
// SIGSEGV, one that is protected SIGBUS, but in the main thread's stack SIGSEGV.
static struct darwin_info classify(int signal, const siginfo_t *host, const ucontext_t *context) {
    struct darwin_info info = {.number = darwin_numbers[signal], .address = host->si_addr};
    const uint64_t address = (uint64_t)host->si_addr;
    switch (signal) {
    case SIGSEGV:
    case SIGBUS:
        if (signal == SIGSEGV && host->si_code == SEGV_MAPERR) {
            info.number = D_SIGSEGV, info.code = 1;
        } else if (address >= stack_low && address < stack_high) {
            info.number = D_SIGSEGV, info.code = 2;
        } else {
            info.number = D_SIGBUS, info.code = 1;
        }
        break;
    case SIGFPE:
        info.code = host->si_code == FPE_INTDIV ? 7 : host->si_code == FPE_INTOVF ? 8 : 5;
        info.address = (void *)program_counter(context);
        break;
    case SIGILL:
    case SIGTRAP:
        info.code = 1;
        info.address = (void *)program_counter(context);
        break;
    default:
        info.process = host->si_pid;
        info.user = host->si_uid;
    }
    return info;
}

static void deliver(int signal, siginfo_t *host_info, void *host_context) {
    ucontext_t *const host = host_context;
    struct darwin_info info = classify(signal, host_info, host);
    struct darwin_action *const action = &actions[info.number];
    if ((uintptr_t)action->handler <= 1) {
        fprintf(stderr, "macho-loader: killed by Darwin's signal %d at address %p, pc %#llx\n",
                info.number, info.address, (unsigned long long)program_counter(host));
        // The host's signal with that number may differ: SIGBUS is 7 there.
        struct sigaction standard = {.sa_handler = SIG_DFL};
        const int killer = host_signal(info.number);
        sigset_t only;
        sigemptyset(&only);
        sigaddset(&only, killer);
        sigaction(killer, &standard, NULL);
        raise(killer);
        sigprocmask(SIG_UNBLOCK, &only, NULL);
        _exit(128 + info.number);
    }

    struct darwin_machine_context machine = {0};
    read_registers(host, &machine);
    struct darwin_context context = {.machine_size = sizeof machine, .machine = &machine};
    void *const handler = action->handler;
    const int error = *darwin_errno(), flags = action->flags;
    if (flags & D_SA_RESETHAND) *action = (struct darwin_action){0};
    if (flags & D_SA_SIGINFO)
        ((void (*)(int, struct darwin_info *, void *))handler)(info.number, &info, &context);
    else
        ((void (*)(int))handler)(info.number);
    *darwin_errno() = error;
    write_registers(&machine, host);
}

static void translate_mask(uint32_t mask, sigset_t *host) {
    sigemptyset(host);
    for (int i = 1; i < SIGNALS; i++)
        if (darwin_numbers[i] && mask >> (darwin_numbers[i] - 1) & 1) sigaddset(host, i);
}

static void install(int signal, uint32_t mask, int flags) {
    struct sigaction host = {.sa_sigaction = deliver, .sa_flags = SA_SIGINFO};
    translate_mask(mask, &host.sa_mask);
    if (flags & D_SA_ONSTACK) host.sa_flags |= SA_ONSTACK;
    if (flags & D_SA_NODEFER) host.sa_flags |= SA_NODEFER;
    if (flags & D_SA_RESTART) host.sa_flags |= SA_RESTART;
    sigaction(signal, &host, NULL);
}

// A fault may become either signal, so that both share what their actions ask for.
static void install_faults(void) {
    const uint32_t mask = actions[D_SIGBUS].mask | actions[D_SIGSEGV].mask;
    int flags = actions[D_SIGBUS].flags | actions[D_SIGSEGV].flags;
    if (!actions[D_SIGBUS].handler && !actions[D_SIGSEGV].handler) flags = D_SA_ONSTACK;
    install(SIGSEGV, mask, flags);
    install(SIGBUS, mask, flags);
}

void signals_begin(uint64_t low, uint64_t high) {
    enum { SIZE = 64 << 10 };
    stack_low = low;
    stack_high = high;
    // Until the executable sets its own, so that a fault of the stack is reported too.
    const stack_t own = {.ss_sp = malloc(SIZE), .ss_size = SIZE};
    sigaltstack(&own, NULL);
    install_faults();
    install(SIGILL, 0, D_SA_ONSTACK);
    install(SIGFPE, 0, D_SA_ONSTACK);
    install(SIGTRAP, 0, D_SA_ONSTACK);
}

// ---- What is imported

static int set_action(int number, const struct darwin_action *action, struct darwin_action *former) {
    if (number < 1 || number >= SIGNALS) return fail(D_EINVAL);
    if (action && (number == D_SIGKILL || number == D_SIGSTOP)) return fail(D_EINVAL);
    if (former) *former = actions[number];
    if (!action) return 0;
    REQUIRE((action->flags & ~0x7f) == 0, "sigaction: flags %#x mean nothing on Darwin", action->flags);
    actions[number] = *action;

    const int host = host_signal(number);
    if (number == D_SIGBUS || number == D_SIGSEGV) install_faults();
    else if (host > 0 && (uintptr_t)action->handler > 1) install(host, action->mask, action->flags);
    else if (host > 0) signal(host, action->handler ? SIG_IGN : SIG_DFL);
    return 0;
}

static void *set_handler(int number, void *handler) {
    struct darwin_action former, action = {.handler = handler, .flags = D_SA_RESTART};
    return set_action(number, &action, &former) < 0 ? (void *)-1 : former.handler;
}

static int set_stack(const struct darwin_stack *stack, struct darwin_stack *former) {
    enum { DISABLE = 4, MINIMUM = 32768 };
    stack_t host = {0}, host_former;
    if (stack) {
        if (!(stack->flags & DISABLE) && stack->size < MINIMUM) return fail(D_ENOMEM);
        host.ss_sp = stack->low;
        host.ss_size = stack->size;
        host.ss_flags = stack->flags & DISABLE ? SS_DISABLE : 0;
    }
    const int result = sigaltstack(stack ? &host : NULL, &host_former);
    if (former) {
        *former = (struct darwin_stack){.low = host_former.ss_sp, .size = host_former.ss_size};
        former->flags = (host_former.ss_flags & SS_DISABLE ? DISABLE : 0) |
                        (host_former.ss_flags & SS_ONSTACK ? 1 : 0);
    }
    return (int)host_result(result);
}

// Returns a host error number. SIG_BLOCK is 1, SIG_UNBLOCK 2, SIG_SETMASK 3.
static int change_mask(int how, const uint32_t *mask, uint32_t *former) {
    static const int ways[] = {-1, SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK};
    sigset_t host, host_former;
    if (mask && (how < 1 || how > 3)) return EINVAL;
    if (mask) translate_mask(*mask, &host);
    const int error = pthread_sigmask(mask ? ways[how] : SIG_BLOCK, mask ? &host : NULL, &host_former);
    if (former) {
        *former = 0;
        for (int i = 1; i < SIGNALS; i++)
            if (darwin_numbers[i] && sigismember(&host_former, i))
                *former |= 1u << (darwin_numbers[i] - 1);
    }
    return error;
}

static int set_thread_mask(int how, const uint32_t *mask, uint32_t *former) {
    const int error = change_mask(how, mask, former);
    return error ? darwin_error(error) : 0;
}

static int set_process_mask(int how, const uint32_t *mask, uint32_t *former) {
    const int error = change_mask(how, mask, former);
    return error ? fail(darwin_error(error)) : 0;
}

static int raise_signal(int number) {
    const int host = host_signal(number);
    return host < 0 ? fail(D_EINVAL) : (int)host_result(raise(host));
}

static int send_signal(int process, int number) {
    const int host = number == 0 ? 0 : host_signal(number);
    return host < 0 ? fail(D_EINVAL) : (int)host_result(kill(process, host));
}

const struct export signal_exports[] = {
    FUNCTION("sigaction", set_action),
    FUNCTION("signal", set_handler),
    FUNCTION("sigaltstack", set_stack),
    FUNCTION("sigprocmask", set_process_mask),
    FUNCTION("pthread_sigmask", set_thread_mask),
    FUNCTION("raise", raise_signal),
    FUNCTION("kill", send_signal),
    {},
};
