/*
 * wait - children that end, stop and continue, as wait4(2) and waitid(2) tell it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "lib.h"

static struct waitinfo info;

static pid_t exits(int status)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(status);
	return pid;
}

static pid_t sleeps(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			msleep(3600000);
	return pid;
}

static void ends(void)
{
	int status = -1;
	pid_t pid = exits(0x1234);

	KTAP_EQ(waitpid(pid, &status, 0), pid, "wait4 answers the pid", "wait4(2)");
	KTAP_EQ(status, 0x3400, "the status has the low byte", "_exit(2)");
	pid = sleeps();
	kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	KTAP_EQ(status, SIGTERM, "the signal that ended it", "wait(2)");
	KTAP(fails(waitpid(-1, &status, 0), ECHILD), "no child: ECHILD", "wait(2)");
	KTAP(fails(waitpid(getppid(), &status, 0), ECHILD), "the parent is none", "wait(2)");
	KTAP(fails(waitpid(-1, &status, 0x100), EINVAL), "an unknown option: EINVAL", "wait(2)");
	pid = exits(1);
	KTAP(fails(syscall(SYS_wait4, pid, 8L, 0, 0), EFAULT), "a bad address: EFAULT", "wait4(2)");
	KTAP(fails(waitpid(pid, NULL, 0), ECHILD), "and the child is gone", "wait4(2)");
}

static void options(void)
{
	pid_t pid = sleeps();

	KTAP_EQ(waitpid(pid, NULL, WNOHANG), 0, "WNOHANG does not wait", "wait(2)");
	kill(pid, SIGKILL);
	KTAP_EQ(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0, "waitid with WNOWAIT", "waitid(2)");
	KTAP_EQ(info.code, CLD_KILLED, "si_code is CLD_KILLED", "waitid(2)");
	KTAP_EQ(info.status, SIGKILL, "si_status the signal", "waitid(2)");
	KTAP_EQ(info.signo, SIGCHLD, "si_signo SIGCHLD", "waitid(2)");
	KTAP_EQ(waitpid(pid, NULL, 0), pid, "it is still there to wait for", "waitid(2)");
	KTAP(fails(waitid(P_PID, pid, &info, WNOHANG), EINVAL),
	     "waitid without a kind of event: EINVAL", "waitid(2)");
	KTAP(fails(waitid(9, 0, &info, WEXITED), EINVAL), "nor an id type 9", "waitid(2)");
}

static void stops(void)
{
	int status = -1;
	pid_t pid = sleeps();

	kill(pid, SIGSTOP);
	KTAP_EQ(waitpid(pid, &status, WUNTRACED), pid, "WUNTRACED sees a stop", "wait(2)");
	KTAP(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP, "by SIGSTOP", "wait(2)");
	KTAP_EQ(waitpid(pid, &status, WUNTRACED | WNOHANG), 0, "once", "wait(2)");
	kill(pid, SIGCONT);
	KTAP_EQ(waitpid(pid, &status, WCONTINUED), pid, "WCONTINUED sees it go on", "wait(2)");
	KTAP_EQ(status, 0xffff, "with a status of its own", "wait(2)");
	kill(pid, SIGKILL);
	KTAP_EQ(exit_of(pid), -SIGKILL, "SIGKILL ends it", "signal(7)");
}

static void groups(void)
{
	pid_t other = sleeps();

	setpgid(other, other);
	pid_t mine = exits(0);
	KTAP_EQ(waitpid(0, NULL, 0), mine, "0 is the caller's group", "waitpid(2)");
	KTAP_EQ(waitpid(-other, NULL, WNOHANG), 0, "a negative number another", "waitpid(2)");
	kill(-other, SIGKILL);
	KTAP_EQ(waitpid(-other, NULL, 0), other, "whose end is seen", "waitpid(2)");
	signal(SIGCHLD, SIG_IGN);
	pid_t pid = exits(0);
	KTAP(fails(waitpid(pid, NULL, 0), ECHILD), "SIGCHLD ignored: no zombies", "wait(2)");
	sigaction(SIGCHLD, SIG_DFL, SA_NOCLDWAIT, 0);
	pid = exits(0);
	KTAP(fails(waitpid(pid, NULL, 0), ECHILD), "nor with SA_NOCLDWAIT", "sigaction(2)");
	signal(SIGCHLD, SIG_DFL);
}

int main(void)
{
	ktap_start("wait");
	ends();
	options();
	stops();
	groups();
	return ktap_end();
}
