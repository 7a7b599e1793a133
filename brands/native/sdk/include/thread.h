/*
 * thread.h - threads of illumos (thr_create(3C)); each is one lwp.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _THREAD_H
#define _THREAD_H

#include <signal.h>
#include <synch.h>
#include <sys/types.h>
typedef unsigned thread_t;
typedef unsigned thread_key_t;
#define THR_BOUND 0x1
#define THR_NEW_LWP 0x2
#define THR_DETACHED 0x40
#define THR_SUSPENDED 0x80
#define THR_DAEMON 0x100
#define THR_ONCE_KEY ((thread_key_t)-1)
int thr_create(void *stack, size_t size, void *(*start)(void *), void *arg, long flags,
	       thread_t *id);
int thr_join(thread_t id, thread_t *departed, void **status);
void thr_exit(void *status) __attribute__((noreturn));
thread_t thr_self(void);
void thr_yield(void);
int thr_suspend(thread_t id);
int thr_continue(thread_t id);
int thr_kill(thread_t id, int sig);
int thr_sigsetmask(int how, const sigset_t *set, sigset_t *old);
int thr_main(void);
size_t thr_min_stack(void);
int thr_keycreate(thread_key_t *key, void (*destructor)(void *));
int thr_setspecific(thread_key_t key, void *value);
int thr_getspecific(thread_key_t key, void **value);

#endif
