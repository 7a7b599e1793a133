/* Record locks belong to a process: a child has none of them. */
#include "portable.h"

static int lock(int fd, int type, long from, long len, int cmd)
{
	struct flock fl = {.l_type = type, .l_whence = SEEK_SET, .l_start = from, .l_len = len};

	return fcntl(fd, cmd, &fl);
}

static const char *try(int fd, int type, long from, long len)
{
	int r = lock(fd, type, from, len, F_SETLK);

	if (r == -1 && (errno == EACCES || errno == EAGAIN)) /* POSIX has both */
		return "taken";
	return outcome(r);
}

static void ask(int fd, long from, long len, pid_t owner)
{
	struct flock fl = {.l_type = F_WRLCK, .l_start = from, .l_len = len};

	fcntl(fd, F_GETLK, &fl);
	if (fl.l_type == F_UNLCK)
		say("%ld+%ld: free\n", from, len);
	else
		say("%ld+%ld: %s lock at %ld+%ld of the parent %d\n", from, len,
		    fl.l_type == F_RDLCK ? "read" : "write", (long)fl.l_start, (long)fl.l_len,
		    fl.l_pid == owner);
}

int main(void)
{
	char name[] = "/tmp/portableXXXXXX";
	int fd = mkstemp(name), fds[2];

	if (pipe(fds) == -1)
		return 1;
	say("write lock %s", try(fd, F_WRLCK, 0, 10));
	say(", read lock %s", try(fd, F_RDLCK, 20, 10));
	say(", to the end %s\n", try(fd, F_WRLCK, 100, 0));
	say("own locks do not matter: %s\n", try(fd, F_WRLCK, 5, 10));
	pid_t parent = getpid(), pid = fork();

	if (pid == 0) {
		say("child: %s", try(fd, F_RDLCK, 0, 1));
		say(" %s", try(fd, F_RDLCK, 25, 1));
		say(" %s", try(fd, F_WRLCK, 25, 1));
		say(" %s", try(fd, F_WRLCK, 50, 10));
		say(" %s\n", try(fd, F_RDLCK, 1000000, 1));
		ask(fd, 0, 3, parent);
		ask(fd, 20, 1, parent);
		ask(fd, 60, 10, parent);
		ask(fd, 99, 5, parent);
		hear(fds[0]); /* the parent lets go of 0..14 */
		say("then: %s\n", try(fd, F_WRLCK, 0, 15));
		say("waits: %s\n", outcome(lock(fd, F_WRLCK, 20, 5, F_SETLKW)));
		_exit(0);
	}
	pause_ms(20);
	say("unlock %s\n", try(fd, F_UNLCK, 0, 15));
	tell(fds[1], 'g');
	pause_ms(30);
	say("parent: %s\n", try(fd, F_RDLCK, 3, 1));
	lock(fd, F_UNLCK, 0, 0, F_SETLK);
	say_status("child", reap(pid));
	say("its locks are gone: %s\n", try(fd, F_WRLCK, 0, 0));
	say("bad: %s\n", outcome(lock(fd, F_WRLCK, -5, 1, F_SETLK)));
	unlink(name);
	return 0;
}
