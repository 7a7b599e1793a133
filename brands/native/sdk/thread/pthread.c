/*
 * pthread.c - POSIX threads and semaphores by the names of <thread.h> and <synch.h>.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>

#include "libc.h"

int pthread_create(pthread_t *restrict id, const pthread_attr_t *restrict attr,
		   void *(*start)(void *), void *restrict arg)
{
	if (!attr)
		return thr_create(NULL, 0, start, arg, 0, id);
	return thr_create(attr->stack, attr->stacksize, start, arg, attr->detached, id);
}

int pthread_join(pthread_t id, void **status)
{
	return id ? thr_join(id, NULL, status) : ESRCH;
}

void pthread_exit(void *status)
{
	thr_exit(status);
}

pthread_t pthread_self(void)
{
	return thr_self();
}

int pthread_equal(pthread_t a, pthread_t b)
{
	return a == b;
}

int pthread_kill(unsigned id, int sig)
{
	return thr_kill(id, sig);
}

int pthread_once(pthread_once_t *once, void (*fn)(void))
{
	if (__atomic_load_n(&once->state, __ATOMIC_ACQUIRE))
		return 0;
	mutex_lock(&once->m);
	if (!once->state) {
		fn();
		__atomic_store_n(&once->state, 1, __ATOMIC_RELEASE);
	}
	mutex_unlock(&once->m);
	return 0;
}

/* ---- attributes ---- */

int pthread_attr_init(pthread_attr_t *a)
{
	*a = (pthread_attr_t){NULL, 0, PTHREAD_CREATE_JOINABLE};
	return 0;
}

int pthread_attr_destroy(pthread_attr_t *a)
{
	a->stack = NULL;
	return 0;
}

int pthread_attr_setdetachstate(pthread_attr_t *a, int detached)
{
	if (detached != PTHREAD_CREATE_JOINABLE && detached != PTHREAD_CREATE_DETACHED)
		return EINVAL;
	a->detached = detached;
	return 0;
}

int pthread_attr_setstacksize(pthread_attr_t *a, size_t size)
{
	if (size < thr_min_stack())
		return EINVAL;
	a->stacksize = size;
	return 0;
}

int pthread_attr_setstack(pthread_attr_t *a, void *stack, size_t size)
{
	a->stack = stack;
	return pthread_attr_setstacksize(a, size);
}

int pthread_mutexattr_init(pthread_mutexattr_t *a)
{
	*a = 0;
	return 0;
}

int pthread_mutexattr_destroy(pthread_mutexattr_t *a)
{
	*a = 0;
	return 0;
}

int pthread_mutexattr_settype(pthread_mutexattr_t *a, int type)
{
	if (type & ~(LOCK_ERRORCHECK | LOCK_RECURSIVE))
		return EINVAL;
	*a = (*a & USYNC_PROCESS) | type;
	return 0;
}

int pthread_mutexattr_setpshared(pthread_mutexattr_t *a, int shared)
{
	if (shared & ~USYNC_PROCESS)
		return EINVAL;
	*a = (*a & ~USYNC_PROCESS) | shared;
	return 0;
}

/* ---- mutexes ---- */

int pthread_mutex_init(pthread_mutex_t *restrict m, const pthread_mutexattr_t *restrict a)
{
	return mutex_init(m, a ? *a : 0, NULL);
}

int pthread_mutex_destroy(pthread_mutex_t *m)
{
	return mutex_destroy(m);
}

int pthread_mutex_lock(pthread_mutex_t *m)
{
	return mutex_lock(m);
}

int pthread_mutex_trylock(pthread_mutex_t *m)
{
	return mutex_trylock(m);
}

int pthread_mutex_unlock(pthread_mutex_t *m)
{
	return mutex_unlock(m);
}

/* ---- conditions: EINTR is a wakeup here, and the end of time ETIMEDOUT ---- */

int pthread_cond_init(pthread_cond_t *restrict c, const pthread_condattr_t *restrict a)
{
	return cond_init(c, a ? *a : 0, NULL);
}

int pthread_cond_destroy(pthread_cond_t *c)
{
	return cond_destroy(c);
}

static int posix_error(int error)
{
	return error == EINTR ? 0 : error == ETIME ? ETIMEDOUT : error;
}

int pthread_cond_wait(pthread_cond_t *restrict c, pthread_mutex_t *restrict m)
{
	return posix_error(cond_wait(c, m));
}

int pthread_cond_timedwait(pthread_cond_t *restrict c, pthread_mutex_t *restrict m,
			   const struct timespec *restrict until)
{
	return posix_error(cond_timedwait(c, m, until));
}

int pthread_cond_signal(pthread_cond_t *c)
{
	return cond_signal(c);
}

int pthread_cond_broadcast(pthread_cond_t *c)
{
	return cond_broadcast(c);
}

/* ---- locks of readers and writers ---- */

int pthread_rwlock_init(pthread_rwlock_t *restrict l,
			const pthread_rwlockattr_t *restrict a)
{
	return rwlock_init(l, a ? *a : 0, NULL);
}

int pthread_rwlock_destroy(pthread_rwlock_t *l)
{
	return rwlock_destroy(l);
}

int pthread_rwlock_rdlock(pthread_rwlock_t *l)
{
	return rw_rdlock(l);
}

int pthread_rwlock_wrlock(pthread_rwlock_t *l)
{
	return rw_wrlock(l);
}

int pthread_rwlock_tryrdlock(pthread_rwlock_t *l)
{
	return rw_tryrdlock(l);
}

int pthread_rwlock_trywrlock(pthread_rwlock_t *l)
{
	return rw_trywrlock(l);
}

int pthread_rwlock_unlock(pthread_rwlock_t *l)
{
	return rw_unlock(l);
}

/* ---- barriers ---- */

int pthread_barrier_init(pthread_barrier_t *restrict b,
			 const pthread_barrierattr_t *restrict a, unsigned count)
{
	if (count == 0)
		return EINVAL;
	*b = (pthread_barrier_t){.count = count};
	b->m.type = b->c.type = a ? *a : 0;
	return 0;
}

int pthread_barrier_destroy(pthread_barrier_t *b)
{
	return b->waiting ? EBUSY : 0;
}

int pthread_barrier_wait(pthread_barrier_t *b)
{
	mutex_lock(&b->m);
	unsigned cycle = b->cycle;
	int last = ++b->waiting == b->count;

	if (last) {
		b->waiting = 0;
		b->cycle++;
		cond_broadcast(&b->c);
	} else {
		while (cycle == b->cycle)
			cond_wait(&b->c, &b->m);
	}
	mutex_unlock(&b->m);
	return last ? PTHREAD_BARRIER_SERIAL_THREAD : 0;
}

/* ---- semaphores: -1 and errno ---- */

static int result(int error)
{
	if (!error)
		return 0;
	errno = error == EBUSY ? EAGAIN : error;
	return -1;
}

int sem_init(sem_t *s, int shared, unsigned count)
{
	return result(sema_init(s, count, shared ? USYNC_PROCESS : USYNC_THREAD, NULL));
}

int sem_destroy(sem_t *s)
{
	return result(sema_destroy(s));
}

int sem_wait(sem_t *s)
{
	return result(sema_wait(s));
}

int sem_trywait(sem_t *s)
{
	return result(sema_trywait(s));
}

int sem_post(sem_t *s)
{
	return result(sema_post(s));
}

int sem_getvalue(sem_t *restrict s, int *restrict value)
{
	*value = s->count;
	return 0;
}
