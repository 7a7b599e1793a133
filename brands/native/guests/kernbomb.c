/*
 * kernbomb KIND [N] - use up what the kernel keeps for a process, N times or until it
 * says no: signals (queued realtime signals), pipes (full ones), files (a large file),
 * names (many small ones), dirs (a deep tree), maps (many mappings), zombies (children
 * that nobody waits for).  Prints how many it got and the errno that ended it; whatever
 * it was, it has to be bounded.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tiny.h"

static char block[65536];

/* Each of these does one more; 0 or -1 and errno. */

static int one_signal(long i)
{
	(void)i;
	return kill(getpid(), 60);
}

/* As many descriptors as root may give itself. */
static void raise_nofile(uint64_t n)
{
	uint64_t limit[2] = {n, n};

	syscall(SYS_setrlimit, RLIMIT_NOFILE, limit);
}

static int one_pipe(long i)
{
	int p[2];

	if (i == 0)
		raise_nofile(65536);
	if (pipe(p) != 0)
		return -1;
	fcntl(p[1], F_SETFL, O_NONBLOCK);
	return write(p[1], block, sizeof block) < 0 ? -1 : 0;
}

static int one_block(long i)
{
	static int fd = -1;

	(void)i;
	if (fd < 0)
		fd = open("/tmp/large", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	return write(fd, block, sizeof block) == sizeof block ? 0 : -1;
}

static int one_name(long i)
{
	char name[256];

	memset(name, 'n', 230);
	snprintf(name, 6, "/tmp/");
	name[5] = 'n';
	snprintf(name + 230, 20, "%ld", i);
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	return fd < 0 ? -1 : close(fd);
}

static int one_dir(long i)
{
	if (i == 0)
		chdir("/tmp");
	return mkdir("d", 0700) == 0 ? chdir("d") : -1;
}

static int one_map(long i)
{
	int prot = i & 1 ? PROT_READ : PROT_READ | PROT_WRITE;
	void *p = mmap(NULL, 4096, prot, MAP_PRIVATE | MAP_ANON, -1, 0);

	return p == MAP_FAILED ? -1 : 0;
}

static int one_zombie(long i)
{
	pid_t pid = fork();

	(void)i;
	if (pid == 0)
		_exit(0);
	return pid < 0 ? -1 : 0;
}

static const struct {
	const char *name;
	int (*one)(long i);
} kinds[] = {
	{"signals", one_signal}, {"pipes", one_pipe}, {"files", one_block},
	{"names", one_name},	 {"dirs", one_dir},   {"maps", one_map},
	{"zombies", one_zombie},
};

int main(int argc, char **argv)
{
	long n = argc > 2 ? atol(argv[2]) : 100000;
	uint64_t all = ~(uint64_t)0;

	sigprocmask(SIG_BLOCK, &all, NULL);
	for (unsigned k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
		if (argc < 2 || strcmp(argv[1], kinds[k].name) != 0)
			continue;
		for (long i = 0; i < n; i++)
			if (kinds[k].one(i) != 0) {
				printf("kernbomb: %s: errno %d after %ld\n", argv[1], errno, i);
				return 0;
			}
		printf("kernbomb: %s: all %ld\n", argv[1], n);
		return 0;
	}
	return 100;
}
