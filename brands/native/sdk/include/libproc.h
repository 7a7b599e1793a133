/*
 * libproc.h - other processes through /proc: a part of illumos' libproc.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _LIBPROC_H
#define _LIBPROC_H

#include <sys/procfs.h>
#include <sys/types.h>

/* Files of /proc/PID as a whole; 0, or -1 and errno. */
int proc_get_psinfo(pid_t pid, psinfo_t *info);
int proc_get_status(pid_t pid, pstatus_t *status);
/* Call fn for each process that is seen, by number, until it does not return 0. */
typedef int proc_walk_f(psinfo_t *info, void *arg);
int proc_walk(proc_walk_f *fn, void *arg);

/* A process that is held. */
struct ps_prochandle;
#define PGRAB_RETAIN 1 /* leave its tracing flags alone */
#define PGRAB_FORCE 2
#define PGRAB_RDONLY 4 /* only look: nothing is stopped */
#define PGRAB_NOSTOP 8
#define PRELEASE_CLEAR 0x10 /* clear tracing flags, let it run */
#define PRELEASE_RETAIN 0x20
#define PRELEASE_HANG 0x40 /* leave it stopped */
#define PRELEASE_KILL 0x80
struct ps_prochandle *Pgrab(pid_t pid, int flags, int *error);
void Prelease(struct ps_prochandle *p, int flags);
void Pfree(struct ps_prochandle *p);
pid_t Pgetpid(struct ps_prochandle *p);
const pstatus_t *Pstatus(struct ps_prochandle *p);
const psinfo_t *Ppsinfo(struct ps_prochandle *p);
int Pstop(struct ps_prochandle *p, unsigned milliseconds);
int Pwait(struct ps_prochandle *p, unsigned milliseconds);
int Psetrun(struct ps_prochandle *p, int signal, int flags);
ssize_t Pread(struct ps_prochandle *p, void *buf, size_t n, uintptr_t addr);
ssize_t Pwrite(struct ps_prochandle *p, const void *buf, size_t n, uintptr_t addr);
/* What was traced of system calls and signals before; all numbers are illumos'. */
int Psysentry(struct ps_prochandle *p, int number, int trace);
int Psysexit(struct ps_prochandle *p, int number, int trace);
int Psignal(struct ps_prochandle *p, int sig, int trace);

#endif
