/* Parent and child share what dup and fork share: offset and file flags. */
#include "portable.h"

int main(void)
{
	char name[] = "/tmp/portableXXXXXX", buf[32] = "";
	int fd = mkstemp(name), again = open(name, O_RDWR), copy = dup(fd);

	if (write(fd, "abcdefghij", 10) != 10)
		return 1;
	say("offsets %ld %ld %ld\n", (long)lseek(fd, 0, SEEK_CUR),
	    (long)lseek(copy, 0, SEEK_CUR), (long)lseek(again, 0, SEEK_CUR));
	lseek(fd, 2, SEEK_SET);
	pid_t pid = fork();

	if (pid == 0) {
		say("child reads %zd", read(fd, buf, 3));
		say(" %s\n", buf);
		fcntl(fd, F_SETFL, O_APPEND);
		fcntl(copy, F_SETFD, FD_CLOEXEC);
		close(fd);
		_exit(0);
	}
	say_status("child", reap(pid));
	say("offset %ld, append %d %d, cloexec %d\n", (long)lseek(fd, 0, SEEK_CUR),
	    (fcntl(fd, F_GETFL) & O_APPEND) != 0, (fcntl(copy, F_GETFL) & O_APPEND) != 0,
	    fcntl(copy, F_GETFD));
	say("append %zd", write(copy, "XY", 2));
	say(" at %ld\n", (long)lseek(copy, 0, SEEK_CUR));
	say("the other open: %zd", read(again, buf, sizeof buf));
	say(" %.12s\n", buf);
	/* Appends of several processes do not overwrite one another. */
	for (int i = 0; i < 4; i++)
		if (fork() == 0) {
			int own = open(name, O_WRONLY | O_APPEND);

			for (int j = 0; j < 10; j++)
				if (write(own, "line\n", 5) != 5)
					_exit(1);
			_exit(0);
		}
	int status, ok = 1;

	while (wait(&status) > 0)
		ok &= status == 0;
	struct stat st;

	stat(name, &st);
	say("children %d, size %ld\n", ok, (long)st.st_size);
	say("pread %zd", pread(again, buf, 4, 12));
	say(" %.4s, offset as before %ld\n", buf, (long)lseek(again, 0, SEEK_CUR));
	say("lowest free: %d\n", dup(fd) > copy);
	say("to itself: %d\n", dup2(fd, fd) == fd);
	say("of none: %s\n", outcome(dup2(99, 5)));
	say("too high: %s\n", outcome(fcntl(fd, F_DUPFD, -1)));
	unlink(name);
	return 0;
}
