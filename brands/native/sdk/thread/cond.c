/*
 * cond.c - conditions, semaphores, locks of readers and writers.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <limits.h>

#include <sys/time.h>

#include "libc.h"

#define NANOSEC 1000000000L

int cond_init(cond_t *c, int type, void *arg)
{
	(void)arg; /* as cond_init(3C) says: it is not used */
	if (type & ~USYNC_PROCESS)
		return EINVAL;
	*c = (cond_t){0, type, 0};
	return 0;
}

int cond_destroy(cond_t *c)
{
	return c->waiters ? EBUSY : 0;
}

static long long ns(const struct timespec *ts)
{
	return ts->tv_sec * NANOSEC + ts->tv_nsec;
}

/* Until `until` of the monotonic clock in nanoseconds, or for ever (-1). */
static int wait_until(cond_t *c, mutex_t *m, long long until)
{
	int seq = __atomic_load_n((int *)&c->seq, __ATOMIC_ACQUIRE), depth = m->depth;
	int error = 0;

	__atomic_fetch_add(&c->waiters, 1, __ATOMIC_SEQ_CST);
	m->depth = 0;
	mutex_unlock(m);
	do {
		struct timespec left, *timeout = NULL;

		if (until >= 0) {
			long long rest = until - gethrtime();

			if (rest <= 0) {
				error = ETIME;
				break;
			}
			left = (struct timespec){rest / NANOSEC, rest % NANOSEC};
			timeout = &left;
		}
		error = __wait((int *)&c->seq, seq, c->type, timeout);
		if (error == ETIME && c->type & USYNC_PROCESS)
			error = 0; /* the loop knows the time better */
	} while (!error && __atomic_load_n((int *)&c->seq, __ATOMIC_ACQUIRE) == seq);
	__atomic_fetch_sub(&c->waiters, 1, __ATOMIC_SEQ_CST);
	mutex_lock(m);
	m->depth = depth;
	return error;
}

/* EINTR: a signal was handled meanwhile (cond_wait(3C)). */
int cond_wait(cond_t *c, mutex_t *m)
{
	return wait_until(c, m, -1);
}

int cond_reltimedwait(cond_t *c, mutex_t *m, const struct timespec *timeout)
{
	if (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= NANOSEC)
		return EINVAL;
	return wait_until(c, m, gethrtime() + ns(timeout));
}

/* `until` is a time of the real-time clock. */
int cond_timedwait(cond_t *c, mutex_t *m, const struct timespec *until)
{
	struct timespec now;

	if (until->tv_sec < 0 || until->tv_nsec < 0 || until->tv_nsec >= NANOSEC)
		return EINVAL;
	clock_gettime(CLOCK_REALTIME, &now);
	long long rest = ns(until) - ns(&now);

	return wait_until(c, m, gethrtime() + (rest > 0 ? rest : 0));
}

static int wake(cond_t *c, int n)
{
	if (!__atomic_load_n(&c->waiters, __ATOMIC_SEQ_CST))
		return 0;
	__atomic_fetch_add(&c->seq, 1, __ATOMIC_SEQ_CST);
	if (!(c->type & USYNC_PROCESS))
		__wake((int *)&c->seq, n);
	return 0;
}

int cond_signal(cond_t *c)
{
	return wake(c, 1);
}

int cond_broadcast(cond_t *c)
{
	return wake(c, INT_MAX);
}

/* ---- semaphores ---- */

int sema_init(sema_t *s, unsigned count, int type, void *arg)
{
	(void)arg; /* as sema_init(3C) says: it is not used */
	if (type & ~USYNC_PROCESS || count > INT_MAX)
		return EINVAL;
	*s = (sema_t){count, type};
	return 0;
}

int sema_destroy(sema_t *s)
{
	s->count = 0;
	return 0;
}

int sema_trywait(sema_t *s)
{
	int n = __atomic_load_n(&s->count, __ATOMIC_RELAXED);

	while (n > 0)
		if (__atomic_compare_exchange_n(&s->count, &n, n - 1, 0, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			return 0;
	return EBUSY;
}

int sema_wait(sema_t *s)
{
	while (sema_trywait(s))
		if (__wait(&s->count, 0, s->type, NULL) == EINTR)
			return EINTR;
	return 0;
}

int sema_post(sema_t *s)
{
	if (__atomic_load_n(&s->count, __ATOMIC_RELAXED) == INT_MAX)
		return EOVERFLOW;
	__atomic_fetch_add(&s->count, 1, __ATOMIC_RELEASE);
	if (!(s->type & USYNC_PROCESS))
		__wake(&s->count, 1);
	return 0;
}

/* ---- readers and writers; who waits to write goes first ---- */

int rwlock_init(rwlock_t *l, int type, void *arg)
{
	(void)arg; /* as rwlock_init(3C) says: it is not used */
	if (type & ~USYNC_PROCESS)
		return EINVAL;
	*l = (rwlock_t){.m = {.type = type}, .readers.type = type, .writers.type = type};
	return 0;
}

int rwlock_destroy(rwlock_t *l)
{
	return l->state ? EBUSY : 0;
}

static int may_read(const rwlock_t *l)
{
	return l->state >= 0 && l->waiting == 0;
}

int rw_tryrdlock(rwlock_t *l)
{
	mutex_lock(&l->m);
	int ok = may_read(l);

	l->state += ok;
	mutex_unlock(&l->m);
	return ok ? 0 : EBUSY;
}

int rw_rdlock(rwlock_t *l)
{
	mutex_lock(&l->m);
	while (!may_read(l))
		cond_wait(&l->readers, &l->m);
	l->state++;
	mutex_unlock(&l->m);
	return 0;
}

int rw_trywrlock(rwlock_t *l)
{
	mutex_lock(&l->m);
	int ok = l->state == 0;

	if (ok)
		l->state = -1;
	mutex_unlock(&l->m);
	return ok ? 0 : EBUSY;
}

int rw_wrlock(rwlock_t *l)
{
	mutex_lock(&l->m);
	l->waiting++;
	while (l->state)
		cond_wait(&l->writers, &l->m);
	l->waiting--;
	l->state = -1;
	mutex_unlock(&l->m);
	return 0;
}

int rw_unlock(rwlock_t *l)
{
	mutex_lock(&l->m);
	if (l->state == 0) {
		mutex_unlock(&l->m);
		return EPERM;
	}
	l->state = l->state < 0 ? 0 : l->state - 1;
	if (l->state == 0) {
		if (l->waiting)
			cond_signal(&l->writers);
		else
			cond_broadcast(&l->readers);
	}
	mutex_unlock(&l->m);
	return 0;
}
