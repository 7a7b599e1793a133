/* A child whose parent ends gets another parent, and lives on. */
#include "portable.h"

int main(void)
{
	int up[2], down[2], ack[2];

	if (pipe(up) == -1 || pipe(down) == -1 || pipe(ack) == -1)
		return 1;
	pid_t first = getpid(), pid = fork();

	if (pid == 0) {
		pid_t middle = getpid();

		say("middle's parent is the first: %d\n", getppid() == first);
		if (fork() == 0) {
			tell(up[1], getppid() == middle ? 'y' : 'n');
			tell(ack[1], 'a');
			hear(down[0]); /* until the middle one is reaped */
			tell(up[1], getppid() == middle ? 'm' : getppid() > 0 ? 'o' : '0');
			tell(up[1], getppid() == first ? 'f' : 'i');
			_exit(0);
		}
		hear(ack[0]);
		_exit(6);
	}
	say("before: %c\n", hear(up[0]));
	say_status("middle", reap(pid));
	tell(down[1], 'g');
	say("after: %c, ", hear(up[0]));
	say("%c\n", hear(up[0]));
	int status;

	say("no child of ours: %s\n", outcome(wait(&status)));
	/* A zombie is still a process: it can be signalled, and is what it was. */
	pid = fork();
	if (pid == 0)
		_exit(2);
	siginfo_t info;

	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	say("zombie: %s\n", outcome(kill(pid, 0)));
	say("kill: %s\n", outcome(kill(pid, SIGKILL)));
	say_status("as it ended", reap(pid));
	say("gone: %s\n", outcome(kill(pid, 0)));
	return 0;
}
