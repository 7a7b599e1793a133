/* killer.c - kill, faults, sleep and uptime. */
#include "user.h"

static int child_that(void (*what)(void))
{
	int status = 0;

	if (fork() == 0) {
		what();
		exit(0);
	}
	wait(&status);
	return status;
}

static void null_read(void)
{
	*(volatile char *)0x3fffffff000;
}

static void text_write(void)
{
	*(volatile char *)0 = 1;
}

static void illegal(void)
{
	asm volatile(".word 0");
}

static void below_stack(void)
{
	char *sp;

	asm volatile("mv %0, sp" : "=r"(sp));
	*(volatile char *)(((uint64)sp & ~(PGSIZE - 1)) - 8) = 1;
}

int main(void)
{
	int pid, status, fds[2], t;
	char c;

	cite("kernel/proc.c, kernel/trap.c");
	pid = fork();
	if (pid == 0)
		for (;;)
			;
	check_eq(kill(pid), 0, "kill of one that runs");
	check_eq(wait(&status), pid, "it ends");
	check_eq(status, -1, "with status -1");
	pipe(fds);
	pid = fork();
	if (pid == 0) {
		read(fds[0], &c, 1);
		exit(1);
	}
	sleep(1);
	check_eq(kill(pid), 0, "kill of one that waits in read");
	wait(&status);
	check_eq(status, -1, "it ends in there");
	pid = fork();
	if (pid == 0)
		exit(9);
	sleep(1);
	check_eq(kill(pid), 0, "kill of a zombie succeeds");
	wait(&status);
	check_eq(status, 9, "and changes nothing");
	check_eq(kill(pid), -1, "kill of one that is gone");
	check_eq(kill(-1), -1, "kill of nobody");
	pid = fork();
	if (pid == 0) {
		kill(getpid());
		exit(4);
	}
	wait(&status);
	check_eq(status, -1, "kill of oneself does not return");
	check_eq(child_that(null_read), -1, "a load from nowhere ends it");
	check_eq(child_that(text_write), -1, "a store into the text ends it");
	check_eq(child_that(illegal), -1, "an illegal instruction ends it");
	check_eq(child_that(below_stack), -1, "the page below the stack is a guard");
	t = uptime();
	check_eq(sleep(3), 0, "sleep returns 0");
	check_eq(uptime() - t, 3, "after as many ticks");
	check_eq(sleep(0), 0, "sleep(0) is over at once");
	return done();
}
