/*
 * proc.c - other processes through /proc.
 *
 * SPDX-License-Identifier: MIT
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libproc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

struct ps_prochandle {
	pid_t pid;
	int ctl, as; /* -1: only to look at */
	pstatus_t status;
	psinfo_t info;
};

static int open_file(pid_t pid, const char *name, int flags)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	return open(path, flags | O_CLOEXEC);
}

static int read_file(pid_t pid, const char *name, void *buf, size_t size)
{
	int fd = open_file(pid, name, O_RDONLY);
	ssize_t n;

	if (fd == -1)
		return -1;
	n = read(fd, buf, size);
	close(fd);
	if (n == (ssize_t)size)
		return 0;
	if (n >= 0)
		errno = EIO;
	return -1;
}

int proc_get_psinfo(pid_t pid, psinfo_t *info)
{
	return read_file(pid, "psinfo", info, sizeof *info);
}

int proc_get_status(pid_t pid, pstatus_t *status)
{
	return read_file(pid, "status", status, sizeof *status);
}

static int by_number(const void *a, const void *b)
{
	return *(const pid_t *)a - *(const pid_t *)b;
}

int proc_walk(proc_walk_f *fn, void *arg)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	pid_t *pids = NULL;
	size_t n = 0;
	psinfo_t info;
	int r = 0;

	if (!d)
		return -1;
	while ((e = readdir(d))) {
		char *end;
		long pid = strtol(e->d_name, &end, 10);
		pid_t *more;

		if (*end || end == e->d_name)
			continue;
		more = realloc(pids, (n + 1) * sizeof *pids);
		if (!more)
			break;
		pids = more;
		pids[n++] = pid;
	}
	closedir(d);
	if (n)
		qsort(pids, n, sizeof *pids, by_number);
	for (size_t i = 0; i < n && r == 0; i++)
		if (proc_get_psinfo(pids[i], &info) == 0)
			r = fn(&info, arg);
	free(pids);
	return r;
}

/* ---- holding one ---- */

static int refresh(struct ps_prochandle *p)
{
	if (proc_get_psinfo(p->pid, &p->info) == -1)
		return -1;
	return p->info.pr_nlwp ? proc_get_status(p->pid, &p->status) : 0;
}

struct ps_prochandle *Pgrab(pid_t pid, int flags, int *error)
{
	struct ps_prochandle *p = calloc(1, sizeof *p);

	if (p) {
		int look = flags & PGRAB_RDONLY;

		p->pid = pid;
		p->ctl = look ? -1 : open_file(pid, "ctl", O_WRONLY);
		p->as = open_file(pid, "as", look ? O_RDONLY : O_RDWR);
		if ((look || p->ctl != -1) && refresh(p) == 0 &&
		    (look || flags & PGRAB_NOSTOP || Pstop(p, 0) == 0))
			return p;
	}
	*error = p ? errno : ENOMEM;
	if (p)
		Pfree(p);
	return NULL;
}

void Pfree(struct ps_prochandle *p)
{
	if (p->ctl != -1)
		close(p->ctl);
	if (p->as != -1)
		close(p->as);
	free(p);
}

/* One message to the ctl file. */
static int control(struct ps_prochandle *p, long code, const void *operand, size_t size)
{
	struct iovec iov[] = {{&code, sizeof code}, {(void *)operand, size}};

	if (p->ctl == -1) {
		errno = EBADF;
		return -1;
	}
	return writev(p->ctl, iov, size ? 2 : 1) == -1 ? -1 : 0;
}

static int number(struct ps_prochandle *p, long code, long operand)
{
	return control(p, code, &operand, sizeof operand);
}

void Prelease(struct ps_prochandle *p, int flags)
{
	sysset_t calls;
	fltset_t faults;
	pr_sigset_t signals;

	if (flags & PRELEASE_KILL)
		number(p, PCKILL, 9);
	if (!(flags & PRELEASE_RETAIN)) {
		premptyset(&calls);
		premptyset(&faults);
		premptyset(&signals);
		control(p, PCSENTRY, &calls, sizeof calls);
		control(p, PCSEXIT, &calls, sizeof calls);
		control(p, PCSFAULT, &faults, sizeof faults);
		control(p, PCSTRACE, &signals, sizeof signals);
	}
	if (!(flags & PRELEASE_HANG))
		number(p, PCRUN, 0);
	Pfree(p);
}

pid_t Pgetpid(struct ps_prochandle *p)
{
	return p->pid;
}

const pstatus_t *Pstatus(struct ps_prochandle *p)
{
	return refresh(p) == 0 ? &p->status : NULL;
}

const psinfo_t *Ppsinfo(struct ps_prochandle *p)
{
	return refresh(p) == 0 ? &p->info : NULL;
}

/* Direct it to stop and wait for that; 0 milliseconds: for ever. */
int Pstop(struct ps_prochandle *p, unsigned milliseconds)
{
	int r = control(p, milliseconds ? PCDSTOP : PCSTOP, NULL, 0);

	if (milliseconds && r == 0)
		return Pwait(p, milliseconds);
	return r == 0 ? refresh(p) : r;
}

int Pwait(struct ps_prochandle *p, unsigned milliseconds)
{
	int r = milliseconds ? number(p, PCTWSTOP, milliseconds) : control(p, PCWSTOP, NULL, 0);

	return r == 0 ? refresh(p) : r;
}

int Psetrun(struct ps_prochandle *p, int signal, int flags)
{
	if (signal && number(p, PCKILL, signal) == -1)
		return -1;
	return number(p, PCRUN, flags | (signal ? 0 : PRCSIG));
}

ssize_t Pread(struct ps_prochandle *p, void *buf, size_t n, uintptr_t addr)
{
	return pread(p->as, buf, n, addr);
}

ssize_t Pwrite(struct ps_prochandle *p, const void *buf, size_t n, uintptr_t addr)
{
	return pwrite(p->as, buf, n, addr);
}

/* ---- tracing: change one member of a set; the answer is whether it was in ---- */

static int change(struct ps_prochandle *p, long code, void *set, size_t size, int n, int on)
{
	int was = prismember(set, n) != 0;

	if (on)
		praddset(set, n);
	else
		prdelset(set, n);
	return control(p, code, set, size) == -1 ? -1 : was;
}

int Psysentry(struct ps_prochandle *p, int n, int trace)
{
	if (refresh(p) == -1)
		return -1;
	return change(p, PCSENTRY, &p->status.pr_sysentry, sizeof(sysset_t), n, trace);
}

int Psysexit(struct ps_prochandle *p, int n, int trace)
{
	if (refresh(p) == -1)
		return -1;
	return change(p, PCSEXIT, &p->status.pr_sysexit, sizeof(sysset_t), n, trace);
}

int Psignal(struct ps_prochandle *p, int sig, int trace)
{
	if (refresh(p) == -1)
		return -1;
	return change(p, PCSTRACE, &p->status.pr_sigtrace, sizeof(pr_sigset_t), sig, trace);
}
