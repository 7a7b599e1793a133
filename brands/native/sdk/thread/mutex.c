/*
 * mutex.c - mutexes: 0 free, 1 held, 2 held and somebody waits.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>

#include "libc.h"

int mutex_init(mutex_t *m, int type, void *arg)
{
	(void)arg; /* as mutex_init(3C) says: it is not used */
	if (type & ~(USYNC_PROCESS | LOCK_ERRORCHECK | LOCK_RECURSIVE))
		return EINVAL;
	*m = (mutex_t){0, 0, type, 0};
	return 0;
}

int mutex_destroy(mutex_t *m)
{
	return m->lock ? EBUSY : 0;
}

/* It is mine already: 0 deeper, EDEADLK, or -1 to wait for ever. */
static int again(mutex_t *m)
{
	if (!(m->type & (LOCK_RECURSIVE | LOCK_ERRORCHECK)) || m->owner != self()->tid ||
	    !m->lock)
		return -1;
	if (!(m->type & LOCK_RECURSIVE))
		return EDEADLK;
	m->depth++;
	return 0;
}

static int take(mutex_t *m, int to)
{
	int free = 0;

	if (!__atomic_compare_exchange_n(&m->lock, &free, to, 0, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		return 0;
	m->owner = self()->tid;
	return 1;
}

int mutex_trylock(mutex_t *m)
{
	if (take(m, 1))
		return 0;
	return again(m) == 0 ? 0 : EBUSY;
}

int mutex_lock(mutex_t *m)
{
	int r;

	if (take(m, 1))
		return 0;
	r = again(m);
	if (r != -1)
		return r;
	while (__atomic_exchange_n(&m->lock, 2, __ATOMIC_ACQUIRE))
		__wait(&m->lock, 2, m->type, NULL);
	m->owner = self()->tid;
	return 0;
}

int mutex_unlock(mutex_t *m)
{
	if (m->type & (LOCK_RECURSIVE | LOCK_ERRORCHECK)) {
		if (!m->lock || m->owner != self()->tid)
			return EPERM;
		if (m->depth) {
			m->depth--;
			return 0;
		}
	}
	m->owner = 0;
	if (__atomic_exchange_n(&m->lock, 0, __ATOMIC_RELEASE) == 2 &&
	    !(m->type & USYNC_PROCESS))
		__wake(&m->lock, 1);
	return 0;
}
