/*
 * spawn.c - posix_spawn(3C) over vforkx(2): what the child is given, and what goes
 * wrong before it is another program.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ktap.h"

static char self[] = "/proc/self/path/a.out";

/* What the spawned program tells, by its status. */
static int child(int argc, char **argv)
{
	sigset_t mask;
	struct sigaction act;

	switch (argv[1][0]) {
	case 'a': /* arguments and environment */
		return argc == 4 && strcmp(argv[3], "two words") == 0 && getenv("SPAWNED") ? 1 : 2;
	case 'o': /* what was opened as 5 */
		return read(5, self, 4) == 4 && memcmp(self, "text", 4) == 0 ? 1 : 2;
	case 'c': /* what was closed */
		return fcntl(5, F_GETFD) == -1 && errno == EBADF ? 1 : 2;
	case 'd': /* a copy of the output */
		return write(7, "copied", 6) == 6 ? 1 : 2;
	case 'e': /* close-on-exec */
		return fcntl(atoi(argv[2]), F_GETFD) == -1 ? 1 : 2;
	case 'g':
		return getpgrp() == getpid() ? 1 : 2;
	case 's':
		return getsid(0) == getpid() ? 1 : 2;
	case 'm':
		sigprocmask(SIG_BLOCK, NULL, &mask);
		return sigismember(&mask, SIGUSR2) && !sigismember(&mask, SIGUSR1) ? 1 : 2;
	case 'i': /* dispositions */
		sigaction(SIGUSR1, NULL, &act);
		return act.sa_handler == SIG_DFL ? 1 : act.sa_handler == SIG_IGN ? 3 : 2;
	case 'w':
		return strcmp(getcwd(self, sizeof self), "/tmp") == 0 ? 1 : 2;
	default:
		return 9;
	}
}

static int result(pid_t pid)
{
	int status = -1;

	if (waitpid(pid, &status, 0) == -1)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* Spawn this program with a task; its status, or minus the error. */
static int run(const char *task, const char *arg, posix_spawn_file_actions_t *actions,
	       posix_spawnattr_t *attr)
{
	char *argv[] = {"spawn", (char *)task, (char *)arg, "two words", NULL};
	char *envp[] = {"SPAWNED=1", NULL};
	pid_t pid = -1;
	int error = posix_spawn(&pid, self, actions, attr, argv, envp);

	return error ? -error : result(pid);
}

static void files(void)
{
	posix_spawn_file_actions_t a;
	char name[] = "/tmp/spawnXXXXXX", arg[8];
	int fd = mkstemp(name), got[2], cloexec = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (write(fd, "text", 4) != 4 || pipe(got) == -1)
		return;
	posix_spawn_file_actions_init(&a);
	posix_spawn_file_actions_addopen(&a, 5, name, O_RDONLY, 0);
	KTAP_EQ(run("o", "-", &a, NULL), 1, "addopen opens a file as a descriptor",
		"posix_spawn_file_actions_addopen(3C)");
	posix_spawn_file_actions_addclose(&a, 5);
	KTAP_EQ(run("c", "-", &a, NULL), 1, "addclose closes it again, in order",
		"posix_spawn_file_actions_addclose(3C)");
	posix_spawn_file_actions_destroy(&a);
	posix_spawn_file_actions_init(&a);
	posix_spawn_file_actions_adddup2(&a, got[1], 7);
	KTAP_EQ(run("d", "-", &a, NULL), 1, "adddup2 gives a copy",
		"posix_spawn_file_actions_adddup2(3C)");
	char text[8] = "";

	KTAP(read(got[0], text, 6) == 6 && strcmp(text, "copied") == 0, "that works",
	     "posix_spawn_file_actions_adddup2(3C)");
	posix_spawn_file_actions_addchdir_np(&a, "/tmp");
	KTAP_EQ(run("w", "-", &a, NULL), 1, "addchdir_np moves the child",
		"posix_spawn_file_actions_addchdir_np(3C)");
	posix_spawn_file_actions_destroy(&a);
	KTAP(strcmp(getcwd(text, sizeof text), "/") == 0, "and only it",
	     "posix_spawn_file_actions_addchdir_np(3C)");
	snprintf(arg, sizeof arg, "%d", cloexec);
	KTAP_EQ(run("e", arg, NULL, NULL), 1, "close-on-exec holds", "posix_spawn(3C)");
	KTAP_EQ(fcntl(cloexec, F_GETFD), FD_CLOEXEC, "the parent has its descriptor",
		"posix_spawn(3C)");
	posix_spawn_file_actions_init(&a);
	posix_spawn_file_actions_addopen(&a, 5, "/no/such/file", O_RDONLY, 0);
	KTAP_EQ(run("o", "-", &a, NULL), -ENOENT, "an open that fails is the call's error",
		"posix_spawn(3C)");
	KTAP_EQ(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, 1,
		"and leaves no child behind", "posix_spawn(3C)");
	KTAP_EQ(posix_spawn_file_actions_addclose(&a, -1), EBADF, "a bad descriptor is told",
		"posix_spawn_file_actions_addclose(3C)");
	posix_spawn_file_actions_destroy(&a);
	unlink(name);
}

static volatile sig_atomic_t caught;

static void count(int sig)
{
	caught += sig == SIGUSR1;
}

static void signals(void)
{
	struct sigaction act = {.sa_handler = count}, now;
	posix_spawnattr_t attr;
	sigset_t set, mask;

	sigaction(SIGUSR1, &act, NULL);
	KTAP_EQ(run("i", "-", NULL, NULL), 1, "what was caught is default", "posix_spawn(3C)");
	sigaction(SIGUSR1, NULL, &now);
	KTAP(now.sa_handler == count, "the parent's handler is as it was", "vforkx(2)");
	raise(SIGUSR1);
	KTAP_EQ(caught, 1, "and runs", "vforkx(2)");
	act.sa_handler = SIG_IGN;
	sigaction(SIGUSR1, &act, NULL);
	KTAP_EQ(run("i", "-", NULL, NULL), 3, "what is ignored stays so", "posix_spawn(3C)");
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	posix_spawnattr_setsigdefault(&attr, &set);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	posix_spawnattr_setsigmask(&attr, &set);
	KTAP_EQ(run("i", "-", NULL, &attr), 1, "unless SETSIGDEF names it",
		"posix_spawnattr_setsigdefault(3C)");
	KTAP_EQ(run("m", "-", NULL, &attr), 1, "SETSIGMASK is the child's mask",
		"posix_spawnattr_setsigmask(3C)");
	sigprocmask(SIG_BLOCK, NULL, &mask);
	KTAP(!sigismember(&mask, SIGUSR2), "not the parent's", "posix_spawn(3C)");
}

static void groups(void)
{
	posix_spawnattr_t attr;
	char *argv[] = {"spawn", "g", "-", NULL};
	sigset_t chld;
	pid_t pid;

	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setpgroup(&attr, 0);
	KTAP_EQ(run("g", "-", NULL, &attr), 1, "SETPGROUP makes a group",
		"posix_spawnattr_setpgroup(3C)");
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID);
	KTAP_EQ(run("s", "-", NULL, &attr), 1, "SETSID a session", "posix_spawn(3C)");
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_WAITPID_NP | POSIX_SPAWN_NOSIGCHLD_NP);
	KTAP_EQ(posix_spawn(&pid, self, NULL, &attr, argv, environ), 0,
		"WAITPID_NP and NOSIGCHLD_NP are taken", "posix_spawnattr_setflags(3C)");
	KTAP(waitpid(-1, NULL, 0) == -1 && errno == ECHILD,
	     "a wait for any does not see the child", "FORK-85");
	KTAP_EQ(result(pid), 2, "a wait for its number does", "FORK-85");
	sigset_t pending;

	sigpending(&pending);
	KTAP(!sigismember(&pending, SIGCHLD), "and no SIGCHLD came", "FORK-84");
}

static void failures(void)
{
	char *argv[] = {"x", NULL};
	pid_t pid = 12345;
	posix_spawnattr_t attr;

	KTAP_EQ(posix_spawn(&pid, "/no/such/program", NULL, NULL, argv, environ), ENOENT,
		"no program: the call's error, not a status", "posix_spawn(3C)");
	KTAP_EQ(pid, 12345, "and no process id", "posix_spawn(3C)");
	KTAP_EQ(posix_spawn(&pid, "/tmp", NULL, NULL, argv, environ), EACCES, "a folder",
		"posix_spawn(3C)");
	KTAP_EQ(posix_spawnp(&pid, "nosuchprogram", NULL, NULL, argv, environ), ENOENT,
		"posix_spawnp looks through PATH", "posix_spawnp(3C)");
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_NOEXECERR_NP);
	KTAP_EQ(posix_spawn(&pid, "/no/such/program", NULL, &attr, argv, environ), 0,
		"NOEXECERR_NP: the child tells", "posix_spawnattr_setflags(3C)");
	KTAP_EQ(result(pid), 127, "by status 127", "posix_spawnattr_setflags(3C)");
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return child(argc, argv);
	ktap_start("spawn");
	KTAP_EQ(run("a", "-", NULL, NULL), 1, "arguments and environment arrive",
		"posix_spawn(3C)");
	files();
	signals();
	groups();
	failures();
	return ktap_end();
}
