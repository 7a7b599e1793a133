/*
 * sys/procset.h - sets of processes.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_PROCSET_H
#define _SYS_PROCSET_H

#include <sys/types.h>
typedef enum {
	P_PID,
	P_PPID,
	P_PGID,
	P_SID,
	P_CID,
	P_UID,
	P_GID,
	P_ALL,
	P_LWPID,
	P_TASKID,
	P_PROJID,
	P_POOLID,
	P_ZONEID,
	P_CTID,
	P_CPUID,
	P_PSETID
} idtype_t;
#define P_MYID (-1)
typedef enum { POP_DIFF, POP_AND, POP_OR, POP_XOR } idop_t;
typedef struct procset {
	idop_t p_op;
	idtype_t p_lidtype;
	id_t p_lid;
	idtype_t p_ridtype;
	id_t p_rid;
} procset_t;
int sigsend(idtype_t type, id_t id, int sig);
int sigsendset(const procset_t *set, int sig);

#endif
