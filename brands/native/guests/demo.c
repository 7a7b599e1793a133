/*
 * demo - fork, vfork, exec, pipe and wait, told as a story; then a family of
 * processes that sleeps for a while, so that it can be looked at from outside.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tiny.h"

static int x = 41;
static volatile int cell;

static void say_wait(const char *what, pid_t pid)
{
	int status = 0;

	if (waitpid(pid, &status, 0) != pid)
		printf("%s: wait: errno %d\n", what, errno);
	else if (WIFEXITED(status))
		printf("[%d] child %d exited with status %d\n", getpid(), pid,
		       WEXITSTATUS(status));
	else
		printf("[%d] child %d was ended by signal %d\n", getpid(), pid,
		       WTERMSIG(status));
}

static void show_fork(void)
{
	printf("-- fork: the child has a copy of everything\n");
	pid_t pid = fork();
	if (pid == 0) {
		x++;
		printf("[%d] fork gave me 0; my parent is %d; x is %d in my copy\n", getpid(),
		       getppid(), x);
		_exit(7);
	}
	printf("[%d] fork gave me %d\n", getpid(), pid);
	say_wait("fork", pid);
	printf("[%d] my x is still %d\n", getpid(), x);
}

static void show_vfork(void)
{
	printf("-- vfork: the child borrows my memory while I wait\n");
	pid_t pid = vfork();
	if (pid == 0) {
		cell = 42;
		_exit(0);
	}
	printf("[%d] child %d stored %d in my memory\n", getpid(), pid, cell);
	say_wait("vfork", pid);
}

static void show_exec(char *self)
{
	char *av[] = {self, "greet", "one", "two", NULL};

	printf("-- vfork and exec: the child becomes another program\n");
	pid_t pid = vfork();
	if (pid == 0) {
		execve(self, av, environ);
		_exit(127);
	}
	say_wait("exec", pid);
}

static void show_pipe(void)
{
	int p[2];
	char buf[64];

	printf("-- pipe: what one process writes another one reads\n");
	if (pipe(p) != 0)
		return;
	pid_t pid = fork();
	if (pid == 0) {
		close(p[0]);
		dprintf(p[1], "greetings from %d", getpid());
		_exit(0);
	}
	close(p[1]);
	ssize_t n = read(p[0], buf, sizeof buf - 1);
	buf[n > 0 ? n : 0] = 0;
	printf("[%d] read \"%s\", then %s\n", getpid(), buf,
	       read(p[0], buf, 1) == 0 ? "the end of the file" : "more");
	close(p[0]);
	say_wait("pipe", pid);
}

static void show_kill(void)
{
	printf("-- kill: a signal ends a child that would sleep for an hour\n");
	pid_t pid = fork();
	if (pid == 0) {
		msleep(3600 * 1000);
		_exit(0);
	}
	kill(pid, SIGTERM);
	say_wait("kill", pid);
}

/* Start argv and return; the family below is made of such members. */
static pid_t spawn(char *self, char *name, char *children)
{
	char *av[] = {self, name, children, NULL};
	pid_t pid = vfork();

	if (pid == 0) {
		execve(self, av, environ);
		_exit(127);
	}
	return pid;
}

/* A member of the family: start `children` more below, sleep, wait for them. */
static int member(char *self, const char *name, long children)
{
	static char child[16];

	for (long i = 0; i < children; i++) {
		snprintf(child, sizeof child, "%s.%ld", name, i + 1);
		spawn(self, child, "0");
	}
	msleep(2000);
	while (waitpid(-1, NULL, 0) > 0)
		;
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "greet") == 0) {
		printf("[%d] I am a new program with %d arguments and the same pid\n",
		       getpid(), argc - 2);
		return 3;
	}
	if (argc == 3)
		return member(argv[0], argv[1], atol(argv[2]));

	printf("[%d] this is the %s brand; my parent is %d\n", getpid(), BRAND_NAME,
	       getppid());
	show_fork();
	show_vfork();
	show_exec(argv[0]);
	show_pipe();
	show_kill();
	printf("-- a family: three children, two of them with children of their own\n");
	spawn(argv[0], "a", "2");
	spawn(argv[0], "b", "0");
	spawn(argv[0], "c", "1");
	msleep(1000);
	printf("[%d] the family is asleep\n", getpid());
	while (waitpid(-1, NULL, 0) > 0)
		;
	printf("[%d] all are back; goodbye\n", getpid());
	return 0;
}
