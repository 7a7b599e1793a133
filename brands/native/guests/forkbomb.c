/*
 * forkbomb - every process forks until it cannot, and so do its children.  The limit of
 * the zone (max-lwps, max-processes) has to end it with EAGAIN; then the whole group is
 * killed and a normal fork must work again.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tiny.h"

static void bomb(int report)
{
	for (;;) {
		pid_t pid = fork();

		if (pid < 0) {
			int e = errno;

			write(report, &e, sizeof e);
			for (;;)
				msleep(1000000);
		}
	}
}

int main(void)
{
	int p[2], err = 0, status = -1;

	if (pipe(p) != 0)
		return 1;
	pid_t pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		bomb(p[1]);
	}
	setpgid(pid, pid);
	if (read(p[0], &err, sizeof err) != sizeof err)
		return 1;
	printf("forkbomb: ended by errno %d%s\n", err, err == EAGAIN ? " (EAGAIN)" : "");
	/* a fork that was under way when we looked makes one more member */
	do {
		kill(-pid, SIGKILL);
		msleep(10);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	} while (kill(-pid, 0) == 0);
	for (int i = 0; i < 100 && (pid = fork()) < 0; i++)
		msleep(10);
	if (pid == 0)
		_exit(5);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || WEXITSTATUS(status) != 5) {
		printf("forkbomb: no fork afterwards: errno %d\n", errno);
		return 1;
	}
	printf("forkbomb: contained, and fork works again\n");
	return err == EAGAIN ? 0 : 1;
}
