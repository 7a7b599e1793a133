/*
 * poll.h - waiting for several files.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _POLL_H
#define _POLL_H

#include <sys/types.h>
#include <time.h>
struct pollfd {
	int fd;
	short events, revents;
};
typedef unsigned long nfds_t;
#define POLLIN 0x1
#define POLLPRI 0x2
#define POLLOUT 0x4
#define POLLERR 0x8
#define POLLHUP 0x10
#define POLLNVAL 0x20
#define POLLRDNORM 0x40
#define POLLWRNORM POLLOUT
#define POLLRDBAND 0x80
#define POLLWRBAND 0x100
int poll(struct pollfd *fds, nfds_t n, int timeout);
#include <signal.h>
int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
	  const sigset_t *mask);

#endif
