/*
 * crt0.S - where a guest program starts.  On entry sp points at argc, followed by
 * argv, NULL, envp, NULL (System V layout, both brands).
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
	ld	a0, 0(sp)		/* argc */
	addi	a1, sp, 8		/* argv */
	slli	a2, a0, 3
	add	a2, a2, a1
	addi	a2, a2, 8		/* envp */
	la	t1, environ
	sd	a2, 0(t1)
	andi	sp, sp, -16
	li	ra, 0
	call	main
	call	_exit
	.size	_start, . - _start
	.section .note.GNU-stack, "", @progbits
