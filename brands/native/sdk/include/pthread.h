/*
 * pthread.h - POSIX threads, on top of <thread.h> and <synch.h>.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _PTHREAD_H
#define _PTHREAD_H

#include <sched.h>
#include <signal.h>
#include <synch.h>
#include <sys/types.h>
#include <time.h>
typedef unsigned pthread_t;
typedef unsigned pthread_key_t;
typedef mutex_t pthread_mutex_t;
typedef cond_t pthread_cond_t;
typedef rwlock_t pthread_rwlock_t;
typedef struct {
	mutex_t m;
	cond_t c;
	unsigned count, waiting, cycle;
} pthread_barrier_t;
typedef struct {
	int state;
	mutex_t m;
} pthread_once_t;
typedef struct {
	void *stack;
	size_t stacksize;
	int detached;
} pthread_attr_t;
typedef int pthread_mutexattr_t;
typedef int pthread_condattr_t;
typedef int pthread_rwlockattr_t;
typedef int pthread_barrierattr_t;
#define PTHREAD_MUTEX_INITIALIZER DEFAULTMUTEX
#define PTHREAD_COND_INITIALIZER DEFAULTCV
#define PTHREAD_RWLOCK_INITIALIZER DEFAULTRWLOCK
#define PTHREAD_ONCE_INIT {0, DEFAULTMUTEX}
#define PTHREAD_MUTEX_NORMAL LOCK_NORMAL
#define PTHREAD_MUTEX_DEFAULT LOCK_NORMAL
#define PTHREAD_MUTEX_ERRORCHECK LOCK_ERRORCHECK
#define PTHREAD_MUTEX_RECURSIVE LOCK_RECURSIVE
#define PTHREAD_PROCESS_PRIVATE USYNC_THREAD
#define PTHREAD_PROCESS_SHARED USYNC_PROCESS
#define PTHREAD_CREATE_JOINABLE 0
#define PTHREAD_CREATE_DETACHED 0x40
#define PTHREAD_BARRIER_SERIAL_THREAD (-2)
int pthread_create(pthread_t *restrict id, const pthread_attr_t *restrict attr,
		   void *(*start)(void *), void *restrict arg);
int pthread_join(pthread_t id, void **status);
int pthread_detach(pthread_t id);
void pthread_exit(void *status) __attribute__((noreturn));
pthread_t pthread_self(void);
int pthread_equal(pthread_t a, pthread_t b);
int pthread_once(pthread_once_t *once, void (*fn)(void));
int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void));
int pthread_attr_init(pthread_attr_t *a);
int pthread_attr_destroy(pthread_attr_t *a);
int pthread_attr_setdetachstate(pthread_attr_t *a, int detached);
int pthread_attr_setstacksize(pthread_attr_t *a, size_t size);
int pthread_attr_setstack(pthread_attr_t *a, void *stack, size_t size);
int pthread_mutexattr_init(pthread_mutexattr_t *a);
int pthread_mutexattr_destroy(pthread_mutexattr_t *a);
int pthread_mutexattr_settype(pthread_mutexattr_t *a, int type);
int pthread_mutexattr_setpshared(pthread_mutexattr_t *a, int shared);
int pthread_mutex_init(pthread_mutex_t *restrict m,
		       const pthread_mutexattr_t *restrict a);
int pthread_mutex_destroy(pthread_mutex_t *m);
int pthread_mutex_lock(pthread_mutex_t *m);
int pthread_mutex_trylock(pthread_mutex_t *m);
int pthread_mutex_unlock(pthread_mutex_t *m);
int pthread_cond_init(pthread_cond_t *restrict c, const pthread_condattr_t *restrict a);
int pthread_cond_destroy(pthread_cond_t *c);
int pthread_cond_wait(pthread_cond_t *restrict c, pthread_mutex_t *restrict m);
int pthread_cond_timedwait(pthread_cond_t *restrict c, pthread_mutex_t *restrict m,
			   const struct timespec *restrict until);
int pthread_cond_signal(pthread_cond_t *c);
int pthread_cond_broadcast(pthread_cond_t *c);
int pthread_rwlock_init(pthread_rwlock_t *restrict l,
			const pthread_rwlockattr_t *restrict a);
int pthread_rwlock_destroy(pthread_rwlock_t *l);
int pthread_rwlock_rdlock(pthread_rwlock_t *l);
int pthread_rwlock_wrlock(pthread_rwlock_t *l);
int pthread_rwlock_tryrdlock(pthread_rwlock_t *l);
int pthread_rwlock_trywrlock(pthread_rwlock_t *l);
int pthread_rwlock_unlock(pthread_rwlock_t *l);
int pthread_barrier_init(pthread_barrier_t *restrict b,
			 const pthread_barrierattr_t *restrict a, unsigned count);
int pthread_barrier_destroy(pthread_barrier_t *b);
int pthread_barrier_wait(pthread_barrier_t *b);
int pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
int pthread_key_delete(pthread_key_t key);
int pthread_setspecific(pthread_key_t key, const void *value);
void *pthread_getspecific(pthread_key_t key);

#endif
