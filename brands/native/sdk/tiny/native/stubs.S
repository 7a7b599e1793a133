/*
 * stubs.S - the native system-call convention: a7 number, a0..a5 arguments; then
 * t0 = 0 and a0, a1 = the two results, or t0 = 1 and a0 = errno.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tiny_native.h"

	.macro	func name
	.globl	\name
	.type	\name, @function
\name:
	.endm

	.text
/* long syscall(long number, a0, a1, a2, a3, a4, a5) */
	func	syscall
	mv	a7, a0
	mv	a0, a1
	mv	a1, a2
	mv	a2, a3
	mv	a3, a4
	mv	a4, a5
	mv	a5, a6
	ecall
	bnez	t0, set_errno
	ret

set_errno:
	la	t1, errno
	sw	a0, 0(t1)
	li	a0, -1
	ret

/* long syscall_rval2(long number, long a0, long *rval2) */
	func	syscall_rval2
	mv	a7, a0
	mv	a0, a1
	mv	t2, a2
	ecall
	bnez	t0, set_errno
	sd	a1, 0(t2)
	ret

/*
 * The kernel answers (child's pid, 0) in the parent and (parent's pid, 1) in the
 * child; C wants pid and 0.
 */
	func	fork
	li	a0, 0
/* pid_t forkx(int flags) */
	func	forkx
	mv	a1, a0
	li	a0, FORKSYS_FORK1
	li	a7, SYS_forksys
	ecall
	j	fork_ret

/* The stack is the parent's too, so nothing may be stored in it: ra stays in ra. */
	func	vfork
	li	a0, FORKSYS_VFORK
	li	a1, 0
	li	a7, SYS_forksys
	ecall
fork_ret:
	bnez	t0, set_errno
	beqz	a1, 1f
	li	a0, 0
1:	ret

/*
 * What the kernel enters for every caught signal: a0 signal, a1 siginfo or 0, a2
 * ucontext.  A handler has nowhere to return to; setcontext ends it.
 */
	func	sigacthandler
	mv	s1, a2
	la	t1, siguhandler
	slli	t2, a0, 3
	add	t1, t1, t2
	ld	t1, 0(t1)
	jalr	t1
	li	a0, 1			/* setcontext */
	mv	a1, s1
	li	a7, SYS_context
	ecall
	ebreak				/* a bad context: nothing left to do */
	.section .note.GNU-stack, "", @progbits
