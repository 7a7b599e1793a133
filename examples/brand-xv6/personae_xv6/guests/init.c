/*
 * init.c - the first process: a console, one program, and the orphans of all.
 *
 * init PROGRAM [ARG...] runs PROGRAM until it ends, reaps what it inherits meanwhile,
 * and exits with PROGRAM's status.
 */
#include "user.h"

int main(int argc, char **argv)
{
	int pid, got, status, mine = -1, others = 0;

	if (open("console", O_RDWR) < 0) {
		mknod("console", CONSOLE, 0);
		if (open("console", O_RDWR) < 0)
			exit(111);
	}
	if (argc < 2)
		exit(112);
	pid = fork();
	if (pid == 0) {
		exec(argv[1], argv + 1);
		exit(127);
	}
	while ((got = wait(&status)) >= 0) {
		if (got == pid)
			mine = status;
		else
			others++;
	}
	puts("init: reaped ");
	putn(others);
	puts(" orphans\n");
	return mine;
}
