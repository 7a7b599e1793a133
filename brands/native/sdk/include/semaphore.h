/*
 * semaphore.h - POSIX semaphores without names.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SEMAPHORE_H
#define _SEMAPHORE_H

#include <synch.h>
#include <time.h>
typedef sema_t sem_t;
int sem_init(sem_t *s, int shared, unsigned count);
int sem_destroy(sem_t *s);
int sem_wait(sem_t *s);
int sem_trywait(sem_t *s);
int sem_post(sem_t *s);
int sem_getvalue(sem_t *restrict s, int *restrict value);

#endif
