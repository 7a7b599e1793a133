/* Which descriptors survive exec, and with which offset and flags. */
#include "portable.h"

static int second(char **argv)
{
	static const char *const names[] = {"kept", "closed", "dup", "cloexec again"};
	char text[4] = "";

	for (int i = 0; i < 4; i++) {
		int fd = atoi(argv[i + 1]);
		int flags = fcntl(fd, F_GETFD);

		say("%s: %s", names[i], outcome(flags));
		if (flags != -1)
			say(", cloexec %d", (flags & FD_CLOEXEC) != 0);
		say("\n");
	}
	int fd = atoi(argv[1]);

	say("offset %ld, append %d\n", (long)lseek(fd, 0, SEEK_CUR),
	    (fcntl(fd, F_GETFL) & O_APPEND) != 0);
	say("read %zd", read(fd, text, 3));
	say(" %s\n", text);
	return 0;
}

int main(int argc, char **argv)
{
	char name[] = "/tmp/portableXXXXXX", args[4][12];

	if (argc > 1)
		return second(argv);
	int kept = mkstemp(name);

	if (write(kept, "0123456789", 10) != 10)
		return 1;
	fcntl(kept, F_SETFL, O_APPEND);
	lseek(kept, 4, SEEK_SET);
	int closed = open(name, O_RDONLY | O_CLOEXEC), copy = dup(closed);
	int again = fcntl(kept, F_DUPFD, 50);

	say("cloexec: %d %d %d\n", fcntl(closed, F_GETFD), fcntl(copy, F_GETFD),
	    fcntl(kept, F_GETFD));
	fcntl(again, F_SETFD, FD_CLOEXEC);
	int fds[] = {kept, closed, copy, again};

	for (int i = 0; i < 4; i++)
		snprintf(args[i], sizeof args[i], "%d", fds[i]);
	pid_t pid = fork();

	if (pid == 0) {
		execl(argv[0], "second", args[0], args[1], args[2], args[3], (char *)NULL);
		_exit(1);
	}
	say_status("second", reap(pid));
	say("offset moved with the child's: %ld\n", (long)lseek(kept, 0, SEEK_CUR));
	if (write(kept, "X", 1) != 1)
		return 1;
	say("appended at %ld\n", (long)lseek(kept, 0, SEEK_CUR));
	unlink(name);
	return 0;
}
