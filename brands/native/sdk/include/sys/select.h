/*
 * sys/select.h - select(), made of poll().
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_SELECT_H
#define _SYS_SELECT_H

#include <sys/time.h>
#include <sys/types.h>
#define FD_SETSIZE 1024
typedef struct {
	unsigned long fds_bits[FD_SETSIZE / 64];
} fd_set;
#define FD_ZERO(s) __builtin_memset((s), 0, sizeof(fd_set))
#define FD_SET(n, s) ((s)->fds_bits[(n) / 64] |= 1UL << ((n) % 64))
#define FD_CLR(n, s) ((s)->fds_bits[(n) / 64] &= ~(1UL << ((n) % 64)))
#define FD_ISSET(n, s) (((s)->fds_bits[(n) / 64] >> ((n) % 64)) & 1)
int select(int n, fd_set *restrict rd, fd_set *restrict wr, fd_set *restrict ex,
	   struct timeval *restrict timeout);

#endif
