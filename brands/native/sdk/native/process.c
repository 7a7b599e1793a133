/*
 * process.c - system calls about the process: ids, groups, waiting, limits.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/task.h>
#include <sys/wait.h>
#include <unistd.h>

void _exit(int status)
{
	for (;;)
		syscall(SYS_exit, status);
}

static long second(long number)
{
	long value = -1;

	syscall_rval2(number, 0, &value);
	return value;
}

pid_t getpid(void)
{
	return syscall(SYS_getpid);
}

pid_t getppid(void)
{
	return second(SYS_getpid);
}

uid_t getuid(void)
{
	return syscall(SYS_getuid);
}

uid_t geteuid(void)
{
	return second(SYS_getuid);
}

gid_t getgid(void)
{
	return syscall(SYS_getgid);
}

gid_t getegid(void)
{
	return second(SYS_getgid);
}

int setuid(uid_t uid)
{
	return syscall(SYS_setuid, uid);
}

int seteuid(uid_t uid)
{
	return syscall(SYS_seteuid, uid);
}

int setreuid(uid_t uid, uid_t euid)
{
	return syscall(SYS_setreuid, uid, euid);
}

int setgid(gid_t gid)
{
	return syscall(SYS_setgid, gid);
}

int setegid(gid_t gid)
{
	return syscall(SYS_setegid, gid);
}

int setregid(gid_t gid, gid_t egid)
{
	return syscall(SYS_setregid, gid, egid);
}

int getgroups(int n, gid_t groups[])
{
	return syscall(SYS_getgroups, n, groups);
}

int setgroups(int n, const gid_t groups[])
{
	return syscall(SYS_setgroups, n, groups);
}

/* ---- groups of processes: subcodes of pgrpsys ---- */

pid_t getpgrp(void)
{
	return syscall(SYS_pgrpsys, 0);
}

pid_t setpgrp(void)
{
	return syscall(SYS_pgrpsys, 1);
}

pid_t getsid(pid_t pid)
{
	return syscall(SYS_pgrpsys, 2, pid);
}

pid_t setsid(void)
{
	return syscall(SYS_pgrpsys, 3);
}

pid_t getpgid(pid_t pid)
{
	return syscall(SYS_pgrpsys, 4, pid);
}

int setpgid(pid_t pid, pid_t pgid)
{
	return syscall(SYS_pgrpsys, 5, pid, pgid);
}

/* ---- waiting ---- */

int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	return syscall(SYS_waitid, type, id, info, options);
}

static int status_of(const siginfo_t *info)
{
	switch (info->si_code) {
	case CLD_EXITED:
		return (info->si_status & 0xff) << 8;
	case CLD_KILLED:
		return info->si_status & 0x7f;
	case CLD_DUMPED:
		return (info->si_status & 0x7f) | WCOREFLG;
	case CLD_CONTINUED:
		return WCONTFLG;
	default:
		return (info->si_status & 0xff) << 8 | WSTOPFLG;
	}
}

pid_t waitpid(pid_t pid, int *status, int options)
{
	siginfo_t info;
	idtype_t type = pid > 0 ? P_PID : pid == -1 ? P_ALL : P_PGID;
	id_t id = pid > 0 ? pid : pid == -1 ? 0 : pid == 0 ? getpgrp() : -pid;

	if (options & ~(WNOHANG | WUNTRACED | WCONTINUED | WNOWAIT)) {
		errno = EINVAL;
		return -1;
	}
	if (waitid(type, id, &info, options | WEXITED | WTRAPPED) == -1)
		return -1;
	if (info.si_pid && status)
		*status = status_of(&info);
	return info.si_pid;
}

pid_t wait(int *status)
{
	return waitpid(-1, status, 0);
}

/* ---- limits, tasks ---- */

int getrlimit(int resource, struct rlimit *rl)
{
	return syscall(SYS_getrlimit, resource, rl);
}

int setrlimit(int resource, const struct rlimit *rl)
{
	return syscall(SYS_setrlimit, resource, rl);
}

taskid_t settaskid(projid_t project, unsigned flags)
{
	return syscall(SYS_tasksys, 0, project, flags);
}

taskid_t gettaskid(void)
{
	return syscall(SYS_tasksys, 1);
}

projid_t getprojid(void)
{
	return syscall(SYS_tasksys, 2);
}
