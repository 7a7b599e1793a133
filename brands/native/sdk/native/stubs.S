/*
 * stubs.S - the native system-call convention: a7 number, a0..a5 arguments; then
 * t0 = 0 and a0, a1 = the two results, or t0 = 1 and a0 = errno.
 *
 * SPDX-License-Identifier: MIT
 */
#include <sys/syscall.h>

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
	bnez	t0, __set_errno
	ret

	func	__set_errno
	lui	t1, %tprel_hi(errno)
	add	t1, t1, tp, %tprel_add(errno)
	sw	a0, %tprel_lo(errno)(t1)
	li	a0, -1
	ret

/* long syscall_rval2(long number, long a0, long *rval2) */
	func	syscall_rval2
	mv	a7, a0
	mv	a0, a1
	mv	t2, a2
	ecall
	bnez	t0, __set_errno
	sd	a1, 0(t2)
	ret

/*
 * The kernel answers (child's pid, 0) in the parent and (parent's pid, 1) in the
 * child; C wants pid and 0.  pid_t __forksys(int subcode, int flags)
 */
	func	__forksys
	li	a7, SYS_forksys
	ecall
fork_ret:
	bnez	t0, __set_errno
	beqz	a1, 1f
	li	a0, 0
1:	ret

/* The stack is the parent's too, so nothing may be stored in it: ra stays in ra. */
	func	vfork
	li	a0, 0
	func	vforkx
	mv	a1, a0
	li	a0, 2
	li	a7, SYS_forksys
	ecall
	j	fork_ret

/*
 * What the kernel enters for every caught signal: a0 signal, a1 siginfo or 0, a2
 * ucontext.  A handler has nowhere to return to; setcontext ends it.
 */
	func	__sigacthandler
	mv	s1, a2
	la	t1, __siguhandler
	slli	t2, a0, 3
	add	t1, t1, t2
	ld	t1, 0(t1)
	jalr	t1
	mv	a0, s1
	func	setcontext
	mv	a1, a0
	li	a0, 1
	li	a7, SYS_context
	ecall
	j	__set_errno		/* a bad context: it came back */

	func	getcontext
	mv	a1, a0
	li	a0, 0
	li	a7, SYS_context
	ecall
	bnez	t0, __set_errno
	ret

/* Where a thread begins: s0 function, s1 argument, s2 what takes its result. */
	func	__thread_begin
	mv	a0, s1
	jalr	s0
	jalr	s2
	ebreak

/* void __unmap_exit(void *stack, size_t size): the stack goes, and with it we. */
	func	__unmap_exit
	li	a7, SYS_munmap
	ecall
	li	a7, SYS_lwp_exit
	ecall
	ebreak

	.section .note.GNU-stack, "", @progbits
