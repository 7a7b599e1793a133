/*
 * setjmp.S - saved are ra, sp, s0-s11 and fs0-fs11; sigjmp_buf has the mask too.
 *
 * SPDX-License-Identifier: MIT
 */
	.macro	func name
	.globl	\name
	.type	\name, @function
\name:
	.endm

	.macro	regs op, fop
	\op	ra, 0(a0)
	\op	sp, 8(a0)
	\op	s0, 16(a0)
	\op	s1, 24(a0)
	\op	s2, 32(a0)
	\op	s3, 40(a0)
	\op	s4, 48(a0)
	\op	s5, 56(a0)
	\op	s6, 64(a0)
	\op	s7, 72(a0)
	\op	s8, 80(a0)
	\op	s9, 88(a0)
	\op	s10, 96(a0)
	\op	s11, 104(a0)
	\fop	fs0, 112(a0)
	\fop	fs1, 120(a0)
	\fop	fs2, 128(a0)
	\fop	fs3, 136(a0)
	\fop	fs4, 144(a0)
	\fop	fs5, 152(a0)
	\fop	fs6, 160(a0)
	\fop	fs7, 168(a0)
	\fop	fs8, 176(a0)
	\fop	fs9, 184(a0)
	\fop	fs10, 192(a0)
	\fop	fs11, 200(a0)
	.endm

	.text
	func	setjmp
	func	_setjmp
	regs	sd, fsd
	li	a0, 0
	ret

	func	longjmp
	func	_longjmp
	regs	ld, fld
	mv	a0, a1
	bnez	a0, 1f
	li	a0, 1
1:	ret

/* The mask is taken care of by __save_mask(buf, save), which returns 0. */
	func	__sigsetjmp
	regs	sd, fsd
	tail	__save_mask

	.section .note.GNU-stack, "", @progbits
