/*
 * randsys N [SEED] - N random system calls with random arguments, from a seeded
 * xorshift.  Workers make them, up to 500 each, and may die as they like; the parent
 * goes on with a new worker until all are made.  Left out by design are only the calls
 * that end or signal others: kill and its relatives, exit, reboot.  A worker's
 * children leave at once.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tiny.h"

#define PER_WORKER 500

/* shared with the workers */
static struct shared {
	volatile long calls;
	volatile uint64_t state;
} *shared;

static char scratch[16384];
static char *paths[] = {"/tmp/a", "/tmp/b", "..", "/", "a/../../b", "", "/dev/null",
			"/proc/self/fd/1", "/tmp/a/b", "\xff\xfe", "/dev/ptmx", "/dev/tty",
			"/proc/self/maps", "/proc/self/mem", "/proc/self/exe", "/dev/pts/0",
			"/proc/1/status", "/dev/zero", ".", "/tmp/fifo"};

static uint64_t rnd(void)
{
	uint64_t s = shared->state;

	s ^= s << 13;
	s ^= s >> 7;
	s ^= s << 17;
	return shared->state = s;
}

static int is_exempt(long n)
{
	static const short numbers[] = {SYSCALLS_TO_EXIT, SYSCALLS_TO_OTHERS};

	for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		if (numbers[i] == n)
			return 1;
	return 0;
}

static uint64_t argument(void)
{
	uint64_t r = rnd();

	switch (r >> 60) {
	case 0:
	case 1:
	case 2:
		return r & 15; /* a descriptor, a flag */
	case 3:
	case 4:
		return r & 4095;
	case 5:
	case 6:
	case 7:
	case 8:
		return (uint64_t)scratch + (r & 8191);
	case 9:
	case 10:
		return (uint64_t)paths[r % (sizeof paths / sizeof paths[0])];
	case 11:
		return 0;
	case 12:
		return -(r & 127);
	case 13:
		return UINT64_C(1) << (r & 63);
	case 14:
		return r & 0xfffff000;
	default:
		return r;
	}
}

/* A few words of what pointers lead to: numbers, flags, pointers again. */
static void scribble(void)
{
	uint64_t *words = (uint64_t *)scratch;
	unsigned at = rnd() % (sizeof scratch / 8);

	for (int i = 0; i < 4; i++) {
		uint64_t r = argument();

		if (rnd() & 1) /* two ints */
			r = (r & 0xffffffff) | argument() << 32;
		words[(at + i) % (sizeof scratch / 8)] = r;
	}
}

/* Mostly a number that somebody has; now and then one beyond the table. */
static long number(void)
{
	uint64_t r = rnd();

	return r % 100 == 0 ? (long)(r >> (r >> 58)) : (long)(r % SYSCALLS_MAX);
}

static void worker(void)
{
	pid_t me = getpid();

	signal(SIGSYS, SIG_IGN);
	for (int i = 0; i < PER_WORKER; i++) {
		long n = number();

		if (is_exempt(n))
			continue;
		scribble();
		shared->calls++;
		syscall(n, argument(), argument(), argument(), argument(), argument(),
			argument());
		if (getpid() != me)
			_exit(0);
	}
	_exit(0);
}

/* Wait for a worker as long as it gets on; one that is blocked is killed. */
static int finish(pid_t pid)
{
	int status = 0, idle = 0;
	long was = -1;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		idle = shared->calls == was ? idle + 1 : 0;
		was = shared->calls;
		if (idle == 3) {
			kill(pid, SIGCONT);
			kill(pid, SIGKILL);
		}
		msleep(20);
	}
	return status;
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 10000;
	long workers = 0, killed = 0;

	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANON, -1, 0);
	shared->state = argc > 2 ? (uint64_t)atol(argv[2]) : 88172645463325252;
	while (shared->calls < n) {
		uint64_t before = shared->state;
		pid_t pid = fork();

		if (pid == 0) {
			close(0);
			close(1);
			close(2);
			worker();
		}
		if (pid < 0) {
			printf("randsys: fork: errno %d\n", errno);
			return 1;
		}
		workers++;
		if (!WIFEXITED(finish(pid)))
			killed++;
		if (shared->state == 0 || shared->state == before)
			shared->state = before * 6364136223846793005 + 1442695040888963407;
	}
	/* what a worker left behind is init's, or ours */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	printf("randsys: %ld calls by %ld workers, %ld of them killed\n", shared->calls,
	       workers, killed);
	return 0;
}
