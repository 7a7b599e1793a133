/*
 * wait - children that end, stop and continue, as waitid(2) and waitpid(3C) tell it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "ktap.h"

static struct waitinfo info;

static pid_t child_exits(int status)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(status);
	return pid;
}

static pid_t child_sleeps(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			msleep(3600000);
	return pid;
}

static int fails_with(int r, int want)
{
	return r == -1 && errno == want;
}

static void endings(void)
{
	int status = -1;
	pid_t pid = child_exits(7);

	KTAP_EQ(waitid(P_PID, pid, &info, WEXITED), 0, "waitid of a child", "waitid(2)");
	KTAP_EQ(info.pid, pid, "si_pid is the child's", "waitid(2)");
	KTAP_EQ(info.signo, SIGCHLD, "si_signo is SIGCLD", "siginfo.h(3HEAD)");
	KTAP_EQ(info.code, CLD_EXITED, "si_code is CLD_EXITED", "siginfo.h(3HEAD)");
	KTAP_EQ(info.status, 7, "si_status is what it exited with", "siginfo.h(3HEAD)");
	pid = child_exits(0x1234567);
	waitid(P_PID, pid, &info, WEXITED);
	KTAP_EQ(info.status, 0x1234567, "si_status has all of the status", "exit(2)");
	pid = child_exits(0x1234567);
	KTAP_EQ(waitpid(pid, &status, 0), pid, "waitpid gives the pid", "waitpid(3C)");
	KTAP(WIFEXITED(status), "WIFEXITED of an exit", "wait.h(3HEAD)");
	KTAP_EQ(WEXITSTATUS(status), 0x67, "WEXITSTATUS is the low byte", "wait.h(3HEAD)");
	pid = child_sleeps();
	kill(pid, SIGTERM);
	waitid(P_PID, pid, &info, WEXITED);
	KTAP_EQ(info.code, CLD_KILLED, "a signal's end is CLD_KILLED", "siginfo.h(3HEAD)");
	KTAP_EQ(info.status, SIGTERM, "with the signal as status", "siginfo.h(3HEAD)");
	pid = child_sleeps();
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	KTAP(WIFSIGNALED(status), "WIFSIGNALED of a killed one", "wait.h(3HEAD)");
	KTAP_EQ(WTERMSIG(status), SIGKILL, "WTERMSIG is SIGKILL", "wait.h(3HEAD)");
}

static void options(void)
{
	pid_t pid = child_sleeps();

	memset(&info, 0x55, sizeof info);
	KTAP_EQ(waitid(P_PID, pid, &info, WEXITED | WNOHANG), 0,
		"WNOHANG with a live child does not fail", "waitid(2)");
	KTAP_EQ(info.pid, 0, "and its siginfo is zero", "FORK-87");
	KTAP_EQ(info.signo, 0, "signal and all", "FORK-87");
	kill(pid, SIGKILL);
	KTAP_EQ(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0, "WNOWAIT", "waitid(2)");
	KTAP_EQ(info.pid, pid, "tells of the child", "waitid(2)");
	KTAP_EQ(kill(pid, 0), 0, "which stays, as a zombie", "FORK-87");
	info.pid = 0;
	KTAP_EQ(waitid(P_ALL, 0, &info, WEXITED), 0, "and is waited for", "FORK-87");
	KTAP_EQ(info.pid, pid, "once more", "FORK-87");
	KTAP(fails_with(kill(pid, 0), ESRCH), "then nobody has its pid", "kill(2)");
	KTAP(fails_with(waitid(P_ALL, 0, &info, 0), EINVAL), "no option is EINVAL",
	     "waitid(2)");
	KTAP(fails_with(waitid(P_ALL, 0, &info, WEXITED | 0x8000), EINVAL),
	     "nor is there an option 0x8000", "waitid(2)");
	KTAP(fails_with(waitid(99, 0, &info, WEXITED), EINVAL), "nor an id type 99",
	     "waitid(2)");
	KTAP(fails_with(waitid(P_ALL, 0, &info, WEXITED), ECHILD),
	     "without a child it is ECHILD", "waitid(2)");
	KTAP(fails_with(waitid(P_PID, getppid(), &info, WEXITED), ECHILD),
	     "the parent is no child", "waitid(2)");
	pid = child_exits(0);
	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	KTAP_EQ(syscall(SYS_waitid, P_PID, pid, 8L, WEXITED) == -1 ? errno : 0, EFAULT,
		"siginfo at a bad address is EFAULT", "waitid(2)");
	waitpid(pid, NULL, 0);
}

static void stops(void)
{
	pid_t pid = child_sleeps();

	kill(pid, SIGSTOP);
	KTAP_EQ(waitid(P_PID, pid, &info, WUNTRACED), 0, "WSTOPPED", "waitid(2)");
	KTAP_EQ(info.code, 5, "si_code is CLD_STOPPED", "siginfo.h(3HEAD)");
	KTAP_EQ(info.status, SIGSTOP, "by SIGSTOP", "siginfo.h(3HEAD)");
	KTAP_EQ(waitpid(pid, NULL, WNOHANG | WUNTRACED), 0, "a stop is told once",
		"waitid(2)");
	kill(pid, SIGCONT);
	KTAP_EQ(waitid(P_PID, pid, &info, WCONTINUED), 0, "WCONTINUED", "waitid(2)");
	KTAP_EQ(info.code, 6, "si_code is CLD_CONTINUED", "siginfo.h(3HEAD)");
	KTAP_EQ(info.status, SIGCONT, "by SIGCONT", "siginfo.h(3HEAD)");
	KTAP_EQ(waitpid(pid, NULL, WNOHANG | WCONTINUED), 0, "also told once",
		"waitid(2)");
	kill(pid, SIGSTOP);
	waitid(P_PID, pid, &info, WUNTRACED | WNOWAIT);
	kill(pid, SIGKILL);
	KTAP_EQ(waitid(P_PID, pid, &info, WEXITED), 0, "SIGKILL ends a stopped one",
		"signal.h(3HEAD)");
	KTAP_EQ(info.status, SIGKILL, "at once", "signal.h(3HEAD)");
}

static void groups(void)
{
	pid_t other = child_sleeps(), mine;

	setpgid(other, 0);
	mine = child_exits(1);
	KTAP_EQ(waitpid(0, NULL, 0), mine, "pid 0 is the own group", "waitpid(3C)");
	KTAP(fails_with(waitpid(0, NULL, 0), ECHILD), "which is empty then",
	     "waitpid(3C)");
	KTAP_EQ(waitpid(-other, NULL, WNOHANG), 0, "a negative one is that group",
		"waitpid(3C)");
	kill(other, SIGKILL);
	KTAP_EQ(waitpid(-other, NULL, 0), other, "until it ended", "waitpid(3C)");
}

static void ignored(void)
{
	pid_t pid;

	signal(SIGCHLD, SIG_IGN);
	pid = child_exits(0);
	KTAP(fails_with(waitpid(pid, NULL, 0), ECHILD),
	     "with SIGCLD ignored wait ends with ECHILD", "FORK-86");
	KTAP(fails_with(kill(pid, 0), ESRCH), "and no zombie is left", "FORK-86");
	signal(SIGCHLD, SIG_DFL);
	pid = child_exits(3);
	KTAP_EQ(waitpid(pid, NULL, 0), pid, "SIG_DFL brings zombies back", "FORK-91");
	sigaction(SIGCHLD, SIG_DFL, SA_NOCLDWAIT, 0);
	pid = child_exits(0);
	KTAP(fails_with(waitpid(pid, NULL, 0), ECHILD), "SA_NOCLDWAIT has none",
	     "sigaction(2)");
	sigaction(SIGCHLD, SIG_DFL, 0, 0);
}

static void special(void)
{
	pid_t pid = forkx(FORK_WAITPID);

	if (pid == 0)
		_exit(4);
	msleep(1);
	KTAP(fails_with(waitpid(-1, NULL, WNOHANG), ECHILD),
	     "a child of FORK_WAITPID is none of P_ALL", "FORK-85");
	KTAP_EQ(waitpid(pid, NULL, 0), pid, "but waited for by its pid", "FORK-85");
	signal(SIGCHLD, SIG_IGN);
	pid = forkx(FORK_WAITPID);
	if (pid == 0)
		_exit(0);
	msleep(1);
	KTAP_EQ(waitpid(pid, NULL, 0), pid, "even where SIGCLD is ignored", "FORK-85");
	signal(SIGCHLD, SIG_DFL);
	pid = forkx(FORK_NOSIGCHLD);
	if (pid == 0)
		_exit(6);
	KTAP_EQ(waitpid(pid, NULL, 0), pid, "a child of FORK_NOSIGCHLD is waited for",
		"FORK-84");
}

static volatile int caught;

static void on_sigcld(int sig)
{
	(void)sig;
	caught++;
}

/* A child that ends while its parent sleeps in a wait: the handler comes first. */
static void handlers(void)
{
	pid_t pid;

	sigaction(SIGCHLD, on_sigcld, 0, 0);
	pid = fork();
	if (pid == 0) {
		msleep(1);
		_exit(3);
	}
	KTAP(fails_with(waitpid(pid, NULL, 0), EINTR),
	     "SIGCLD with a handler ends a wait that sleeps", "waitid(2)");
	KTAP_EQ(caught, 1, "the handler has run", "waitid(2)");
	KTAP_EQ(waitpid(pid, NULL, 0), pid, "the child is still there", "waitid(2)");
	sigaction(SIGCHLD, on_sigcld, SA_RESTART, 0);
	pid = fork();
	if (pid == 0) {
		msleep(1);
		_exit(3);
	}
	KTAP_EQ(waitpid(pid, NULL, 0), pid, "with SA_RESTART the wait goes on",
		"sigaction(2)");
	KTAP_EQ(caught, 2, "after its handler", "sigaction(2)");
	signal(SIGCHLD, SIG_DFL);
}

int main(void)
{
	ktap_start("wait");
	endings();
	options();
	stops();
	groups();
	ignored();
	special();
	handlers();
	return ktap_end();
}
