/*
 * wait.c - waiting for a word of memory to change, which all locks are made of.
 *
 * Who waits stands in a queue of the process, in order, and parks.  The queue has
 * a spin lock: nobody sleeps while holding it.  Objects that processes share can't use
 * lwp_park, which reaches lwps of the own process only: there one looks again after
 * a while.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <string.h>
#include <sys/lwp.h>

#include "libc.h"

#define POLL_NS 1000000 /* how often a shared word is looked at */
#define NANOSEC 1000000000L

static volatile int queue_lock;
static struct thread *first, **last = &first;

static void lock(void)
{
	while (__atomic_exchange_n(&queue_lock, 1, __ATOMIC_ACQUIRE))
		yield();
}

static void unlock(void)
{
	__atomic_store_n(&queue_lock, 0, __ATOMIC_RELEASE);
}

/* In the child of a fork1 nobody else is left to wait. */
void __wait_child(void)
{
	queue_lock = 0;
	first = NULL;
	last = &first;
}

static void remove_from_queue(struct thread **tp)
{
	struct thread *t = *tp;

	*tp = t->wnext;
	if (last == &t->wnext)
		last = tp;
	t->wchan = NULL;
}

/* Whether the thread still stood in the queue. */
static int leave(struct thread *me)
{
	int was = 0;

	lock();
	for (struct thread **tp = &first; *tp; tp = &(*tp)->wnext)
		if (*tp == me) {
			remove_from_queue(tp);
			was = 1;
			break;
		}
	unlock();
	return was;
}

static int wait_shared(const struct timespec *timeout)
{
	struct timespec pause = {0, POLL_NS};

	if (timeout && timeout->tv_sec == 0 && timeout->tv_nsec < POLL_NS)
		pause.tv_nsec = timeout->tv_nsec;
	nanosleep(&pause, NULL);
	return timeout && timeout->tv_sec == 0 && timeout->tv_nsec <= POLL_NS ? ETIME : 0;
}

/*
 * Wait while the word is what was seen.  0: woken, or it differs, or no reason at all;
 * ETIME; EINTR.
 */
int __wait(const volatile int *word, int seen, int type, const struct timespec *timeout)
{
	struct thread *me = self();
	int error = 0;

	if (type & USYNC_PROCESS)
		return *word == seen ? wait_shared(timeout) : 0;
	lock();
	if (*word != seen) {
		unlock();
		return 0;
	}
	me->wchan = word;
	me->wnext = NULL;
	*last = me;
	last = &me->wnext;
	unlock();
	while (__atomic_load_n(&me->wchan, __ATOMIC_ACQUIRE)) {
		error = __lwp_park(timeout, 0);
		if (error)
			break;
	}
	return leave(me) ? error : 0;
}

/* Wake the first n that wait for a word. */
void __wake(const volatile int *word, int n)
{
	lock();
	for (struct thread **tp = &first; *tp && n > 0;) {
		struct thread *t = *tp;

		if (t->wchan != word) {
			tp = &t->wnext;
			continue;
		}
		lwpid_t tid = t->tid;

		remove_from_queue(tp);
		__lwp_unpark(tid);
		n--;
	}
	unlock();
}
