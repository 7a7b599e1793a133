/*
 * paced - fork, wait, sleep; or, with an argument: "busy" does not sleep, "bomb" does not
 * wait either, and "spin" is a bomb whose processes compute once no fork succeeds.
 */
#include "tiny.h"

int main(int argc, char **argv)
{
	int busy = argc > 1 && !strcmp(argv[1], "busy");
	int bomb = argc > 1 && !strcmp(argv[1], "bomb");
	int spin = argc > 1 && !strcmp(argv[1], "spin");

	for (;;) {
		pid_t pid = fork();

		while (spin && pid < 0)
			__asm__ volatile("");
		if (bomb || spin)
			continue;
		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
		if (!busy)
			msleep(1);
	}
}
