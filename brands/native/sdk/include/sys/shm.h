/*
 * sys/shm.h - System V shared memory.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_SHM_H
#define _SYS_SHM_H

#include <sys/ipc.h>
typedef unsigned long shmatt_t;
struct shmid_ds {
	struct ipc_perm shm_perm;
	size_t shm_segsz;
	void *shm_amp;
	unsigned short shm_lkcnt;
	pid_t shm_lpid, shm_cpid;
	shmatt_t shm_nattch;
	unsigned long shm_cnattch;
	time_t shm_atime, shm_dtime, shm_ctime;
	long shm_pad4[4];
};
#define SHM_RDONLY 010000
#define SHM_RND 020000
#define SHM_SHARE_MMU 040000
#define SHM_PAGEABLE 0100000
#define SHM_R 0400
#define SHM_W 0200
#define SHM_LOCK 3
#define SHM_UNLOCK 4
#define SHMLBA 4096
int shmget(key_t key, size_t size, int flags);
void *shmat(int id, const void *addr, int flags);
int shmdt(const void *addr);
int shmctl(int id, int cmd, struct shmid_ds *buf);
int shmids(int *buf, unsigned n, unsigned *total);

#endif
