/*
 * thread.c - threads: each is one lwp with a stack and a block of thread-local
 * variables at its upper end.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/lwp.h>
#include <sys/mman.h>

#include "libc.h"

#define STACK (128 * 1024)
#define MIN_STACK 8192
#define PAGE 4096

void __thread_begin(void);
HIDDEN void __unmap_exit(void *stack, size_t size) __attribute__((noreturn));

struct thread *__threads;
mutex_t __threads_lock;
int __nthreads = 1; /* that are not daemons */

static struct thread *find(thread_t id)
{
	struct thread *t = __threads;

	while (t && t->tid != id)
		t = t->next;
	return t;
}

static void unlink_thread(struct thread *t)
{
	struct thread **tp = &__threads;

	while (*tp != t)
		tp = &(*tp)->next;
	*tp = t->next;
}

/* After fork1 only the caller is left, and it is lwp 1 of a new process. */
void __threads_child(void)
{
	struct thread *me = self();

	for (struct thread *t = __threads, *next; t; t = next) {
		next = t->next;
		if (t != me && t->stack)
			munmap(t->stack, t->stack_size);
	}
	me->tid = _lwp_self();
	me->next = NULL;
	__threads = me;
	__nthreads = 1;
	__threads_lock.owner = me->tid;
	__wait_child();
}

static void *map_stack(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANON | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Describe a new thread at the upper end of its stack. */
static struct thread *place(char *stack, size_t size, ucontext_t *uc)
{
	uintptr_t top = ((uintptr_t)stack + size - __tls_size()) & -16UL;
	struct thread *t = __tls_init((void *)top);
	uint64_t *x = uc->uc_mcontext.x;

	memset(uc, 0, sizeof *uc);
	sigprocmask(SIG_SETMASK, NULL, &uc->uc_sigmask);
	uc->uc_stack.ss_flags = SS_DISABLE;
	uc->uc_mcontext.pc = (uintptr_t)__thread_begin;
	x[REG_SP] = top;
	x[REG_TP] = (uintptr_t)(t + 1);
	__asm__("mv %0, gp" : "=r"(x[REG_GP]));
	return t;
}

int thr_create(void *stack, size_t size, void *(*start)(void *), void *arg, long flags,
	       thread_t *id)
{
	int lwp_flags = flags & (THR_DETACHED | THR_SUSPENDED), error;
	void *own = NULL;
	struct thread *t;
	ucontext_t uc;

	if (flags & ~(THR_BOUND | THR_NEW_LWP | THR_DETACHED | THR_SUSPENDED | THR_DAEMON) ||
	    (stack && size < MIN_STACK))
		return EINVAL;
	if (flags & THR_DAEMON)
		lwp_flags |= LWP_DAEMON | LWP_DETACHED;
	if (!stack) {
		size = ((size ? size : STACK) + __tls_size() + PAGE - 1) & -(size_t)PAGE;
		stack = own = map_stack(size);
		if (!own)
			return EAGAIN;
	}
	t = place(stack, size, &uc);
	t->start = start;
	t->arg = arg;
	t->stack = own;
	t->stack_size = size;
	t->detached = flags & THR_DAEMON ? 2 : (flags & THR_DETACHED) != 0;
	uc.uc_mcontext.x[REG_S0] = (uintptr_t)start;
	uc.uc_mcontext.x[REG_S0 + 1] = (uintptr_t)arg;
	uc.uc_mcontext.x[17] = (uintptr_t)thr_exit; /* s2 is x18 */
	mutex_lock(&__threads_lock);
	error = _lwp_create(&uc, lwp_flags, &t->tid);
	if (!error) {
		t->next = __threads;
		__threads = t;
		__nthreads += t->detached != 2;
		if (id)
			*id = t->tid;
	}
	mutex_unlock(&__threads_lock);
	if (error && own)
		munmap(own, size);
	return error;
}

/* ---- the end ---- */

HIDDEN void __run_destructors(struct thread *t);

void thr_exit(void *status)
{
	struct thread *me = self();
	sigset_t all;
	int gone;

	__run_destructors(me);
	mutex_lock(&__threads_lock);
	__nthreads -= me->detached != 2;
	if (__nthreads == 0) {
		mutex_unlock(&__threads_lock);
		exit(0); /* the last one ends the process (thr_exit(3C)) */
	}
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL); /* a handler would need the stack */
	me->status = status;
	me->dead = 1;
	gone = me->detached;
	if (gone)
		unlink_thread(me);
	mutex_unlock(&__threads_lock);
	if (gone && me->stack)
		__unmap_exit(me->stack, me->stack_size);
	_lwp_exit();
}

/* Its lwp has ended: let go of what it had. */
static void *bury(struct thread *t)
{
	void *status = t->status;

	unlink_thread(t);
	if (t->stack)
		munmap(t->stack, t->stack_size);
	return status;
}

int thr_join(thread_t id, thread_t *departed, void **status)
{
	lwpid_t who = 0;
	int error;

	do
		error = _lwp_wait(id, &who);
	while (error == EINTR);
	if (error)
		return error;
	mutex_lock(&__threads_lock);
	struct thread *t = find(who);
	void *value = t ? bury(t) : NULL;

	mutex_unlock(&__threads_lock);
	if (departed)
		*departed = who;
	if (status)
		*status = value;
	return 0;
}

int pthread_detach(thread_t id)
{
	int error = 0;

	mutex_lock(&__threads_lock);
	struct thread *t = find(id);

	if (!t)
		error = ESRCH;
	else if (t->detached)
		error = EINVAL;
	else if (t->dead) {
		_lwp_wait(id, NULL);
		bury(t);
	} else {
		error = _lwp_detach(id);
		t->detached = !error;
	}
	mutex_unlock(&__threads_lock);
	return error;
}

/* ---- the rest ---- */

thread_t thr_self(void)
{
	return self()->tid;
}

int thr_main(void)
{
	return self()->stack == NULL && self()->start == NULL;
}

size_t thr_min_stack(void)
{
	return MIN_STACK;
}

void thr_yield(void)
{
	yield();
}

int thr_suspend(thread_t id)
{
	return _lwp_suspend(id);
}

int thr_continue(thread_t id)
{
	return _lwp_continue(id);
}

int thr_kill(thread_t id, int sig)
{
	return _lwp_kill(id, sig) == -1 ? errno : 0;
}

int thr_sigsetmask(int how, const sigset_t *set, sigset_t *old)
{
	return pthread_sigmask(how, set, old);
}
