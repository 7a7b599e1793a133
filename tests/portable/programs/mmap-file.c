/* Files in memory: shared and private, across fork. */
#include "portable.h"

static void show(const char *what, int fd)
{
	char buf[9] = "";

	pread(fd, buf, 8, 0);
	say("%s: %s\n", what, buf);
}

int main(void)
{
	long page = sysconf(_SC_PAGESIZE);
	char name[] = "/tmp/portableXXXXXX";
	int fd = mkstemp(name);

	if (write(fd, "abcdefgh", 8) != 8 || ftruncate(fd, 3 * page) == -1)
		return 1;
	char *s = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *p = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

	say("mapped: %.8s %.8s\n", s, p);
	s[0] = 'A';
	show("shared writes the file", fd);
	say("private sees %c until it writes\n", p[0]);
	p[1] = 'P';
	s[2] = 'C';
	show("private does not", fd);
	say("private %.8s, shared %.8s\n", p, s);
	if (pwrite(fd, "D", 1, 3) != 1)
		return 1;
	say("write is seen: %c\n", s[3]);
	pid_t pid = fork();

	if (pid == 0) {
		s[4] = 'E';
		p[5] = 'x';
		say("child private %.8s\n", p);
		_exit(0);
	}
	say_status("child", reap(pid));
	say("after the child: shared %.8s private %c\n", s, p[5]);
	say("msync %s\n", outcome(msync(s, page, MS_SYNC)));
	s[2 * page] = 'Z';
	char c = 0;

	pread(fd, &c, 1, 2 * page);
	say("third page: %c\n", c);
	int ro = open(name, O_RDONLY);

	say("shared write of a read-only file: %s\n",
	    outcome((long)mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, ro, 0)));
	char *r = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE, ro, 0);

	r[0] = '!';
	show("private write of it", ro);
	say("offset not aligned: %s\n", outcome((long)mmap(NULL, page, PROT_READ, MAP_SHARED,
							   fd, 100)));
	char *third = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 2 * page);

	say("at an offset: %c\n", third[0]);
	close(fd);
	unlink(name);
	s[7] = 'H';
	say("without descriptor and name: %.8s\n", s);
	/* Behind the end of the file. */
	if (ftruncate(ro, page) == -1)
		say("truncate of a read-only descriptor fails\n");
	return munmap(s, 3 * page);
}
