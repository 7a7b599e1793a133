/*
 * rc.h - resource controls for the programs of this folder: the blocks of getrctl(2) and
 * setrctl(2), and a handler that remembers what a control's signal said.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RC_H
#define RC_H

#include "ktap.h"

#define N_brk 17
#define N_shmsys 52
#define N_semsys 53
#define N_msgsys 49
#define N_tasksys 70
#define N_rctlsys 74
#define N_setuid 23
#define N_lwp_create 159
#define N_lwp_exit 160
#define N_corectl 151

#ifndef EFBIG
#define EFBIG 27
#endif
#ifndef ENOSPC
#define ENOSPC 28
#endif
#ifndef ENOTSUP
#define ENOTSUP 48
#endif
#define SIGXCPU 30
#define SIGXFSZ 31
#define SIGXRES 38

#define BASIC 0x01000000
#define PRIVILEGED 0x04000000
#define SYSTEM 0x07000000
#define NOACTION 0
#define SIGNAL 1
#define DENY 2
#define FIRST 0
#define NEXT 1
#define USAGE 2
#define INSERT 0
#define DELETE 1
#define REPLACE 2
#define SI_RCTL 2049

struct rctlblk {
	uint64_t value, enforced;
	uint32_t privilege, global, level, local;
	int32_t signal, pid;
	int64_t fired;
};

static inline int fails(long r, int want)
{
	return r == -1 && errno == want;
}

/* the error of a call, or 0 */
static inline int err(long r)
{
	return r == -1 ? errno : 0;
}

static inline long getrctl(const char *name, struct rctlblk *old, struct rctlblk *new,
			   long flags)
{
	return syscall(N_rctlsys, 0L, name, old, new, 0L, flags);
}

static inline long setrctl(const char *name, struct rctlblk *old, struct rctlblk *new,
			   long flags)
{
	return syscall(N_rctlsys, 1L, name, old, new, 0L, flags);
}

static inline struct rctlblk rctlval(unsigned privilege, uint64_t value, unsigned local,
				     int signal)
{
	struct rctlblk b = {value, 0, privilege, 0, 0, local, signal, -1, 0};

	return b;
}

static inline long put(const char *name, unsigned privilege, uint64_t value,
		       unsigned local, int signal)
{
	struct rctlblk b = rctlval(privilege, value, local, signal);

	return setrctl(name, NULL, &b, INSERT);
}

static inline long drop(const char *name, unsigned privilege, uint64_t value,
			unsigned local, int signal)
{
	struct rctlblk b = rctlval(privilege, value, local, signal);

	return setrctl(name, NULL, &b, DELETE);
}

static inline uint64_t usage(const char *name)
{
	struct rctlblk b = {0};

	return getrctl(name, NULL, &b, USAGE) == -1 ? (uint64_t)-1 : b.value;
}

static volatile int hits, hit_code, hit_entity;

static inline void on_hit(int sig, int *info, void *ctx)
{
	(void)ctx;
	hits += sig == info[0];
	hit_code = info[1];
	hit_entity = info[4];
}

static inline void catch(int sig)
{
	hits = hit_code = 0;
	hit_entity = -1;
	sigaction(sig, (sighandler_t)(void *)on_hit, SA_SIGINFO, 0);
}

/* run in a child, whose limits are its own; the status, or minus the signal */
static inline int in_child(int (*run)(void))
{
	int st = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(run());
	waitpid(pid, &st, 0);
	return WIFEXITED(st) ? WEXITSTATUS(st) : -WTERMSIG(st);
}

#endif
