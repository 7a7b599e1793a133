/*
 * sys/priocntl.h - scheduling parameters of sets of processes.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_PRIOCNTL_H
#define _SYS_PRIOCNTL_H

#include <sys/procset.h>
#include <sys/types.h>
#define PC_VERSION 1
#define PC_GETCID 0
#define PC_GETCLINFO 1
#define PC_SETPARMS 2
#define PC_GETPARMS 3
#define PC_ADMIN 4
#define PC_GETPRIRANGE 5
#define PC_DONICE 6
#define PC_SETXPARMS 7
#define PC_GETXPARMS 8
#define PC_CLNULL (-1)
#define PC_CLNMSZ 16
#define PC_GETNICE 0
#define PC_SETNICE 1
typedef short pri_t;
typedef struct {
	id_t pc_cid;
	char pc_clname[PC_CLNMSZ];
	int pc_clinfo[8];
} pcinfo_t;
typedef struct {
	id_t pc_cid;
	int pc_clparms[8];
} pcparms_t;
typedef struct {
	id_t pc_cid;
	pri_t pc_clpmax, pc_clpmin;
} pcpri_t;
typedef struct {
	int pc_val, pc_op;
} pcnice_t;
typedef struct {
	pri_t ts_uprilim, ts_upri;
} tsparms_t;
typedef struct {
	pri_t fss_uprilim, fss_upri;
} fssparms_t;
typedef struct {
	pri_t ia_uprilim, ia_upri;
	int ia_mode;
} iaparms_t;
typedef struct {
	pri_t fx_upri, fx_uprilim;
	unsigned fx_tqsecs;
	int fx_tqnsecs;
} fxparms_t;
typedef struct {
	pri_t rt_pri;
	unsigned rt_tqsecs;
	int rt_tqnsecs;
} rtparms_t;
#define TS_NOCHANGE (-32768)
#define RT_NOCHANGE (-1)
#define RT_TQINF (-2)
#define RT_TQDEF (-3)
long priocntl(idtype_t type, id_t id, int cmd, void *arg);
long priocntlset(procset_t *set, int cmd, void *arg);
#define PBIND_NONE (-1)
#define PBIND_QUERY (-2)
int processor_bind(idtype_t type, id_t id, processorid_t cpu, processorid_t *old);

#endif
