/*
 * wildptr [FIRST LAST] - every system call with wild pointers and wild numbers as
 * arguments.  Each call number gets a child of its own, which may die as it likes; the
 * program prints how many ended how.  Whatever happens, it must be a guest that
 * suffers.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tiny.h"

static char readonly_page[8192] __attribute__((aligned(4096)));

static uint64_t wild[] = {
	0, 1, 7, 4095, 4096,
	0xffffffffffffffff, 0xfffffffffffff000, 0x8000000000000000,
	0x7fffffffffffffff, 0x3fffffffff, 0x3ffffffffc, 0x4000000000,
	0xffffffe000000000, 0x1234567890, 0xdeadbeefdeadbeef, 0x10000,
	0, /* a page without access, set in main */
	0, /* a page that is only readable */
	0, /* the last bytes before a hole */
};

#define NWILD (sizeof wild / sizeof wild[0])

/* Numbers that may reach other processes: the point is pointers, not murder. */
static int is_exempt(long n)
{
	static const short numbers[] = {SYSCALLS_TO_OTHERS};

	for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		if (numbers[i] == n)
			return 1;
	return 0;
}

static void attack(long n)
{
	pid_t me = getpid();

	signal(SIGSYS, SIG_IGN);
	for (unsigned i = 0; i < NWILD; i++) {
		uint64_t w = wild[i], v = wild[(i * 7 + 3) % NWILD];
		uint64_t calls[5][6] = {
			{w, w, w, w, w, w}, {0, w, 8, w, v, 0}, {1, w, v, 1, w, w},
			{w, 0, 0, 0, 0, 0}, {v, w, 4096, 0, w, 8},
		};

		for (int k = 0; k < 5; k++) {
			uint64_t *a = calls[k];

			syscall(n, a[0], a[1], a[2], a[3], a[4], a[5]);
			if (getpid() != me)
				_exit(0); /* a child of clone: one attacker is enough */
		}
	}
}

/* Wait for a child, at most a second; a blocked one is killed. */
static int finish(pid_t pid)
{
	int status;

	for (int i = 0; i < 20; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		msleep(50);
	}
	kill(pid, SIGCONT);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return status;
}

int main(int argc, char **argv)
{
	long first = argc > 1 ? atol(argv[1]) : 0;
	long last = argc > 2 ? atol(argv[2]) : 470;
	int exited = 0, signalled = 0;
	char *hole = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANON, -1, 0);

	munmap(hole + 8192, 4096);
	mprotect(hole, 4096, PROT_NONE);
	mprotect(readonly_page, 4096, PROT_READ);
	wild[NWILD - 3] = (uint64_t)hole;
	wild[NWILD - 2] = (uint64_t)readonly_page;
	wild[NWILD - 1] = (uint64_t)hole + 8190;
	for (long n = first; n <= last; n++) {
		if (is_exempt(n))
			continue;
		pid_t pid = fork();
		if (pid == 0) {
			close(0);
			close(1);
			close(2);
			attack(n);
			_exit(0);
		}
		if (pid < 0) {
			printf("wildptr: fork: errno %d\n", errno);
			return 1;
		}
		if (WIFEXITED(finish(pid)))
			exited++;
		else
			signalled++;
	}
	printf("wildptr: %d calls survived, %d were killed\n", exited, signalled);
	return 0;
}
