/*
 * shm - System V shared memory and semaphores: over fork, vfork, exec and exit.
 *
 * Built with the C library of the SDK, so it checks <sys/shm.h> and <sys/sem.h> too.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ktap.h"

#define KEY 0x1234
#define NONE ((void *)-1)

static struct shmid_ds ds;

static int fails(long r, int want)
{
	return r == -1 && errno == want;
}

static long nattch(int id)
{
	return shmctl(id, IPC_STAT, &ds) == 0 ? (long)ds.shm_nattch : -1;
}

static int exit_of(pid_t pid)
{
	int status = -1;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void getting(void)
{
	int id = shmget(KEY, 5000, IPC_CREAT | IPC_EXCL | 0640);

	KTAP(id >= 0, "a segment is made", "shmget(2)");
	KTAP_EQ(shmget(KEY, 0, 0), id, "and found by its key", "shmget(2)");
	KTAP(fails(shmget(KEY, 100, IPC_CREAT | IPC_EXCL | 0600), EEXIST), "IPC_EXCL: EEXIST", "shmget(2)");
	KTAP(fails(shmget(KEY, 9000, 0), EINVAL), "larger than it is: EINVAL", "shmget(2)");
	KTAP(fails(shmget(KEY + 1, 100, 0600), ENOENT), "no such key: ENOENT", "shmget(2)");
	KTAP(fails(shmget(IPC_PRIVATE, 0, 0600), EINVAL), "no bytes: EINVAL", "shmget(2)");
	KTAP(shmget(IPC_PRIVATE, 1, 0600) != shmget(IPC_PRIVATE, 1, 0600), "IPC_PRIVATE makes one each time", "shmget(2)");
	KTAP_EQ(nattch(id), 0, "nobody has it attached", "shmctl(2)");
	KTAP_EQ(ds.shm_segsz, 5000, "the size is as asked for", "shmctl(2)");
	KTAP_EQ(ds.shm_cpid, getpid(), "shm_cpid is its maker", "shmctl(2)");
	KTAP_EQ(ds.shm_perm.mode & 0777, 0640, "the mode is that of shmget", "shmctl(2)");
	KTAP_EQ(ds.shm_perm.key, KEY, "the key is there", "ipc.h(3HEAD)");
	ds.shm_perm.mode = 0600;
	KTAP(shmctl(id, IPC_SET, &ds) == 0 && nattch(id) == 0 && (ds.shm_perm.mode & 0777) == 0600, "IPC_SET changes the mode", "shmctl(2)");
	KTAP(fails(shmctl(id, 99, &ds), EINVAL), "an unknown command: EINVAL", "shmctl(2)");
	KTAP(fails(shmctl(id, IPC_STAT, (void *)8), EFAULT), "a bad address: EFAULT", "shmctl(2)");
	KTAP(fails(shmctl(-1, IPC_STAT, &ds), EINVAL), "no such segment: EINVAL", "shmctl(2)");
	KTAP_EQ(shmctl(id, IPC_RMID, NULL), 0, "IPC_RMID removes it", "shmctl(2)");
	KTAP(fails(shmctl(id, IPC_STAT, &ds), EINVAL), "then it is gone", "shmctl(2)");
}

static void attaching(void)
{
	int id = shmget(IPC_PRIVATE, 8192, 0600);
	int *a = shmat(id, NULL, 0), *b = shmat(id, NULL, SHM_RDONLY);

	KTAP(a != NONE && b != NONE && a != b, "attached twice, at two places", "shmat(2)");
	a[1500] = 77;
	KTAP_EQ(b[1500], 77, "of the same memory", "shmat(2)");
	KTAP_EQ(a[0], 0, "which is zero at first", "shmget(2)");
	KTAP_EQ(nattch(id), 2, "both are counted", "shmctl(2)");
	KTAP_EQ(ds.shm_lpid, getpid(), "shm_lpid is who came last", "shmctl(2)");
	pid_t pid = fork();
	if (pid == 0) {
		b[0] = 1;
		_exit(0);
	}
	KTAP_EQ(exit_of(pid), -SIGSEGV, "SHM_RDONLY: a store is SIGSEGV", "shmat(2)");
	KTAP(fails((long)shmat(id, (char *)a + 1, 0), EINVAL), "an odd address: EINVAL", "shmat(2)");
	KTAP_EQ(shmdt(b), 0, "one is detached", "shmdt(2)");
	KTAP(fails(shmdt(b), EINVAL), "twice: EINVAL", "shmdt(2)");
	b = (int *)((char *)a + 0x100000);
	KTAP(shmat(id, (char *)b + 100, SHM_RND) == b, "SHM_RND rounds an address down", "shmat(2)");
	shmdt(b);
	KTAP_EQ(shmctl(id, IPC_RMID, NULL), 0, "a segment in use is removed", "shmctl(2)");
	a[7] = 7;
	KTAP_EQ(a[1500], 77, "and stays until its last attachment", "shmctl(2)");
	KTAP(fails((long)shmat(id, NULL, 0), EINVAL), "nobody attaches it any more", "shmat(2)");
	KTAP_EQ(shmdt(a), 0, "with which it goes", "shmdt(2)");
}

static void families(void)
{
	int id = shmget(IPC_PRIVATE, 4096, 0600);
	volatile int *p = shmat(id, NULL, 0);
	pid_t pid = fork();

	if (pid == 0) {
		p[1] = 5;
		_exit(nattch(id));
	}
	KTAP_EQ(exit_of(pid), 2, "a child of fork has an attachment of its own", "FORK-27");
	KTAP_EQ(p[1], 5, "of the same memory", "FORK-27");
	KTAP_EQ(nattch(id), 1, "which its exit gives back", "FORK-27");
	pid = fork();
	if (pid == 0) {
		shmdt((void *)p);
		_exit(nattch(id));
	}
	KTAP_EQ(exit_of(pid), 1, "the child's shmdt is its own", "FORK-27");
	KTAP_EQ(p[1], 5, "the parent keeps its", "shmdt(2)");
	pid = vfork();
	if (pid == 0) {
		p[2] = nattch(id);
		_exit(0);
	}
	exit_of(pid);
	KTAP_EQ(p[2], 1, "a child of vfork attaches nothing", "FORK-64");
	KTAP_EQ(nattch(id), 1, "and gives nothing back", "FORK-64");
	pid = fork();
	if (pid == 0) {
		execve("/nowhere", (char *[]){"x", NULL}, NULL);
		_exit(nattch(id));
	}
	KTAP_EQ(exit_of(pid), 2, "an exec that fails detaches nothing", "exec(2)");
	int *ism = shmat(id, NULL, SHM_SHARE_MMU);
	KTAP(ism != NONE && nattch(id) == 2 && ds.shm_cnattch == 1, "SHM_SHARE_MMU is counted apart", "shmat(2)");
	pid = fork();
	if (pid == 0)
		_exit(nattch(id) == 4 ? (int)ds.shm_cnattch : -1);
	KTAP_EQ(exit_of(pid), 2, "over fork as well", "FORK-27");
	shmctl(id, IPC_RMID, NULL);
	shmdt(ism);
	shmdt((void *)p);
}

static void semaphores(void)
{
	int id = semget(IPC_PRIVATE, 2, 0600);
	struct sembuf up = {0, 1, 0}, down = {0, -1, 0}, try = {0, -1, IPC_NOWAIT};
	struct sembuf undo = {1, 3, SEM_UNDO}, far = {2, 1, 0}, zero = {1, 0, IPC_NOWAIT};
	pid_t pid;

	KTAP(id >= 0 && semctl(id, 0, GETVAL) == 0, "semaphores are zero at first", "semget(2)");
	KTAP(semop(id, &up, 1) == 0 && semctl(id, 0, GETVAL) == 1, "one is raised", "semop(2)");
	KTAP_EQ(semctl(id, 0, GETPID), getpid(), "GETPID is who did it", "semctl(2)");
	KTAP(semop(id, &down, 1) == 0 && semctl(id, 0, GETVAL) == 0, "and lowered", "semop(2)");
	KTAP(fails(semop(id, &try, 1), EAGAIN), "IPC_NOWAIT: EAGAIN", "semop(2)");
	KTAP(fails(semop(id, &far, 1), EFBIG), "a number too high: EFBIG", "semop(2)");
	pid = fork();
	if (pid == 0)
		_exit(semop(id, &undo, 1) == 0 ? semctl(id, 1, GETVAL) : 99);
	KTAP_EQ(exit_of(pid), 3, "SEM_UNDO acts at once", "semop(2)");
	KTAP_EQ(semctl(id, 1, GETVAL), 0, "and is undone at exit", "exit(2)");
	KTAP_EQ(semop(id, &zero, 1), 0, "an operation 0 asks for zero", "semop(2)");
	semop(id, &undo, 1);
	pid = fork();
	if (pid == 0)
		_exit(0);
	exit_of(pid);
	KTAP_EQ(semctl(id, 1, GETVAL), 3, "a child has no undos of its parent's", "FORK-17");
	pid = fork();
	if (pid == 0)
		_exit(semop(id, &down, 1) == 0 ? 4 : errno);
	while (semctl(id, 0, GETNCNT) != 1)
		usleep(1000);
	semop(id, &up, 1);
	KTAP_EQ(exit_of(pid), 4, "who waits is woken", "semop(2)");
	pid = fork();
	if (pid == 0)
		_exit(semop(id, &down, 1) == -1 ? errno : 0);
	while (semctl(id, 0, GETNCNT) != 1)
		usleep(1000);
	KTAP_EQ(semctl(id, 0, IPC_RMID), 0, "a set is removed under a waiter", "semctl(2)");
	KTAP_EQ(exit_of(pid), EIDRM, "who gets EIDRM", "semop(2)");
	KTAP(fails(semop(id, &up, 1), EINVAL), "then there is none", "semop(2)");
}

int main(void)
{
	ktap_start("shm");
	getting();
	attaching();
	families();
	semaphores();
	return ktap_end();
}
