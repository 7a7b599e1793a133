/*
 * specific.c - data of threads by key.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <pthread.h>

#include "libc.h"

#define ROUNDS 4 /* destructors may set values again */

static struct {
	int used;
	void (*destructor)(void *);
} keys[KEYS];
static mutex_t lock;

int thr_keycreate(thread_key_t *key, void (*destructor)(void *))
{
	mutex_lock(&lock);
	for (unsigned k = 0; k < KEYS; k++)
		if (!keys[k].used) {
			keys[k].used = 1;
			keys[k].destructor = destructor;
			*key = k;
			mutex_unlock(&lock);
			return 0;
		}
	mutex_unlock(&lock);
	return EAGAIN;
}

int pthread_key_delete(pthread_key_t key)
{
	if (key >= KEYS || !keys[key].used)
		return EINVAL;
	mutex_lock(&__threads_lock);
	for (struct thread *t = __threads; t; t = t->next)
		t->specific[key] = NULL;
	mutex_unlock(&__threads_lock);
	keys[key].used = 0;
	return 0;
}

int thr_setspecific(thread_key_t key, void *value)
{
	if (key >= KEYS || !keys[key].used)
		return EINVAL;
	self()->specific[key] = value;
	return 0;
}

int thr_getspecific(thread_key_t key, void **value)
{
	if (key >= KEYS || !keys[key].used)
		return EINVAL;
	*value = self()->specific[key];
	return 0;
}

HIDDEN void __run_destructors(struct thread *t)
{
	int again = 1;

	for (int round = 0; again && round < ROUNDS; round++) {
		again = 0;
		for (unsigned k = 0; k < KEYS; k++) {
			void *value = t->specific[k];

			if (!value || !keys[k].used || !keys[k].destructor)
				continue;
			t->specific[k] = NULL;
			keys[k].destructor(value);
			again = 1;
		}
	}
}

int pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
	return thr_keycreate(key, destructor);
}

int pthread_setspecific(pthread_key_t key, const void *value)
{
	return thr_setspecific(key, (void *)value);
}

void *pthread_getspecific(pthread_key_t key)
{
	void *value = NULL;

	thr_getspecific(key, &value);
	return value;
}
