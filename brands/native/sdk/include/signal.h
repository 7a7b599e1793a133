/*
 * signal.h - signals (sys/signal.h and sys/iso/signal_iso.h of illumos).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SIGNAL_H
#define _SIGNAL_H

#include <sys/siginfo.h>
#include <sys/types.h>
#include <time.h>

#define SIGHUP 1
#define SIGINT 2
#define SIGQUIT 3
#define SIGILL 4
#define SIGTRAP 5
#define SIGABRT 6
#define SIGEMT 7
#define SIGFPE 8
#define SIGKILL 9
#define SIGBUS 10
#define SIGSEGV 11
#define SIGSYS 12
#define SIGPIPE 13
#define SIGALRM 14
#define SIGTERM 15
#define SIGUSR1 16
#define SIGUSR2 17
#define SIGCLD 18
#define SIGPWR 19
#define SIGWINCH 20
#define SIGURG 21
#define SIGPOLL 22
#define SIGSTOP 23
#define SIGTSTP 24
#define SIGCONT 25
#define SIGTTIN 26
#define SIGTTOU 27
#define SIGVTALRM 28
#define SIGPROF 29
#define SIGXCPU 30
#define SIGXFSZ 31
#define SIGWAITING 32
#define SIGLWP 33
#define SIGFREEZE 34
#define SIGTHAW 35
#define SIGCANCEL 36
#define SIGLOST 37
#define SIGXRES 38
#define SIGJVM1 39
#define SIGJVM2 40
#define SIGINFO 41
#define SIGIOT SIGABRT
#define SIGCHLD SIGCLD
#define SIGIO SIGPOLL
#define SIGRTMIN 42
#define SIGRTMAX 74
#define NSIG 75
#define _NSIG NSIG

typedef int sig_atomic_t;
typedef struct {
	unsigned __sigbits[4];
} sigset_t;
typedef struct {
	void *ss_sp;
	size_t ss_size;
	int ss_flags;
} stack_t;
#define SS_ONSTACK 1
#define SS_DISABLE 2
#define MINSIGSTKSZ 2048
#define SIGSTKSZ 8192

struct sigaction {
	int sa_flags;
	union {
		void (*handler)(int);
		void (*sigaction)(int, siginfo_t *, void *);
	} __handler;
	sigset_t sa_mask;
};
#define sa_handler __handler.handler
#define sa_sigaction __handler.sigaction
#define SA_ONSTACK 0x1
#define SA_RESETHAND 0x2
#define SA_RESTART 0x4
#define SA_SIGINFO 0x8
#define SA_NODEFER 0x10
#define SA_NOCLDWAIT 0x10000
#define SA_NOCLDSTOP 0x20000
#define SIG_DFL ((void (*)(int))0)
#define SIG_IGN ((void (*)(int))1)
#define SIG_HOLD ((void (*)(int))2)
#define SIG_ERR ((void (*)(int))-1)
#define SIG_BLOCK 1
#define SIG_UNBLOCK 2
#define SIG_SETMASK 3

typedef void (*sighandler_t)(int);
#define SIG2STR_MAX 32

int kill(pid_t pid, int sig);
int killpg(pid_t pgrp, int sig);
int raise(int sig);
int sigqueue(pid_t pid, int sig, union sigval value);
int sigaction(int sig, const struct sigaction *restrict act,
	      struct sigaction *restrict old);
void (*signal(int sig, void (*handler)(int)))(int);
void (*sigset(int sig, void (*handler)(int)))(int);
int sigprocmask(int how, const sigset_t *restrict set, sigset_t *restrict old);
int sigsuspend(const sigset_t *mask);
int sigpending(sigset_t *set);
int sigwait(const sigset_t *restrict set, int *restrict sig);
int sigwaitinfo(const sigset_t *restrict set, siginfo_t *restrict info);
int sigtimedwait(const sigset_t *restrict set, siginfo_t *restrict info,
		 const struct timespec *restrict timeout);
int sigaltstack(const stack_t *restrict ss, stack_t *restrict old);
int sigemptyset(sigset_t *set);
int sigfillset(sigset_t *set);
int sigaddset(sigset_t *set, int sig);
int sigdelset(sigset_t *set, int sig);
int sigismember(const sigset_t *set, int sig);
int sig2str(int sig, char *name); /* "INT"; name holds SIG2STR_MAX bytes */
int str2sig(const char *name, int *sig);
void psignal(int sig, const char *s);
int pthread_sigmask(int how, const sigset_t *restrict set, sigset_t *restrict old);
int pthread_kill(unsigned thread, int sig);
#include <sys/procset.h>

#endif
