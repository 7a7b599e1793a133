/*
 * thread.c - threads and their locks: thr_create(3C), synch(3C), pthreads(7), and what
 * a fork makes of them.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/lwp.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <thread.h>
#include <unistd.h>

#include "ktap.h"

static __thread int own = 40;
static mutex_t m = DEFAULTMUTEX;
static cond_t c = DEFAULTCV;
static volatile int flag, woken, destroyed;
static thread_key_t key;

static void *identity(void *arg)
{
	own += 2;
	errno = 99;
	return (void *)((intptr_t)arg + own);
}

static void *counter(void *arg)
{
	int *n = arg;

	for (int i = 0; i < 300; i++) {
		mutex_lock(&m);
		++*n;
		mutex_unlock(&m);
		if (i % 50 == 0)
			thr_yield();
	}
	return NULL;
}

static void *sleeper(void *arg)
{
	mutex_lock(&m);
	while (!flag)
		cond_wait(&c, &m);
	woken++;
	mutex_unlock(&m);
	return arg;
}

static void ended(void *value)
{
	destroyed += (intptr_t)value;
}

static void *with_data(void *arg)
{
	thr_setspecific(key, arg);
	return NULL;
}

static void pause_ms(long ms)
{
	struct timespec ts = {0, ms * 1000000};

	nanosleep(&ts, NULL);
}

static void creation(void)
{
	thread_t t, departed;
	void *status;

	KTAP_EQ(thr_self(), 1, "the first thread is number 1", "thr_self(3C)");
	KTAP(thr_main(), "it is the main thread", "thr_main(3C)");
	KTAP_EQ(thr_create(NULL, 0, identity, (void *)100, 0, &t), 0, "a thread is created",
		"thr_create(3C)");
	KTAP_EQ(t, 2, "its number is the next", "thr_create(3C)");
	KTAP_EQ(thr_join(t, &departed, &status), 0, "it is joined", "thr_join(3C)");
	KTAP(departed == t && (intptr_t)status == 142, "with its number and its value",
	     "thr_join(3C)");
	KTAP(own == 40 && errno != 99, "__thread variables and errno are a thread's own",
	     "errno(3C)");
	KTAP_EQ(thr_join(t, NULL, NULL), ESRCH, "there is no second join", "thr_join(3C)");
	KTAP_EQ(thr_join(thr_self(), NULL, NULL), EDEADLK, "nobody joins oneself",
		"thr_join(3C)");
	KTAP_EQ(thr_create(NULL, 0, identity, NULL, THR_DETACHED, &t), 0, "one is detached",
		"thr_create(3C)");
	KTAP_EQ(pthread_join(t, NULL) == 0, 0, "a detached one is not joined",
		"pthread_join(3C)");
	KTAP_EQ(thr_create(NULL, 0, identity, NULL, 0x4000, &t), EINVAL, "flags are checked",
		"thr_create(3C)");
	thr_create(NULL, 0, identity, NULL, THR_SUSPENDED, &t);
	pause_ms(5);
	KTAP_EQ(thr_continue(t), 0, "a suspended one waits to be continued",
		"thr_continue(3C)");
	KTAP_EQ(thr_join(t, NULL, &status), 0, "and runs then", "thr_continue(3C)");
	thr_create(NULL, 0, identity, NULL, 0, &t);
	KTAP_EQ(thr_join(0, &departed, NULL), 0, "any thread is joined", "thr_join(3C)");
	KTAP_EQ(departed, t, "and told", "thr_join(3C)");
}

static void locks(void)
{
	thread_t t[4];
	int n = 0;
	mutex_t check = ERRORCHECKMUTEX, deep = RECURSIVEMUTEX;

	for (int i = 0; i < 4; i++)
		thr_create(NULL, 0, counter, &n, 0, &t[i]);
	for (int i = 0; i < 4; i++)
		thr_join(t[i], NULL, NULL);
	KTAP_EQ(n, 1200, "a mutex keeps four threads apart", "mutex_lock(3C)");
	mutex_lock(&m);
	KTAP_EQ(mutex_trylock(&m), EBUSY, "trylock of a held mutex", "mutex_trylock(3C)");
	mutex_unlock(&m);
	mutex_lock(&check);
	KTAP_EQ(mutex_lock(&check), EDEADLK, "LOCK_ERRORCHECK finds oneself",
		"mutex_lock(3C)");
	mutex_unlock(&check);
	KTAP_EQ(mutex_unlock(&check), EPERM, "and an unlock without lock", "mutex_unlock(3C)");
	mutex_lock(&deep);
	KTAP_EQ(mutex_lock(&deep) + mutex_unlock(&deep), 0, "LOCK_RECURSIVE goes deeper",
		"mutex_init(3C)");
	KTAP_EQ(mutex_destroy(&deep), EBUSY, "and is held until the last unlock",
		"mutex_destroy(3C)");
	mutex_unlock(&deep);
}

static void conditions(void)
{
	struct timespec short_time = {0, 10000000};
	hrtime_t before = gethrtime();
	thread_t t[3];

	mutex_lock(&m);
	KTAP_EQ(cond_reltimedwait(&c, &m, &short_time), ETIME, "a wait ends with its time",
		"cond_reltimedwait(3C)");
	KTAP(gethrtime() - before >= 10000000, "not before it", "cond_reltimedwait(3C)");
	KTAP_EQ(mutex_trylock(&m), EBUSY, "and holds the mutex again", "cond_timedwait(3C)");
	mutex_unlock(&m);
	for (int i = 0; i < 3; i++)
		thr_create(NULL, 0, sleeper, NULL, 0, &t[i]);
	pause_ms(5);
	KTAP_EQ(woken, 0, "three wait", "cond_wait(3C)");
	mutex_lock(&m);
	flag = 1;
	cond_signal(&c);
	mutex_unlock(&m);
	pause_ms(5);
	KTAP_EQ(woken, 1, "a signal wakes one", "cond_signal(3C)");
	mutex_lock(&m);
	cond_broadcast(&c);
	mutex_unlock(&m);
	for (int i = 0; i < 3; i++)
		thr_join(t[i], NULL, NULL);
	KTAP_EQ(woken, 3, "a broadcast wakes all", "cond_broadcast(3C)");
}

static sema_t sema;
static rwlock_t rw = DEFAULTRWLOCK;
static volatile int passed;

static void *waiter(void *arg)
{
	sema_wait(&sema);
	passed++;
	return arg;
}

static void *writer(void *arg)
{
	rw_wrlock(&rw);
	passed = 77;
	rw_unlock(&rw);
	return arg;
}

static void *barrier(void *arg)
{
	return (void *)(intptr_t)pthread_barrier_wait(arg);
}

static void others(void)
{
	pthread_barrier_t b;
	thread_t t, u;
	void *x, *y;

	sema_init(&sema, 1, USYNC_THREAD, NULL);
	KTAP_EQ(sema_wait(&sema), 0, "a semaphore of one lets one pass", "sema_wait(3C)");
	KTAP_EQ(sema_trywait(&sema), EBUSY, "and no other", "sema_trywait(3C)");
	thr_create(NULL, 0, waiter, NULL, 0, &t);
	pause_ms(5);
	KTAP_EQ(passed, 0, "a third waits", "sema_wait(3C)");
	sema_post(&sema);
	thr_join(t, NULL, NULL);
	KTAP_EQ(passed, 1, "until a post", "sema_post(3C)");
	KTAP_EQ(rw_rdlock(&rw) + rw_tryrdlock(&rw), 0, "readers share", "rw_rdlock(3C)");
	KTAP_EQ(rw_trywrlock(&rw), EBUSY, "a writer does not", "rw_trywrlock(3C)");
	thr_create(NULL, 0, writer, NULL, 0, &t);
	pause_ms(5);
	KTAP_EQ(rw_tryrdlock(&rw), EBUSY, "who waits to write goes first", "rwlock(3C)");
	rw_unlock(&rw);
	rw_unlock(&rw);
	thr_join(t, NULL, NULL);
	KTAP_EQ(passed, 77, "and writes when the readers have gone", "rw_wrlock(3C)");
	pthread_barrier_init(&b, NULL, 2);
	thr_create(NULL, 0, barrier, &b, 0, &t);
	thr_create(NULL, 0, barrier, &b, 0, &u);
	thr_join(t, NULL, &x);
	thr_join(u, NULL, &y);
	KTAP_EQ((intptr_t)x + (intptr_t)y, PTHREAD_BARRIER_SERIAL_THREAD,
		"one of two at a barrier is the serial one", "pthread_barrier_wait(3C)");
	thr_keycreate(&key, ended);
	thr_create(NULL, 0, with_data, (void *)5, 0, &t);
	thr_join(t, NULL, NULL);
	KTAP_EQ(destroyed, 5, "a destructor gets a thread's data", "thr_keycreate(3C)");
	KTAP_EQ(thr_getspecific(key, &x) == 0 && x == NULL, 1, "another has none",
		"thr_getspecific(3C)");
}

static volatile int spinning = 1;

static void *spinner(void *arg)
{
	while (spinning)
		thr_yield();
	return arg;
}

static volatile int prepared, handled;

static void prepare(void)
{
	prepared++;
}

static void handle(void)
{
	handled++;
}

static int status_of(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void forks(void)
{
	thread_t t;

	thr_create(NULL, 0, spinner, NULL, 0, &t);
	pthread_atfork(prepare, handle, handle);
	pid_t pid = fork1();

	if (pid == 0)
		_exit(thr_join(0, NULL, NULL) == EDEADLK && prepared == 1 && handled == 1 &&
				      thr_create(NULL, 0, identity, NULL, 0, &t) == 0 &&
				      thr_join(t, NULL, NULL) == 0
			      ? 11
			      : 12);
	KTAP_EQ(status_of(pid), 11, "a child of fork1 has one thread, and makes new ones",
		"fork(2)");
	KTAP(prepared == 1 && handled == 1, "handlers run before and after",
	     "pthread_atfork(3C)");
	pid = forkall();
	if (pid == 0) {
		spinning = 0;
		_exit(thr_join(t, NULL, NULL) == 0 ? 21 : 22);
	}
	KTAP_EQ(status_of(pid), 21, "a child of forkall has all threads, and joins one",
		"forkall(2)");
	KTAP_EQ(prepared, 1, "no handlers for forkall", "pthread_atfork(3C)");
	spinning = 0;
	thr_join(t, NULL, NULL);
}

static void *exits(void *arg)
{
	pause_ms(10);
	exit((intptr_t)arg);
}

static void *last(void *arg)
{
	pause_ms(10);
	return arg;
}

static void ends(void)
{
	thread_t t;
	pid_t pid = fork();

	if (pid == 0) {
		thr_create(NULL, 0, exits, (void *)33, 0, &t);
		for (;;)
			pause();
	}
	KTAP_EQ(status_of(pid), 33, "exit() of a thread ends the process", "exit(3C)");
	pid = fork();
	if (pid == 0) {
		thr_create(NULL, 0, last, (void *)44, 0, &t);
		thr_exit(NULL);
	}
	KTAP_EQ(status_of(pid), 0, "when the last thread has ended, the status is 0",
		"thr_exit(3C)");
	mutex_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANON, -1, 0);

	mutex_init(shared, USYNC_PROCESS, NULL);
	mutex_lock(shared);
	pid = fork();
	if (pid == 0) {
		mutex_lock(shared);
		_exit(55);
	}
	pause_ms(5);
	KTAP_EQ(waitpid(pid, NULL, WNOHANG), 0, "a mutex of processes holds a child back",
		"mutex_init(3C)");
	mutex_unlock(shared);
	KTAP_EQ(status_of(pid), 55, "until it is unlocked", "mutex_init(3C)");
}

int main(void)
{
	ktap_start("thread");
	creation();
	locks();
	conditions();
	others();
	forks();
	ends();
	return ktap_end();
}
