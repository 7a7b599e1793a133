/*
 * lwp.c - system calls about lwps, and user contexts.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/lwp.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include <stdlib.h>

#include "libc.h"

int _lwp_create(ucontext_t *uc, int flags, lwpid_t *id)
{
	return syscall(SYS_lwp_create, uc, flags, id) == -1 ? errno : 0;
}

void _lwp_exit(void)
{
	for (;;)
		syscall(SYS_lwp_exit);
}

int _lwp_suspend(lwpid_t id)
{
	return syscall(SYS_lwp_suspend, id) == -1 ? errno : 0;
}

int _lwp_continue(lwpid_t id)
{
	return syscall(SYS_lwp_continue, id) == -1 ? errno : 0;
}

int _lwp_kill(lwpid_t id, int sig)
{
	return syscall(SYS_lwp_kill, id, sig);
}

lwpid_t _lwp_self(void)
{
	return syscall(SYS_lwp_self);
}

int _lwp_wait(lwpid_t id, lwpid_t *departed)
{
	return syscall(SYS_lwp_wait, id, departed) == -1 ? errno : 0;
}

int _lwp_detach(lwpid_t id)
{
	return syscall(SYS_lwp_detach, id) == -1 ? errno : 0;
}

int _lwp_info(struct lwpinfo *info)
{
	return syscall(SYS_lwp_info, info);
}

int __lwp_park(const struct timespec *timeout, lwpid_t unpark)
{
	return syscall(SYS_lwp_park, 0, timeout, unpark) == -1 ? errno : 0;
}

int __lwp_unpark(lwpid_t id)
{
	return syscall(SYS_lwp_park, 1, id) == -1 ? errno : 0;
}

int __lwp_unpark_all(lwpid_t *ids, int n)
{
	return syscall(SYS_lwp_park, 2, ids, n) == -1 ? errno : 0;
}

int yield(void)
{
	return syscall(SYS_yield);
}

int sched_yield(void)
{
	return yield();
}

/* ---- contexts; getcontext and setcontext are in stubs.S ---- */

void __thread_begin(void);

static void ended(void)
{
	register ucontext_t *link __asm__("s3");

	if (link)
		setcontext(link);
	exit(0);
}

void makecontext(ucontext_t *uc, void (*fn)(void), int argc, ...)
{
	uint64_t *x = uc->uc_mcontext.x;
	va_list ap;

	va_start(ap, argc);
	for (int i = 0; i < argc && i < 8; i++)
		x[REG_A0 + i] = va_arg(ap, long);
	va_end(ap);
	x[REG_SP] = ((uintptr_t)uc->uc_stack.ss_sp + uc->uc_stack.ss_size) & -16UL;
	x[REG_RA] = (uintptr_t)ended;
	x[18] = (uintptr_t)uc->uc_link; /* s3 is x19 */
	uc->uc_mcontext.pc = (uintptr_t)fn;
}

int swapcontext(ucontext_t *restrict old, const ucontext_t *restrict uc)
{
	volatile int back = 0;

	if (getcontext(old) == -1)
		return -1;
	if (back)
		return 0;
	back = 1;
	return setcontext(uc);
}
