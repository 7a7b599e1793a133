/* Sessions and process groups. */
#include "portable.h"

static pid_t idle(int fd)
{
	pid_t pid = fork();

	if (pid == 0) {
		hear(fd);
		_exit(0);
	}
	return pid;
}

int main(void)
{
	int fds[2];

	if (pipe(fds) == -1)
		return 1;
	pid_t pid = fork();

	if (pid == 0) {
		pid_t group = getpgrp(), session = getsid(0);

		say("inherited: %d %d\n", group == getpgid(getppid()), session == getsid(getppid()));
		say("setsid: %d\n", setsid() == getpid());
		say("leader of both: %d %d\n", getpgrp() == getpid(), getsid(0) == getpid());
		say("again: %s\n", outcome(setsid()));
		say("setpgid of a session leader: %s\n", outcome(setpgid(0, 0)));
		pid_t a = idle(fds[0]), b = idle(fds[0]);

		say("a leads: %s", outcome(setpgid(a, a)));
		say(", b joins: %s", outcome(setpgid(b, a)));
		say(" %d\n", getpgid(b) == a);
		say("back: %s", outcome(setpgid(b, getpgrp())));
		say(" %d\n", getpgid(b) == getpgrp());
		say("into another session: %s\n", outcome(setpgid(a, group)));
		say("negative: %s\n", outcome(setpgid(a, -1)));
		say("no such child: %s\n", outcome(setpgid(999999, 0)));
		say("of the parent: %s\n", outcome(setpgid(getppid(), 0)));
		setpgid(b, a);
		say("signal to the group: %s\n", outcome(kill(-a, SIGTERM)));
		say_status("a", reap(a));
		say_status("b", reap(b));
		say("group is gone: %s\n", outcome(kill(-a, 0)));
		_exit(0);
	}
	say_status("session", reap(pid));
	say("ours is as it was: %d\n", getsid(0) != pid);
	/* A child that has called exec can't be moved: here it only has ended. */
	pid = idle(fds[0]);
	tell(fds[1], 'x');
	siginfo_t info;

	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	say("kill of a group with a zombie: %s\n", outcome(kill(pid, 0)));
	reap(pid);
	say("getsid of nobody: %s\n", outcome(getsid(999999)));
	return 0;
}
