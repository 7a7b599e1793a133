/*
 * ipc.c - System V shared memory, semaphores and messages.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdarg.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>

key_t ftok(const char *path, int id)
{
	struct stat st;

	if (stat(path, &st) == -1)
		return -1;
	return (key_t)((unsigned)id << 24 | (st.st_dev & 0xfff) << 12 | (st.st_ino & 0xfff));
}

void *shmat(int id, const void *addr, int flags)
{
	return (void *)syscall(SYS_shmsys, 0, id, addr, flags);
}

int shmctl(int id, int cmd, struct shmid_ds *buf)
{
	return syscall(SYS_shmsys, 1, id, cmd, buf);
}

int shmdt(const void *addr)
{
	return syscall(SYS_shmsys, 2, addr);
}

int shmget(key_t key, size_t size, int flags)
{
	return syscall(SYS_shmsys, 3, key, size, flags);
}

int shmids(int *buf, unsigned n, unsigned *total)
{
	return syscall(SYS_shmsys, 4, buf, n, total);
}

int semctl(int id, int num, int cmd, ...)
{
	va_list ap;

	va_start(ap, cmd);
	long arg = va_arg(ap, long);
	va_end(ap);
	return syscall(SYS_semsys, 0, id, num, cmd, arg);
}

int semget(key_t key, int n, int flags)
{
	return syscall(SYS_semsys, 1, key, n, flags);
}

int semop(int id, struct sembuf *ops, size_t n)
{
	return syscall(SYS_semsys, 2, id, ops, n);
}

int semids(int *buf, unsigned n, unsigned *total)
{
	return syscall(SYS_semsys, 3, buf, n, total);
}

int semtimedop(int id, struct sembuf *ops, size_t n, const struct timespec *timeout)
{
	return syscall(SYS_semsys, 4, id, ops, n, timeout);
}

int msgget(key_t key, int flags)
{
	return syscall(SYS_msgsys, 0, key, flags);
}

int msgctl(int id, int cmd, struct msqid_ds *buf)
{
	return syscall(SYS_msgsys, 1, id, cmd, buf);
}

ssize_t msgrcv(int id, void *msg, size_t size, long type, int flags)
{
	return syscall(SYS_msgsys, 2, id, msg, size, type, flags);
}

int msgsnd(int id, const void *msg, size_t size, int flags)
{
	return syscall(SYS_msgsys, 3, id, msg, size, flags);
}

int msgids(int *buf, unsigned n, unsigned *total)
{
	return syscall(SYS_msgsys, 4, buf, n, total);
}
