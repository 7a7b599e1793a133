/* Pipes that do not wait, and poll. */
#include "portable.h"

#include <poll.h>

static void show(const char *what, int fd, int events)
{
	struct pollfd p = {fd, events, 0};
	int n = poll(&p, 1, 0);

	say("%s: %d%s%s%s%s%s\n", what, n, p.revents & POLLIN ? " in" : "",
	    p.revents & POLLOUT ? " out" : "", p.revents & POLLHUP ? " hup" : "",
	    p.revents & POLLERR ? " err" : "", p.revents & POLLNVAL ? " nval" : "");
}

int main(void)
{
	char block[4096] = "";
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	if (pipe(fds) == -1)
		return 1;
	show("empty", fds[0], POLLIN);
	show("room", fds[1], POLLOUT);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	say("nonblock %d %d\n", (fcntl(fds[0], F_GETFL) & O_NONBLOCK) != 0,
	    (fcntl(fds[1], F_GETFL) & O_ACCMODE) == O_WRONLY);
	say("empty: %s\n", outcome(read(fds[0], block, 1)));
	say("byte %zd\n", write(fds[1], "x", 1));
	show("a byte", fds[0], POLLIN);
	say("back %zd\n", read(fds[0], block, 100));
	long total = 0;
	ssize_t n;

	while ((n = write(fds[1], block, sizeof block)) > 0)
		total += n;
	say("full: %s, some pages %d\n", outcome(n), total >= 4096);
	show("full", fds[1], POLLOUT);
	show("full", fds[0], POLLIN);
	while (total > 0 && (n = read(fds[0], block, sizeof block)) > 0)
		total -= n;
	say("all back: %ld, %s\n", total, outcome(read(fds[0], block, 1)));
	tell(fds[1], 'y');
	close(fds[1]);
	show("rest and end", fds[0], POLLIN);
	say("read %zd %zd\n", read(fds[0], block, 10), (ssize_t)0);
	say("end %zd\n", read(fds[0], block, 10));
	close(fds[0]);
	show("closed", fds[0], POLLIN);
	/* Waiting for what a child writes. */
	if (pipe(fds) == -1)
		return 1;
	pid_t pid = fork();

	if (pid == 0) {
		pause_ms(20);
		tell(fds[1], 'z');
		_exit(0);
	}
	struct pollfd p = {fds[0], POLLIN, 0};

	say("nothing yet: %d\n", poll(&p, 1, 1));
	int ready = poll(&p, 1, 5000);

	say("comes: %d %d ", ready, (p.revents & POLLIN) != 0);
	say("%c\n", hear(fds[0]));
	say_status("writer", reap(pid));
	return 0;
}
