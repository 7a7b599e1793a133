/*
 * sys/fork.h - forkx(2): forks with flags.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_FORK_H
#define _SYS_FORK_H

#include <sys/types.h>
#define FORK_NOSIGCHLD 0x1 /* the child's end sends no SIGCHLD */
#define FORK_WAITPID 0x2 /* only a wait for its very pid reaps it */
pid_t forkx(int flags);
pid_t forkallx(int flags);
pid_t vforkx(int flags) __attribute__((returns_twice));
/* subcodes of SYS_forksys */
#define FORKSYS_FORK1 0
#define FORKSYS_FORKALL 1
#define FORKSYS_VFORK 2

#endif
