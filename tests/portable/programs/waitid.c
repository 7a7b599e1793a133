/* waitid: what happened, told in detail, and left for another wait. */
#include "portable.h"

static const char *code_name(int code)
{
	return code == CLD_EXITED      ? "CLD_EXITED"
	       : code == CLD_KILLED    ? "CLD_KILLED"
	       : code == CLD_DUMPED    ? "CLD_DUMPED"
	       : code == CLD_STOPPED   ? "CLD_STOPPED"
	       : code == CLD_CONTINUED ? "CLD_CONTINUED"
				       : "another code";
}

static void show(const char *what, pid_t pid, const siginfo_t *info)
{
	int is_signal = info->si_code != CLD_EXITED;

	say("%s: %s, its pid %d, SIGCHLD %d, ", what, code_name(info->si_code),
	    info->si_pid == pid, info->si_signo == SIGCHLD);
	if (is_signal)
		say("status %s\n", signal_name(info->si_status));
	else
		say("status %d\n", info->si_status);
}

static pid_t start(int how)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (how < 0)
			raise(-how);
		_exit(how < 0 ? 0 : how);
	}
	return pid;
}

int main(void)
{
	siginfo_t info;
	pid_t pid;

	say("none: %s\n", outcome(waitid(P_ALL, 0, &info, WEXITED)));
	pid = start(33);
	say("left: %s\n", outcome(waitid(P_PID, pid, &info, WEXITED | WNOWAIT)));
	show("left", pid, &info);
	say("again: %s\n", outcome(waitid(P_PID, pid, &info, WEXITED)));
	show("again", pid, &info);
	say("gone: %s\n", outcome(waitid(P_PID, pid, &info, WEXITED)));
	pid = start(-SIGKILL);
	waitid(P_ALL, 0, &info, WEXITED);
	show("killed", pid, &info);
	pid = start(-SIGSTOP);
	waitid(P_PID, pid, &info, WSTOPPED);
	show("stopped", pid, &info);
	info.si_pid = 77;
	say("nothing: %s", outcome(waitid(P_PID, pid, &info, WEXITED | WNOHANG)));
	say(", pid %d\n", info.si_pid);
	kill(pid, SIGCONT);
	waitid(P_PID, pid, &info, WCONTINUED);
	show("continued", pid, &info);
	waitid(P_PID, pid, &info, WEXITED);
	show("exited", pid, &info);
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		_exit(4);
	}
	setpgid(pid, pid);
	say("group: %s\n", outcome(waitid(P_PGID, pid, &info, WEXITED)));
	show("group", pid, &info);
	say("no options: %s\n", outcome(waitid(P_ALL, 0, &info, 0)));
	return 0;
}
