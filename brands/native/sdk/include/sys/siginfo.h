/*
 * sys/siginfo.h - what comes with a signal (illumos' siginfo_t, LP64, 256 bytes).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_SIGINFO_H
#define _SYS_SIGINFO_H

#include <sys/types.h>

union sigval {
	int sival_int;
	void *sival_ptr;
};
struct sigevent {
	int sigev_notify;
	int sigev_signo;
	union sigval sigev_value;
	void (*sigev_notify_function)(union sigval value);
	void *sigev_notify_attributes;
	int __sigev_pad2;
};
#define SIGEV_NONE 1
#define SIGEV_SIGNAL 2
#define SIGEV_PORT 4

typedef struct siginfo {
	int si_signo, si_code, si_errno, si_pad;
	union {
		char pad[240];
		struct {
			pid_t pid;
			union {
				struct {
					uid_t uid;
					union sigval value;
				} kill;
				struct {
					clock_t utime;
					int status;
					clock_t stime;
				} cld;
			} pdata;
			ctid_t ctid;
			zoneid_t zoneid;
		} proc;
		struct {
			void *addr;
			int trapno;
			void *pc;
		} fault;
		struct {
			int entity;
		} rctl;
	} __data;
} siginfo_t;
#define si_pid __data.proc.pid
#define si_uid __data.proc.pdata.kill.uid
#define si_value __data.proc.pdata.kill.value
#define si_utime __data.proc.pdata.cld.utime
#define si_status __data.proc.pdata.cld.status
#define si_stime __data.proc.pdata.cld.stime
#define si_ctid __data.proc.ctid
#define si_zoneid __data.proc.zoneid
#define si_addr __data.fault.addr
#define si_pc __data.fault.pc
#define si_entity __data.rctl.entity

#define SI_NOINFO 32767
#define SI_RCTL 2049
#define SI_USER 0
#define SI_LWP (-1)
#define SI_QUEUE (-2)
#define SI_TIMER (-3)
#define SI_ASYNCIO (-4)
#define SI_MESGQ (-5)
#define CLD_EXITED 1
#define CLD_KILLED 2
#define CLD_DUMPED 3
#define CLD_TRAPPED 4
#define CLD_STOPPED 5
#define CLD_CONTINUED 6
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define BUS_ADRALN 1
#define BUS_ADRERR 2
#define ILL_ILLOPC 1
#define TRAP_BRKPT 1

#endif
