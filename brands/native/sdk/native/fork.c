/*
 * fork.c - fork1 and forkall with the handlers of pthread_atfork, and the memory of
 * the library itself in order.
 *
 * As on illumos the handlers run for fork1 (and fork, which is the same) only: after
 * forkall every lwp goes on as it was.  vfork runs nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/fork.h>
#include <unistd.h>

#include "libc.h"

pid_t __forksys(int subcode, int flags);

struct handlers {
	struct handlers *next, *previous;
	void (*fn[3])(void); /* prepare, parent, child */
};
static struct handlers *first, *last;
static mutex_t lock;

int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
	struct handlers *h = malloc(sizeof *h);

	if (!h)
		return ENOMEM;
	mutex_lock(&lock);
	*h = (struct handlers){NULL, last, {prepare, parent, child}};
	if (last)
		last->next = h;
	else
		first = h;
	last = h;
	mutex_unlock(&lock);
	return 0;
}

/* Prepare in reverse order, the others in order of registration. */
void __run_fork_handlers(int when)
{
	struct handlers *h = when == 0 ? last : first;

	for (; h; h = when == 0 ? h->previous : h->next)
		if (h->fn[when])
			h->fn[when]();
}

pid_t forkx(int flags)
{
	__run_fork_handlers(0);
	__stdio_lock();
	__malloc_lock();
	mutex_lock(&__threads_lock);
	pid_t pid = __forksys(FORKSYS_FORK1, flags);
	int saved = errno;

	if (pid == 0)
		__threads_child();
	mutex_unlock(&__threads_lock);
	__malloc_unlock();
	__stdio_unlock();
	__run_fork_handlers(pid == 0 ? 2 : 1);
	errno = saved;
	return pid;
}

pid_t fork(void)
{
	return forkx(0);
}

pid_t fork1(void)
{
	return forkx(0);
}

pid_t forkallx(int flags)
{
	return __forksys(FORKSYS_FORKALL, flags);
}

pid_t forkall(void)
{
	return forkallx(0);
}
