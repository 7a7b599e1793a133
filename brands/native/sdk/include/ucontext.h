/*
 * ucontext.h - user contexts; the layout is brands/native/abi.py's.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _UCONTEXT_H
#define _UCONTEXT_H

#include <signal.h>
#include <stdint.h>
typedef struct {
	uint64_t pc;
	uint64_t x[31]; /* x1 .. x31 */
	uint64_t f[32];
	uint32_t fcsr, pad;
} mcontext_t;
typedef struct ucontext {
	unsigned long uc_flags;
	struct ucontext *uc_link;
	sigset_t uc_sigmask;
	stack_t uc_stack;
	mcontext_t uc_mcontext;
} ucontext_t;
#define REG_RA 0 /* subscripts of x */
#define REG_SP 1
#define REG_GP 2
#define REG_TP 3
#define REG_T0 4
#define REG_S0 7
#define REG_A0 9
#define REG_A1 10
int getcontext(ucontext_t *uc) __attribute__((returns_twice));
int setcontext(const ucontext_t *uc);
void makecontext(ucontext_t *uc, void (*fn)(void), int argc, ...);
int swapcontext(ucontext_t *restrict old, const ucontext_t *restrict uc);

#endif
