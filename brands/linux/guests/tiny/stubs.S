/*
 * stubs.S - the riscv64 Linux system-call convention: a7 number, a0..a5 arguments,
 * a0 the result or -errno.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tiny_linux.h"

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
check:
	li	t0, -4096
	bgtu	a0, t0, set_errno
	ret

set_errno:
	neg	a0, a0
	la	t1, errno
	sw	a0, 0(t1)
	li	a0, -1
	ret

	func	fork
	li	a0, SIGCHLD
	j	clone

/* The stack is the parent's too, so nothing may be stored in it: ra stays in ra. */
	func	vfork
	li	a0, CLONE_VM | CLONE_VFORK | SIGCHLD
clone:
	li	a1, 0
	li	a2, 0
	li	a3, 0
	li	a4, 0
	li	a7, SYS_clone
	ecall
	j	check
	.section .note.GNU-stack, "", @progbits
