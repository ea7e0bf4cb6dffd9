// Calls between the executable and the loader.
//
// Every gate refuses a stack that is not aligned to 16 bytes, as libSystem's own vector
// instructions would. On arm64 it also points to the variadic arguments, or passes on those for which
// there are no registers, and fills x18 with nonsense on return: Darwin changes that register
// whenever it likes.

#if defined(__aarch64__)

        .macro  load_poison
        movz    x18, #0xdead
        movk    x18, #0x18, lsl #32
        .endm

        .macro  gate
        mov     x17, sp
        tst     x17, #15
        b.ne    misaligned
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        blr     x16
        ldp     x29, x30, [sp], #16
        load_poison
        ret
        .endm

        .text
        .globl  gate_plain, gate_many, gate_variadic_1, gate_variadic_2, gate_variadic_3, enter
gate_plain:
        gate
// Eleven arguments at most. Apple's convention packs those on the stack, which for pointers and one
// word behind them is where others have them.
gate_many:
        mov     x17, sp
        tst     x17, #15
        b.ne    misaligned
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        ldp     x9, x10, [x29, #16]
        ldr     x11, [x29, #32]
        stp     x9, x10, [sp, #-32]!
        str     x11, [sp, #16]
        blr     x16
        mov     sp, x29
        ldp     x29, x30, [sp], #16
        load_poison
        ret
gate_variadic_1:
        mov     x1, sp
        gate
gate_variadic_2:
        mov     x2, sp
        gate
gate_variadic_3:
        mov     x3, sp
        gate
misaligned:
        bl      refuse_misaligned

// enter(argc, argv, envp, apple, entry, stack_top)
enter:
        stp     x29, x30, [sp, #-32]!
        str     x19, [sp, #16]
        mov     x19, sp
        mov     sp, x5
        mov     x29, xzr
        load_poison
        blr     x4
        mov     sp, x19
        ldr     x19, [sp, #16]
        ldp     x29, x30, [sp], #32
        ret

#else

        .text
        .globl  gate_plain, gate_many, gate_variadic_1, gate_variadic_2, gate_variadic_3, enter
gate_plain:
gate_many:
gate_variadic_1:
gate_variadic_2:
gate_variadic_3:
        leaq    8(%rsp), %r10
        testb   $15, %r10b
        jne     misaligned
        jmpq    *%r11
misaligned:
        andq    $-16, %rsp
        call    refuse_misaligned

// enter(argc, argv, envp, apple, entry, stack_top)
enter:
        pushq   %rbp
        pushq   %rbx
        subq    $8, %rsp
        movq    %rsp, %rbx
        movq    %r9, %rsp
        xorl    %ebp, %ebp
        callq   *%r8
        movq    %rbx, %rsp
        addq    $8, %rsp
        popq    %rbx
        popq    %rbp
        ret

#endif
        .section .note.GNU-stack, "", %progbits
