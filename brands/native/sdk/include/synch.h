/*
 * synch.h - locks and conditions of threads (mutex_lock(3C), cond_wait(3C) ...).
 *
 * They are words of memory; a thread that has to wait parks with lwp_park and stands in
 * a queue of its process.  USYNC_PROCESS objects spin with yield: parking reaches only
 * lwps of the own process.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYNCH_H
#define _SYNCH_H

#include <sys/types.h>
#include <time.h>
#define USYNC_THREAD 0
#define USYNC_PROCESS 1
#define LOCK_NORMAL 0
#define LOCK_ERRORCHECK 2
#define LOCK_RECURSIVE 4
typedef struct {
	int lock; /* 0 free, 1 held, 2 held and waited for */
	unsigned owner; /* thread id */
	int type; /* USYNC_ and LOCK_ */
	int depth;
} mutex_t;
typedef struct {
	unsigned seq; /* counts signals */
	int type;
	int waiters;
} cond_t;
typedef struct {
	int count;
	int type;
} sema_t;
typedef struct {
	mutex_t m;
	cond_t readers, writers;
	int state; /* -1 a writer, else the number of readers */
	int waiting; /* writers */
} rwlock_t;
#define DEFAULTMUTEX {0, 0, 0, 0}
#define RECURSIVEMUTEX {0, 0, LOCK_RECURSIVE, 0}
#define ERRORCHECKMUTEX {0, 0, LOCK_ERRORCHECK, 0}
#define DEFAULTCV {0, 0, 0}
#define DEFAULTSEMA {0, 0}
#define DEFAULTRWLOCK {DEFAULTMUTEX, DEFAULTCV, DEFAULTCV, 0, 0}
int mutex_init(mutex_t *m, int type, void *arg);
int mutex_destroy(mutex_t *m);
int mutex_lock(mutex_t *m);
int mutex_trylock(mutex_t *m);
int mutex_unlock(mutex_t *m);
int cond_init(cond_t *c, int type, void *arg);
int cond_destroy(cond_t *c);
int cond_wait(cond_t *c, mutex_t *m);
int cond_timedwait(cond_t *c, mutex_t *m, const struct timespec *until);
int cond_reltimedwait(cond_t *c, mutex_t *m, const struct timespec *timeout);
int cond_signal(cond_t *c);
int cond_broadcast(cond_t *c);
int sema_init(sema_t *s, unsigned count, int type, void *arg);
int sema_destroy(sema_t *s);
int sema_wait(sema_t *s);
int sema_trywait(sema_t *s);
int sema_post(sema_t *s);
int rwlock_init(rwlock_t *l, int type, void *arg);
int rwlock_destroy(rwlock_t *l);
int rw_rdlock(rwlock_t *l);
int rw_wrlock(rwlock_t *l);
int rw_tryrdlock(rwlock_t *l);
int rw_trywrlock(rwlock_t *l);
int rw_unlock(rwlock_t *l);

#endif
