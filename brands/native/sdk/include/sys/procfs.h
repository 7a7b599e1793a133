/*
 * sys/procfs.h - the files of /proc (proc(5)): structures with the names and layouts of
 * illumos, LP64.  Registers: prgregset_t is pc, x1 .. x31; prfpregset_t is f0 .. f31 and
 * fcsr (illumos has no riscv64, so these are ours).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_PROCFS_H
#define _SYS_PROCFS_H

#include <stddef.h>
#include <stdint.h>

/* codes of messages to ctl and lwpctl: a long, then the operand */
#define PCNULL 0L
#define PCSTOP 1L
#define PCDSTOP 2L
#define PCWSTOP 3L
#define PCTWSTOP 4L /* long: milliseconds */
#define PCRUN 5L /* long: PRCSIG ... */
#define PCCSIG 6L
#define PCCFAULT 7L
#define PCSSIG 8L /* siginfo_t */
#define PCKILL 9L /* long */
#define PCUNKILL 10L /* long */
#define PCSHOLD 11L /* sigset_t */
#define PCSTRACE 12L /* sigset_t */
#define PCSFAULT 13L /* fltset_t */
#define PCSENTRY 14L /* sysset_t */
#define PCSEXIT 15L /* sysset_t */
#define PCSET 16L /* long: PR_FORK ... */
#define PCUNSET 17L /* long */
#define PCSREG 18L /* prgregset_t */
#define PCSFPREG 19L /* prfpregset_t */
#define PCNICE 21L /* long */
#define PCSVADDR 22L /* long */
#define PCWATCH 23L /* prwatch_t */
#define PCAGENT 24L /* prgregset_t */
#define PCREAD 25L /* priovec_t */
#define PCWRITE 26L /* priovec_t */
#define PCSCRED 27L /* prcred_t */
#define PCSCREDX 31L /* prcred_t with its groups */

/* PCRUN */
#define PRCSIG 0x01
#define PRCFAULT 0x02
#define PRSTEP 0x04
#define PRSABORT 0x08
#define PRSTOP 0x10

/* pr_flags */
#define PR_STOPPED 0x1
#define PR_ISTOP 0x2
#define PR_DSTOP 0x4
#define PR_STEP 0x8
#define PR_ASLEEP 0x10
#define PR_PCINVAL 0x20
#define PR_AGENT 0x80
#define PR_DETACH 0x100
#define PR_DAEMON 0x200
#define PR_ISSYS 0x1000
#define PR_VFORKP 0x2000
#define PR_ORPHAN 0x4000
#define PR_NOSIGCHLD 0x8000
#define PR_WAITPID 0x10000
#define PR_FORK 0x100000
#define PR_RLC 0x200000
#define PR_KLC 0x400000
#define PR_ASYNC 0x800000
#define PR_MSACCT 0x1000000
#define PR_BPTADJ 0x2000000
#define PR_PTRACE 0x4000000
#define PR_MSFORK 0x8000000

/* pr_why */
#define PR_REQUESTED 1
#define PR_SIGNALLED 2
#define PR_SYSENTRY 3
#define PR_SYSEXIT 4
#define PR_JOBCONTROL 5
#define PR_FAULTED 6
#define PR_SUSPENDED 7

#define PR_MODEL_LP64 2
#define PRNODEV ((uint64_t)-1)
#define PRCLSZ 8
#define PRFNSZ 16
#define PRARGSZ 80
#define PRMAPSZ 64
#define PRSYSARGS 8

#define NPRGREG 32
typedef long prgregset_t[NPRGREG];
#define R_PC 0
#define R_RA 1
#define R_SP 2
#define R_T0 5
#define R_A0 10
#define R_A1 11
#define R_A7 17

typedef struct prfpregset {
	uint64_t pr_f[32];
	uint32_t pr_fcsr;
	uint32_t pr_pad;
} prfpregset_t;

typedef struct {
	uint32_t word[4];
} pr_sigset_t; /* sigset_t */

typedef struct {
	uint32_t word[4];
} fltset_t;

typedef struct {
	uint32_t word[16];
} sysset_t;

#ifndef _TIMESTRUC_T /* <time.h> has it too */
#define _TIMESTRUC_T
typedef struct {
	long tv_sec;
	long tv_nsec;
} timestruc_t;
#endif

#define premptyset(sp) \
	do { \
		for (size_t i_ = 0; i_ < sizeof(*(sp)) / 4; i_++) \
			((uint32_t *)(sp))[i_] = 0; \
	} while (0)
#define prfillset(sp) \
	do { \
		for (size_t i_ = 0; i_ < sizeof(*(sp)) / 4; i_++) \
			((uint32_t *)(sp))[i_] = 0xffffffff; \
	} while (0)
#define praddset(sp, n) \
	((void)(((uint32_t *)(sp))[((n) - 1) / 32] |= 1u << ((n) - 1) % 32))
#define prdelset(sp, n) \
	((void)(((uint32_t *)(sp))[((n) - 1) / 32] &= ~(1u << ((n) - 1) % 32)))
#define prismember(sp, n) \
	((((uint32_t *)(sp))[((n) - 1) / 32] >> ((n) - 1) % 32) & 1)

typedef struct lwpstatus {
	int pr_flags;
	int pr_lwpid;
	short pr_why;
	short pr_what;
	short pr_cursig;
	short pr_pad1;
	int pr_info[64]; /* siginfo_t */
	pr_sigset_t pr_lwppend;
	pr_sigset_t pr_lwphold;
	long pr_action[4]; /* struct sigaction */
	long pr_altstack[3]; /* stack_t */
	uintptr_t pr_oldcontext;
	short pr_syscall;
	short pr_nsysarg;
	int pr_errno;
	long pr_sysarg[PRSYSARGS];
	long pr_rval1;
	long pr_rval2;
	char pr_clname[PRCLSZ];
	timestruc_t pr_tstamp; /* when it stopped */
	timestruc_t pr_utime;
	timestruc_t pr_stime;
	int pr_filler[3];
	int pr_errpriv;
	uintptr_t pr_ustack;
	unsigned long pr_instr;
	prgregset_t pr_reg;
	prfpregset_t pr_fpreg;
} lwpstatus_t;

typedef struct pstatus {
	int pr_flags;
	int pr_nlwp;
	int pr_pid;
	int pr_ppid;
	int pr_pgid;
	int pr_sid;
	int pr_aslwpid;
	int pr_agentid;
	pr_sigset_t pr_sigpend;
	uintptr_t pr_brkbase;
	size_t pr_brksize;
	uintptr_t pr_stkbase;
	size_t pr_stksize;
	timestruc_t pr_utime;
	timestruc_t pr_stime;
	timestruc_t pr_cutime;
	timestruc_t pr_cstime;
	pr_sigset_t pr_sigtrace;
	fltset_t pr_flttrace;
	sysset_t pr_sysentry;
	sysset_t pr_sysexit;
	char pr_dmodel;
	char pr_pad[3];
	int pr_taskid;
	int pr_projid;
	int pr_nzomb;
	int pr_zoneid;
	int pr_filler[15];
	lwpstatus_t pr_lwp; /* the representative lwp */
} pstatus_t;

typedef struct lwpsinfo {
	int pr_flag;
	int pr_lwpid;
	uintptr_t pr_addr;
	uintptr_t pr_wchan;
	char pr_stype;
	char pr_state;
	char pr_sname; /* S R Z T I O */
	char pr_nice;
	short pr_syscall;
	char pr_oldpri;
	char pr_cpu;
	int pr_pri;
	unsigned short pr_pctcpu; /* 0x8000 is all of it */
	unsigned short pr_pad;
	timestruc_t pr_start;
	timestruc_t pr_time;
	char pr_clname[PRCLSZ];
	char pr_name[PRFNSZ];
	int pr_onpro;
	int pr_bindpro;
	int pr_bindpset;
	int pr_lgrp;
	int pr_filler[4];
} lwpsinfo_t;

typedef struct psinfo {
	int pr_flag;
	int pr_nlwp;
	int pr_pid;
	int pr_ppid;
	int pr_pgid;
	int pr_sid;
	unsigned pr_uid;
	unsigned pr_euid;
	unsigned pr_gid;
	unsigned pr_egid;
	uintptr_t pr_addr;
	size_t pr_size; /* KiB */
	size_t pr_rssize; /* KiB */
	size_t pr_pad1;
	uint64_t pr_ttydev;
	unsigned short pr_pctcpu;
	unsigned short pr_pctmem;
	timestruc_t pr_start;
	timestruc_t pr_time;
	timestruc_t pr_ctime;
	char pr_fname[PRFNSZ];
	char pr_psargs[PRARGSZ];
	int pr_wstat; /* of a zombie */
	int pr_argc;
	uintptr_t pr_argv;
	uintptr_t pr_envp;
	char pr_dmodel;
	char pr_pad2[3];
	int pr_taskid;
	int pr_projid;
	int pr_nzomb;
	int pr_poolid;
	int pr_zoneid;
	int pr_contract;
	int pr_filler[1];
	lwpsinfo_t pr_lwp;
} psinfo_t;

typedef struct prmap {
	uintptr_t pr_vaddr;
	size_t pr_size;
	char pr_mapname[PRMAPSZ]; /* in object/ */
	int64_t pr_offset;
	int pr_mflags;
	int pr_pagesize;
	int pr_shmid;
	int pr_filler[1];
} prmap_t;

typedef struct prxmap {
	uintptr_t pr_vaddr;
	size_t pr_size;
	char pr_mapname[PRMAPSZ];
	int64_t pr_offset;
	int pr_mflags;
	int pr_pagesize;
	int pr_shmid;
	uint64_t pr_dev;
	uint64_t pr_ino;
	size_t pr_rss; /* pages */
	size_t pr_anon;
	size_t pr_locked;
	size_t pr_pad;
	uint64_t pr_hatpagesize;
	unsigned long pr_filler[7];
} prxmap_t;

/* pr_mflags */
#define MA_EXEC 0x01
#define MA_WRITE 0x02
#define MA_READ 0x04
#define MA_SHARED 0x08
#define MA_BREAK 0x10
#define MA_STACK 0x20
#define MA_ANON 0x40
#define MA_ISM 0x80
#define MA_NORESERVE 0x100
#define MA_SHM 0x200

typedef struct prcred {
	unsigned pr_euid;
	unsigned pr_ruid;
	unsigned pr_suid;
	unsigned pr_egid;
	unsigned pr_rgid;
	unsigned pr_sgid;
	int pr_ngroups;
	unsigned pr_groups[1];
} prcred_t;

typedef struct prpriv {
	uint32_t pr_nsets; /* effective, inheritable, permitted, limit */
	uint32_t pr_setsize;
	uint32_t pr_infosize;
	uint32_t pr_sets[1];
} prpriv_t;

typedef struct prwatch {
	uintptr_t pr_vaddr;
	size_t pr_size;
	int pr_wflags;
	int pr_pad;
} prwatch_t;

#define WA_EXEC 0x01
#define WA_WRITE 0x02
#define WA_READ 0x04
#define WA_TRAPAFTER 0x08

typedef struct priovec {
	void *pio_base;
	size_t pio_len;
	long pio_offset;
} priovec_t;

typedef struct prusage {
	int pr_lwpid;
	int pr_count;
	timestruc_t pr_tstamp;
	timestruc_t pr_create;
	timestruc_t pr_term;
	timestruc_t pr_rtime;
	timestruc_t pr_utime;
	timestruc_t pr_stime;
	timestruc_t pr_ttime;
	timestruc_t pr_tftime;
	timestruc_t pr_dftime;
	timestruc_t pr_kftime;
	timestruc_t pr_ltime;
	timestruc_t pr_slptime;
	timestruc_t pr_wtime;
	timestruc_t pr_stoptime;
	timestruc_t filltime[6];
	unsigned long pr_minf, pr_majf, pr_nswap; /* these twelve are not counted */
	unsigned long pr_inblk, pr_oublk, pr_msnd, pr_mrcv;
	unsigned long pr_sigs, pr_vctx, pr_ictx, pr_sysc, pr_ioch;
	unsigned long filler[10];
} prusage_t;

typedef struct prheader {
	long pr_nent;
	long pr_entsize;
} prheader_t;

/* what a fault is (sys/fault.h) */
#define FLTILL 1
#define FLTPRIV 2
#define FLTBPT 3
#define FLTTRACE 4
#define FLTACCESS 5
#define FLTBOUNDS 6
#define FLTIOVF 7
#define FLTIZDIV 8
#define FLTFPE 9
#define FLTSTACK 10
#define FLTPAGE 11
#define FLTWATCH 12

#endif
