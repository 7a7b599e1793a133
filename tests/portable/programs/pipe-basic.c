/* A pipe: bytes in order, the end, and nobody to read. */
#include "portable.h"

static volatile int caught;

static void count(int sig)
{
	caught += sig == SIGPIPE;
}

int main(void)
{
	char buf[64];
	int fds[2];

	say("pipe: %s\n", outcome(pipe(fds)));
	say("write %zd ", write(fds[1], "hello world", 11));
	say("read %zd ", read(fds[0], buf, 5));
	say("%.5s, ", buf);
	say("read %zd ", read(fds[0], buf, 64));
	say("%.6s\n", buf);
	say("wrong end: %s", outcome(read(fds[1], buf, 1)));
	say(" %s\n", outcome(write(fds[0], buf, 1)));
	say("seek: %s\n", outcome(lseek(fds[0], 0, SEEK_SET)));
	struct stat st;

	fstat(fds[0], &st);
	say("a FIFO: %d\n", S_ISFIFO(st.st_mode));
	pid_t pid = fork();

	if (pid == 0) {
		close(fds[0]);
		for (int i = 0; i < 5; i++) {
			tell(fds[1], '0' + i);
			pause_ms(2);
		}
		_exit(0);
	}
	close(fds[1]); /* or the end would never come */
	int n = 0, c;

	while (read(fds[0], buf, 1) == 1) {
		c = buf[0];
		n = n * 10 + c - '0';
	}
	say("all: %d, then the end %zd\n", n, read(fds[0], buf, 1));
	say_status("writer", reap(pid));
	close(fds[0]);
	/* No reader: SIGPIPE, or EPIPE. */
	if (pipe(fds) == -1)
		return 1;
	close(fds[0]);
	pid = fork();
	if (pid == 0) {
		tell(fds[1], 'x');
		_exit(0);
	}
	say_status("default", reap(pid));
	catch(SIGPIPE, count, 0);
	say("caught: %s", outcome(write(fds[1], "x", 1)));
	say(", handler ran %d\n", caught);
	catch(SIGPIPE, SIG_IGN, 0);
	say("ignored: %s\n", outcome(write(fds[1], "x", 1)));
	say("nothing to write: %zd\n", write(fds[1], "x", 0));
	return 0;
}
