/*
 * sys/lwp.h - lwps: the kernel's threads (lwp_create(2) of illumos).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_LWP_H
#define _SYS_LWP_H

#include <signal.h>
#include <sys/types.h>
#include <time.h>
#include <ucontext.h>
#define LWP_DAEMON 0x20
#define LWP_DETACHED 0x40
#define LWP_SUSPENDED 0x80
struct lwpinfo {
	struct timespec lwp_utime, lwp_stime;
	long lwpinfo_pad[64];
};
int _lwp_create(ucontext_t *uc, int flags, lwpid_t *id);
void _lwp_exit(void) __attribute__((noreturn));
int _lwp_suspend(lwpid_t id);
int _lwp_continue(lwpid_t id);
int _lwp_kill(lwpid_t id, int sig);
lwpid_t _lwp_self(void);
int _lwp_wait(lwpid_t id, lwpid_t *departed);
int _lwp_detach(lwpid_t id);
int _lwp_info(struct lwpinfo *info);
int __lwp_park(const struct timespec *timeout, lwpid_t unpark);
int __lwp_unpark(lwpid_t id);
int __lwp_unpark_all(lwpid_t *ids, int n);
int yield(void);

#endif
