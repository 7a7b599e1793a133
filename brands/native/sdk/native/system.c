/*
 * system.c - what the system is and allows.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/processor.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

/* names of sysconfig(), by the name of sysconf() */
static const struct {
	int sc, config;
} names[] = {
	{_SC_NGROUPS_MAX, 2}, {_SC_CHILD_MAX, 3}, {_SC_OPEN_MAX, 4},
	{_SC_VERSION, 5},     {_SC_PAGESIZE, 6},  {_SC_CLK_TCK, 7},
	{_SC_NPROCESSORS_CONF, 11}, {_SC_NPROCESSORS_ONLN, 12}, {_SC_PHYS_PAGES, 26},
};

long sysconf(int name)
{
	if (name == _SC_ARG_MAX)
		return ARG_MAX;
	if (name == _SC_JOB_CONTROL || name == _SC_MONOTONIC_CLOCK)
		return 1;
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].sc == name)
			return syscall(SYS_sysconfig, names[i].config);
	errno = EINVAL;
	return -1;
}

int getpagesize(void)
{
	return sysconf(_SC_PAGESIZE);
}

long pathconf(const char *path, int name)
{
	return syscall(SYS_pathconf, path, name);
}

long fpathconf(int fd, int name)
{
	return syscall(SYS_fpathconf, fd, name);
}

int uname(struct utsname *name)
{
	return syscall(SYS_uname, name);
}

int gethostname(char *buf, size_t n)
{
	struct utsname name;

	if (uname(&name) == -1)
		return -1;
	strncpy(buf, name.nodename, n);
	return 0;
}

int nice(int incr)
{
	return syscall(SYS_nice, incr);
}

int processor_bind(idtype_t type, id_t id, processorid_t cpu, processorid_t *old)
{
	return syscall(SYS_processor_bind, type, id, cpu, old);
}

int processor_info(processorid_t cpu, processor_info_t *info)
{
	return syscall(SYS_processor_info, cpu, info);
}

long priocntlset(procset_t *set, int cmd, void *arg)
{
	return syscall(SYS_priocntlsys, PC_VERSION, set, cmd, arg, 0);
}

long priocntl(idtype_t type, id_t id, int cmd, void *arg)
{
	procset_t set = {POP_AND, type, id, P_ALL, P_MYID};

	return priocntlset(&set, cmd, arg);
}
