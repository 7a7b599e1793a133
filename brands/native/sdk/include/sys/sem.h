/*
 * sys/sem.h - System V semaphores.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_SEM_H
#define _SYS_SEM_H

#include <sys/ipc.h>
#include <time.h>
struct semid_ds {
	struct ipc_perm sem_perm;
	void *sem_base;
	unsigned short sem_nsems;
	time_t sem_otime, sem_ctime;
	int sem_binary;
	long sem_pad3[3];
};
struct sembuf {
	unsigned short sem_num;
	short sem_op, sem_flg;
};
#define SEM_UNDO 010000
#define GETNCNT 3
#define GETPID 4
#define GETVAL 5
#define GETALL 6
#define GETZCNT 7
#define SETVAL 8
#define SETALL 9
int semget(key_t key, int n, int flags);
int semctl(int id, int num, int cmd, ...);
int semop(int id, struct sembuf *ops, size_t n);
int semtimedop(int id, struct sembuf *ops, size_t n, const struct timespec *timeout);
int semids(int *buf, unsigned n, unsigned *total);

#endif
