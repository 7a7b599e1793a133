/*
 * command.c - running commands by the shell: system() and popen().
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libc.h"

static const char sh[] = "/bin/sh";

static pid_t start(const char *command, const posix_spawn_file_actions_t *actions,
		   const posix_spawnattr_t *attr)
{
	char *argv[] = {"sh", "-c", (char *)command, NULL};
	pid_t pid;
	int error = posix_spawn(&pid, sh, actions, attr, argv, environ);

	if (error) {
		errno = error;
		return -1;
	}
	return pid;
}

static int reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return -1;
	return status;
}

int system(const char *command)
{
	struct sigaction ign = {.sa_handler = SIG_IGN}, intr, quit;
	posix_spawnattr_t attr;
	sigset_t chld, mask;
	int status = 127 << 8;
	pid_t pid;

	if (!command)
		return access(sh, X_OK) == 0;
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, &mask);
	sigaction(SIGINT, &ign, &intr);
	sigaction(SIGQUIT, &ign, &quit);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attr, &mask);
	sigemptyset(&attr.sigdefault);
	if (intr.sa_handler != SIG_IGN)
		sigaddset(&attr.sigdefault, SIGINT);
	if (quit.sa_handler != SIG_IGN)
		sigaddset(&attr.sigdefault, SIGQUIT);
	pid = start(command, NULL, &attr);
	if (pid != -1)
		status = reap(pid);
	sigaction(SIGINT, &intr, NULL);
	sigaction(SIGQUIT, &quit, NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return status;
}

FILE *popen(const char *command, const char *mode)
{
	posix_spawn_file_actions_t actions;
	int fd[2], ours = *mode == 'r' ? 0 : 1;
	FILE *f;
	pid_t pid;

	if ((*mode != 'r' && *mode != 'w') || pipe2(fd, O_CLOEXEC) == -1) {
		if (*mode != 'r' && *mode != 'w')
			errno = EINVAL;
		return NULL;
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd[!ours], !ours);
	pid = start(command, &actions, NULL);
	posix_spawn_file_actions_destroy(&actions);
	close(fd[!ours]);
	f = pid == -1 ? NULL : fdopen(fd[ours], ours ? "we" : "re");
	if (f)
		f->pid = pid;
	else
		close(fd[ours]);
	return f;
}

int pclose(FILE *f)
{
	pid_t pid = f->pid;

	fclose(f);
	if (pid)
		return reap(pid);
	errno = ECHILD;
	return -1;
}
