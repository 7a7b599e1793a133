/* Mappings: what may be done with them, and what happens otherwise. */
#include "portable.h"

static int touch(volatile char *p, int write)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (write)
			*p = 1;
		else
			(void)*p;
		_exit(0);
	}
	return reap(pid);
}

static void both(const char *what, char *p)
{
	say("%s\n", what);
	say_status("  read", touch(p, 0));
	say_status("  write", touch(p, 1));
}

int main(void)
{
	long page = sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);

	say("zero: %d\n", p[0] == 0 && p[4 * page - 1] == 0);
	memset(p, 'a', 4 * page);
	both("read and write", p);
	say("read only %s\n", outcome(mprotect(p + page, page, PROT_READ)));
	both("read only", p + page);
	say("none %s\n", outcome(mprotect(p + 2 * page, page, PROT_NONE)));
	both("none", p + 2 * page);
	both("the last page", p + 3 * page);
	say("unmap %s\n", outcome(munmap(p + page, page)));
	both("unmapped", p + page);
	say("back %s\n", outcome(mprotect(p + 2 * page, page, PROT_READ | PROT_WRITE)));
	say("as it was: %c\n", p[2 * page]);
	say("mprotect of nothing: %s\n", outcome(mprotect(p + page, page, PROT_READ)));
	say("not aligned: %s\n", outcome(mprotect(p + 1, page, PROT_READ)));
	say("munmap not aligned: %s\n", outcome(munmap(p + 1, page)));
	say("no length: %s\n",
	    outcome((long)mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANON, -1, 0)));
	char *q = mmap(p + page, page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANON | MAP_FIXED, -1, 0);

	say("fixed: %d, zero %d\n", q == p + page, *q == 0);
	say("neither private nor shared: %s\n",
	    outcome((long)mmap(NULL, page, PROT_READ, MAP_ANON, -1, 0)));
	say("no file: %s\n", outcome((long)mmap(NULL, page, PROT_READ, MAP_SHARED, 99, 0)));
	/* Protection is the child's own, too. */
	pid_t pid = fork();

	if (pid == 0)
		_exit(mprotect(p, page, PROT_NONE));
	say_status("child", reap(pid));
	p[0] = 'z';
	say("parent writes %c\n", p[0]);
	return 0;
}
