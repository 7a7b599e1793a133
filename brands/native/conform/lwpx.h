/*
 * lwpx.h - lwps for the conformance programs: lwp_create(2) and its like by number.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LWPX_H
#define LWPX_H

#include "ktap.h"

#define N_lwp_park 77
#define N_lwp_info 145
#define N_lwp_detach 150
#define N_lwp_create 159
#define N_lwp_suspend 161
#define N_lwp_continue 162
#define N_lwp_kill 163
#define N_lwp_self 164
#define N_lwp_sigmask 165
#define N_lwp_wait 167
#define N_pollsys 183
#define LWP_DAEMON 0x20
#define LWP_DETACHED 0x40
#define LWP_SUSPENDED 0x80
#define E_DEADLK 45
#define E_TIME 62

struct lwp_context {
	uint64_t flags, link, mask[2], sp, size, sflags, pc, x[31], f[32], fcsr;
};

static char lwp_stacks[16][4096] __attribute__((aligned(16)));
static int lwp_used;

/* run fn in a lwp of its own; its id, or -1 */
static inline int lwp_start(void (*fn)(void), int flags)
{
	static struct lwp_context uc;
	int id = -1;

	syscall(SYS_context, 0, &uc);
	uc.pc = (uint64_t)fn;
	uc.x[1] = (uint64_t)lwp_stacks[lwp_used++ % 16] + sizeof lwp_stacks[0];
	return syscall(N_lwp_create, &uc, flags, &id) == -1 ? -1 : id;
}

static inline void lwp_end(void)
{
	for (;;)
		syscall(SYS_lwp_exit);
}

static inline int lwp_exists(int id)
{
	return syscall(N_lwp_kill, id, 0) == 0;
}

/* wait for a lwp; its id, or minus the error */
static inline int lwp_join(int id)
{
	int who = -1;

	return syscall(N_lwp_wait, id, &who) == -1 ? -errno : who;
}

static inline int fails(long r, int want)
{
	return r == -1 && errno == want;
}

/* the exit status of a child, 1000 + signal, or -1 */
static inline int reap(pid_t pid)
{
	int st = 0;

	if (waitpid(pid, &st, 0) != pid)
		return -1;
	return WIFEXITED(st) ? WEXITSTATUS(st) : 1000 + WTERMSIG(st);
}

/* forksys, raw: the second result tells parent (0) from child (1) */
static inline long forksys(int sub, int flags, long *two)
{
	(void)flags;
	return syscall_rval2(SYS_forksys, sub, two);
}

#endif
