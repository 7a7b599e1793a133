/*
 * spawn.c - posix_spawn over vforkx: the child borrows the parent's memory until it
 * is another program, and tells through it what went wrong.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fork.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libc.h"

enum kind { OPEN, CLOSE, DUP2, CHDIR };

struct __spawn_action {
	struct __spawn_action *next;
	enum kind kind;
	int fd, to, flags;
	mode_t mode;
	char path[];
};

struct job {
	const char *file;
	char *const *argv;
	char *const *envp;
};

static int act(const struct __spawn_action *a)
{
	int fd;

	switch (a->kind) {
	case OPEN:
		fd = open(a->path, a->flags, a->mode);
		if (fd == -1)
			return -1;
		if (fd == a->fd)
			return 0;
		if (dup2(fd, a->fd) == -1)
			return -1;
		return close(fd);
	case CLOSE:
		close(a->fd); /* one that is closed already is no error */
		return 0;
	case DUP2:
		if (a->fd == a->to)
			return fcntl(a->fd, F_SETFD, 0);
		return dup2(a->fd, a->to);
	default:
		return chdir(a->path);
	}
}

static int set_signals(const posix_spawnattr_t *attr)
{
	struct sigaction dfl = {.sa_handler = SIG_DFL}, now;

	for (int sig = 1; sig < NSIG; sig++) {
		if (sig == SIGKILL || sig == SIGSTOP || sigaction(sig, NULL, &now) == -1)
			continue;
		/* A handler must not run in memory that is the parent's. */
		int caught = now.sa_handler != SIG_DFL && now.sa_handler != SIG_IGN;
		int asked = attr && attr->flags & POSIX_SPAWN_SETSIGDEF &&
			    sigismember(&attr->sigdefault, sig);

		if ((caught || asked) && sigaction(sig, &dfl, NULL) == -1)
			return -1;
	}
	return 0;
}

static int prepare(const posix_spawn_file_actions_t *actions,
		   const posix_spawnattr_t *attr, const sigset_t *mask)
{
	int flags = attr ? attr->flags : 0;

	if (flags & POSIX_SPAWN_SETSID && setsid() == -1)
		return -1;
	if (flags & POSIX_SPAWN_SETPGROUP && setpgid(0, attr->pgroup) == -1)
		return -1;
	if (flags & POSIX_SPAWN_RESETIDS && (setgid(getgid()) == -1 || setuid(getuid()) == -1))
		return -1;
	for (const struct __spawn_action *a = actions ? actions->first : NULL; a; a = a->next)
		if (act(a) == -1)
			return -1;
	if (set_signals(attr) == -1)
		return -1;
	return sigprocmask(SIG_SETMASK,
			   flags & POSIX_SPAWN_SETSIGMASK ? &attr->sigmask : mask, NULL);
}

static int try_exec(const char *path, void *arg)
{
	struct job *job = arg;

	execve(path, job->argv, job->envp);
	if (errno == ENOEXEC) {
		char *sh[] = {"sh", (char *)path, NULL};

		execve("/bin/sh", sh, job->envp);
	}
	return -1;
}

static int fork_flags(const posix_spawnattr_t *attr)
{
	int flags = attr ? attr->flags : 0;

	return (flags & POSIX_SPAWN_NOSIGCHLD_NP ? FORK_NOSIGCHLD : 0) |
	       (flags & POSIX_SPAWN_WAITPID_NP ? FORK_WAITPID : 0);
}

/*
 * All signals are held meanwhile, so the child starts no handler; dispositions and
 * mask are its own, only memory is shared.
 */
static int spawn(pid_t *pid, struct job *job, const posix_spawn_file_actions_t *actions,
		 const posix_spawnattr_t *attr, int search)
{
	volatile int error = 0;
	void *handlers[NSIG];
	sigset_t all, mask;
	int saved = errno;
	pid_t child;
	extern void *__siguhandler[NSIG];

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask);
	memcpy(handlers, __siguhandler, sizeof handlers);
	child = vforkx(fork_flags(attr));
	if (child == 0) {
		if (prepare(actions, attr, &mask) == 0) {
			if (search)
				__exec_path(job->file, try_exec, job);
			else
				execve(job->file, job->argv, job->envp);
		}
		error = errno;
		_exit(127);
	}
	if (child == -1)
		error = errno;
	memcpy(__siguhandler, handlers, sizeof handlers);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	if (child != -1 && error && !(attr && attr->flags & POSIX_SPAWN_NOEXECERR_NP)) {
		waitpid(child, NULL, 0);
		child = -1;
	}
	errno = saved;
	if (child == -1)
		return error;
	if (pid)
		*pid = child;
	return 0;
}

int posix_spawn(pid_t *restrict pid, const char *restrict path,
		const posix_spawn_file_actions_t *actions,
		const posix_spawnattr_t *restrict attr, char *const argv[restrict],
		char *const envp[restrict])
{
	struct job job = {path, argv, envp};

	return spawn(pid, &job, actions, attr, 0);
}

int posix_spawnp(pid_t *restrict pid, const char *restrict file,
		 const posix_spawn_file_actions_t *actions,
		 const posix_spawnattr_t *restrict attr, char *const argv[restrict],
		 char *const envp[restrict])
{
	struct job job = {file, argv, envp};

	return spawn(pid, &job, actions, attr, 1);
}

/* ---- what is to be done with files ---- */

static int add(posix_spawn_file_actions_t *a, struct __spawn_action what,
	       const char *path)
{
	size_t n = path ? strlen(path) + 1 : 0;
	struct __spawn_action *new;

	if (what.fd < 0 || what.to < 0)
		return EBADF;
	new = malloc(sizeof *new + n);
	if (!new)
		return ENOMEM;
	*new = what;
	memcpy(new->path, path ? path : "", n);
	if (a->last)
		a->last->next = new;
	else
		a->first = new;
	a->last = new;
	return 0;
}

int posix_spawn_file_actions_init(posix_spawn_file_actions_t *a)
{
	a->first = a->last = NULL;
	return 0;
}

int posix_spawn_file_actions_destroy(posix_spawn_file_actions_t *a)
{
	while (a->first) {
		struct __spawn_action *next = a->first->next;

		free(a->first);
		a->first = next;
	}
	a->last = NULL;
	return 0;
}

int posix_spawn_file_actions_addopen(posix_spawn_file_actions_t *restrict a, int fd,
				     const char *restrict path, int flags, mode_t mode)
{
	return add(a, (struct __spawn_action){NULL, OPEN, fd, 0, flags, mode}, path);
}

int posix_spawn_file_actions_addclose(posix_spawn_file_actions_t *a, int fd)
{
	return add(a, (struct __spawn_action){NULL, CLOSE, fd, 0, 0, 0}, NULL);
}

int posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t *a, int fd, int to)
{
	return add(a, (struct __spawn_action){NULL, DUP2, fd, to, 0, 0}, NULL);
}

int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *restrict a,
					 const char *restrict path)
{
	return add(a, (struct __spawn_action){NULL, CHDIR, 0, 0, 0, 0}, path);
}

/* ---- attributes ---- */

int posix_spawnattr_init(posix_spawnattr_t *a)
{
	memset(a, 0, sizeof *a);
	return 0;
}

int posix_spawnattr_destroy(posix_spawnattr_t *a)
{
	a->flags = 0;
	return 0;
}

int posix_spawnattr_setflags(posix_spawnattr_t *a, short flags)
{
	a->flags = flags;
	return 0;
}

int posix_spawnattr_getflags(const posix_spawnattr_t *restrict a, short *restrict flags)
{
	*flags = a->flags;
	return 0;
}

int posix_spawnattr_setpgroup(posix_spawnattr_t *a, pid_t pgroup)
{
	a->pgroup = pgroup;
	return 0;
}

int posix_spawnattr_setsigdefault(posix_spawnattr_t *restrict a,
				  const sigset_t *restrict set)
{
	a->sigdefault = *set;
	return 0;
}

int posix_spawnattr_setsigmask(posix_spawnattr_t *restrict a,
			       const sigset_t *restrict set)
{
	a->sigmask = *set;
	return 0;
}
