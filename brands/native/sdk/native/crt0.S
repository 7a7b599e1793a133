/*
 * crt0.S - where a program starts: sp points at argc, argv, NULL, envp, NULL, auxv.
 *
 * SPDX-License-Identifier: MIT
 */
	.text
	.globl	_start
	.type	_start, @function
_start:
	.option	push
	.option	norelax
	la	gp, __global_pointer$
	.option	pop
	mv	a0, sp
	andi	sp, sp, -16
	li	ra, 0
	li	s0, 0
	call	__start
	.size	_start, . - _start
	.section .note.GNU-stack, "", @progbits
