/* Waiting for the children of a process group. */
#include "portable.h"

static pid_t start(pid_t group, int code)
{
	pid_t pid = fork();

	if (pid == 0) {
		setpgid(0, group);
		_exit(code);
	}
	setpgid(pid, group);
	return pid;
}

int main(void)
{
	int fds[2], status, sum = 0;

	if (pipe(fds) == -1)
		return 1;
	/* A leader that lives on keeps its group. */
	pid_t leader = fork();

	if (leader == 0) {
		setpgid(0, 0);
		hear(fds[0]);
		_exit(9);
	}
	setpgid(leader, leader);
	pid_t own = start(getpgrp(), 20);

	for (int i = 1; i <= 4; i++)
		start(leader, i);
	for (int i = 1; i <= 4; i++) {
		pid_t pid = waitpid(-leader, &status, 0);

		say("one of the group: %d\n", pid > 0 && pid != own && pid != leader);
		sum += WEXITSTATUS(status);
	}
	say("sum %d\n", sum);
	say("leader runs: %d\n", waitpid(-leader, &status, WNOHANG));
	say("own group: %d\n", waitpid(0, &status, 0) == own);
	say_status("own", status);
	tell(fds[1], 'x');
	say("leader: %d\n", waitpid(-leader, &status, 0) == leader);
	say_status("leader", status);
	say("empty group: %s\n", outcome(waitpid(-leader, &status, 0)));
	say("getpgid of a child that is gone: %s\n", outcome(getpgid(leader)));
	pid_t pid = fork();

	if (pid == 0)
		_exit(getpgrp() == getpgid(0) && getpgid(getppid()) == getpgrp() ? 0 : 1);
	say_status("same group as the parent", reap(pid));
	return 0;
}
