/*
 * sys/msg.h - System V message queues.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_MSG_H
#define _SYS_MSG_H

#include <sys/ipc.h>
typedef unsigned long msgqnum_t;
typedef unsigned long msglen_t;
struct msqid_ds {
	struct ipc_perm msg_perm;
	void *msg_first, *msg_last;
	msglen_t msg_cbytes;
	msgqnum_t msg_qnum;
	msglen_t msg_qbytes;
	pid_t msg_lspid, msg_lrpid;
	time_t msg_stime, msg_rtime, msg_ctime;
	short msg_cv, msg_qnum_cv;
	long msg_pad4[3];
};
#define MSG_NOERROR 010000
int msgget(key_t key, int flags);
int msgctl(int id, int cmd, struct msqid_ds *buf);
int msgsnd(int id, const void *msg, size_t size, int flags);
ssize_t msgrcv(int id, void *msg, size_t size, long type, int flags);
int msgids(int *buf, unsigned n, unsigned *total);

#endif
