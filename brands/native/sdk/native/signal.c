/*
 * signal.c - signals.
 *
 * The kernel enters __sigacthandler (stubs.S) for every handler; it calls what stands
 * in __siguhandler and ends with setcontext().
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/lwp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libc.h"

void __sigacthandler(int, siginfo_t *, void *);
void *__siguhandler[NSIG];

static int bad(int sig)
{
	if (sig > 0 && sig < NSIG)
		return 0;
	errno = EINVAL;
	return 1;
}

int sigaction(int sig, const struct sigaction *restrict act,
	      struct sigaction *restrict old)
{
	struct sigaction k, was;
	void *previous;

	if (bad(sig))
		return -1;
	previous = __siguhandler[sig];
	if (act) {
		k = *act;
		if (k.sa_handler != SIG_DFL && k.sa_handler != SIG_IGN) {
			__siguhandler[sig] = (void *)k.sa_sigaction;
			k.sa_sigaction = __sigacthandler;
		}
	}
	if (syscall(SYS_sigaction, sig, act ? &k : NULL, &was) == -1) {
		__siguhandler[sig] = previous;
		return -1;
	}
	if (was.sa_sigaction == __sigacthandler)
		was.__handler.sigaction = (void (*)(int, siginfo_t *, void *))previous;
	if (old)
		*old = was;
	return 0;
}

static sighandler_t install(int sig, sighandler_t handler, int flags)
{
	struct sigaction act = {.sa_flags = flags, .sa_handler = handler}, old;

	return sigaction(sig, &act, &old) == -1 ? SIG_ERR : old.sa_handler;
}

/*
 * That of System V, as signal(3C) says: a handler serves once, and its signal is not
 * held while it runs.  SIGCLD ignored leaves no zombies.
 */
sighandler_t signal(int sig, sighandler_t handler)
{
	int flags = SA_RESETHAND | SA_NODEFER;

	if (sig == SIGCLD)
		flags |= SA_NOCLDSTOP | (handler == SIG_IGN ? SA_NOCLDWAIT : 0);
	if (sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU)
		flags |= SA_RESTART;
	return install(sig, handler, flags);
}

/* sigset(3C): the action, or SIG_HOLD to block it; the old one likewise. */
sighandler_t sigset(int sig, sighandler_t handler)
{
	sigset_t one, mask;
	struct sigaction now;

	if (bad(sig))
		return SIG_ERR;
	sigemptyset(&one);
	sigaddset(&one, sig);
	if (sigaction(sig, NULL, &now) == -1 ||
	    sigprocmask(handler == SIG_HOLD ? SIG_BLOCK : SIG_UNBLOCK, &one, &mask) == -1)
		return SIG_ERR;
	sighandler_t was = sigismember(&mask, sig) ? SIG_HOLD : now.sa_handler;

	if (handler != SIG_HOLD && install(sig, handler, 0) == SIG_ERR)
		return SIG_ERR;
	return was;
}

int kill(pid_t pid, int sig)
{
	return syscall(SYS_kill, pid, sig);
}

int killpg(pid_t pgrp, int sig)
{
	if (pgrp < 0 || pgrp == 1) {
		errno = pgrp < 0 ? EINVAL : EPERM;
		return -1;
	}
	return kill(-pgrp, sig);
}

int raise(int sig)
{
	return _lwp_kill(_lwp_self(), sig);
}

int sigqueue(pid_t pid, int sig, union sigval value)
{
	return syscall(SYS_sigqueue, pid, sig, value.sival_ptr, SI_QUEUE, 0);
}

int sigsendset(const procset_t *set, int sig)
{
	return syscall(SYS_sigsendsys, set, sig);
}

int sigsend(idtype_t type, id_t id, int sig)
{
	procset_t set = {POP_AND, type, id, P_ALL, P_MYID};

	return sigsendset(&set, sig);
}

int sigprocmask(int how, const sigset_t *restrict set, sigset_t *restrict old)
{
	return syscall(SYS_sigprocmask, how, set, old);
}

int pthread_sigmask(int how, const sigset_t *restrict set, sigset_t *restrict old)
{
	int saved = errno, r = sigprocmask(how, set, old) ? errno : 0;

	errno = saved;
	return r;
}

int sigsuspend(const sigset_t *mask)
{
	return syscall(SYS_sigsuspend, mask);
}

int sigpending(sigset_t *set)
{
	return syscall(SYS_sigpending, 1, set);
}

int sigtimedwait(const sigset_t *restrict set, siginfo_t *restrict info,
		 const struct timespec *restrict timeout)
{
	return syscall(SYS_sigtimedwait, set, info, timeout);
}

int sigwaitinfo(const sigset_t *restrict set, siginfo_t *restrict info)
{
	return sigtimedwait(set, info, NULL);
}

int sigwait(const sigset_t *restrict set, int *restrict sig)
{
	int got;

	while ((got = sigtimedwait(set, NULL, NULL)) == -1)
		if (errno != EINTR)
			return errno;
	*sig = got;
	return 0;
}

int sigaltstack(const stack_t *restrict ss, stack_t *restrict old)
{
	return syscall(SYS_sigaltstack, ss, old);
}

void abort(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGABRT);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(SIGABRT);
	signal(SIGABRT, SIG_DFL); /* a handler came back */
	raise(SIGABRT);
	for (;;)
		_exit(127);
}

/* ---- sets ---- */

int sigemptyset(sigset_t *set)
{
	memset(set, 0, sizeof *set);
	return 0;
}

int sigfillset(sigset_t *set)
{
	*set = (sigset_t){{~0u, ~0u, (1u << (NSIG - 1 - 64)) - 1, 0}};
	return 0;
}

int sigaddset(sigset_t *set, int sig)
{
	if (bad(sig))
		return -1;
	set->__sigbits[(sig - 1) / 32] |= 1u << (sig - 1) % 32;
	return 0;
}

int sigdelset(sigset_t *set, int sig)
{
	if (bad(sig))
		return -1;
	set->__sigbits[(sig - 1) / 32] &= ~(1u << (sig - 1) % 32);
	return 0;
}

int sigismember(const sigset_t *set, int sig)
{
	return bad(sig) ? -1 : (int)(set->__sigbits[(sig - 1) / 32] >> (sig - 1) % 32 & 1);
}

/* ---- jumps with the mask ---- */

#define SAVED 26 /* where in a sigjmp_buf: whether, and the mask */

HIDDEN int __save_mask(unsigned long *env, int save)
{
	env[SAVED] = save;
	if (save)
		sigprocmask(SIG_SETMASK, NULL, (sigset_t *)(env + SAVED + 1));
	return 0;
}

void siglongjmp(sigjmp_buf env, int value)
{
	if (env[SAVED])
		sigprocmask(SIG_SETMASK, (sigset_t *)(env + SAVED + 1), NULL);
	longjmp(env, value);
}
