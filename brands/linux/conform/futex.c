/*
 * futex - waiting and waking by address, between threads and between processes.
 *
 * SPDX-License-Identifier: MIT
 */
#include "lib.h"

enum { WAIT, WAKE, FD, REQUEUE, CMP_REQUEUE, WAKE_OP, WAIT_BITSET = 9, WAKE_BITSET };
#define PRIVATE 128

static char stack[2][16384] __attribute__((aligned(16)));
static volatile int word, other, woken;

static long futex(volatile int *at, int op, int val, const struct timespec *t, volatile int *at2, int val3)
{
	return syscall(SYS_futex, at, op, val, t, at2, val3);
}

static long sleeper(void *arg)
{
	(void)arg;
	futex(&word, WAIT | PRIVATE, 0, NULL, NULL, 0);
	woken++;
	return 0;
}

static long sleeper_bits(void *arg)
{
	woken += futex(&word, WAIT_BITSET | PRIVATE, 0, NULL, NULL, (int)(long)arg) == 0;
	return 0;
}

static long thread(int n, long (*fn)(void *), void *arg)
{
	long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
	long tid = clone_on(flags, stack[n] + sizeof stack[n], fn, arg, NULL, NULL);

	msleep(2); /* it waits by then */
	return tid;
}

static void errors(void)
{
	struct timespec soon = {0, 1000000}, bad = {0, 1000000000};

	KTAP(fails(futex(&word, WAIT, 1, NULL, NULL, 0), EAGAIN), "another value: EAGAIN", "futex(2)");
	KTAP(fails(futex(&word, WAIT, 0, &soon, NULL, 0), ETIMEDOUT), "the time is over: ETIMEDOUT", "futex(2)");
	KTAP(fails(futex(&word, WAIT, 0, &bad, NULL, 0), EINVAL), "no time: EINVAL", "futex(2)");
	KTAP(fails(futex((int *)((char *)&word + 1), WAIT, 0, NULL, NULL, 0), EINVAL), "not aligned: EINVAL", "futex(2)");
	KTAP(fails(futex((int *)8, WAIT, 0, NULL, NULL, 0), EFAULT), "a bad address: EFAULT", "futex(2)");
	KTAP(fails(futex(&word, 99, 0, NULL, NULL, 0), ENOSYS), "no such operation: ENOSYS", "futex(2)");
	KTAP(fails(futex(&word, WAIT_BITSET, 0, NULL, NULL, 0), EINVAL), "no bits: EINVAL", "futex(2)");
	KTAP_EQ(futex(&word, WAKE, 1, NULL, NULL, 0), 0, "nobody to wake", "futex(2)");
	KTAP(fails(syscall(SYS_set_robust_list, &word, 8L), EINVAL), "a robust list's head has 24 bytes", "set_robust_list(2)");
}

static void threads(void)
{
	thread(0, sleeper, NULL);
	KTAP_EQ(futex(&word, WAKE | PRIVATE, 5, NULL, NULL, 0), 1, "WAKE tells how many", "futex(2)");
	msleep(2);
	KTAP_EQ(woken, 1, "who has gone on", "futex(2)");
	thread(0, sleeper, NULL);
	thread(1, sleeper, NULL);
	KTAP_EQ(futex(&word, WAKE | PRIVATE, 1, NULL, NULL, 0), 1, "one of two", "futex(2)");
	msleep(2);
	KTAP_EQ(woken, 2, "and no more", "futex(2)");
	KTAP_EQ(futex(&word, REQUEUE | PRIVATE, 0, (void *)1L, &other, 0), 1, "REQUEUE moves the other", "futex(2)");
	KTAP_EQ(futex(&word, WAKE | PRIVATE, 5, NULL, NULL, 0), 0, "from the one word", "futex(2)");
	KTAP_EQ(futex(&other, WAKE | PRIVATE, 5, NULL, NULL, 0), 1, "to the other", "futex(2)");
	msleep(2);
	KTAP(fails(futex(&word, CMP_REQUEUE | PRIVATE, 0, (void *)1L, &other, 7), EAGAIN), "CMP_REQUEUE compares", "futex(2)");
	woken = 0;
	thread(0, sleeper_bits, (void *)2L);
	KTAP_EQ(futex(&word, WAKE_BITSET | PRIVATE, 5, NULL, NULL, 1), 0, "other bits wake nobody", "futex(2)");
	KTAP_EQ(futex(&word, WAKE_BITSET | PRIVATE, 5, NULL, NULL, 3), 1, "common bits do", "futex(2)");
	msleep(2);
	KTAP_EQ(woken, 1, "and its wait answers 0", "futex(2)");
}

static void processes(void)
{
	volatile int *at = shared();
	pid_t pid = fork();

	if (pid == 0)
		_exit(futex(at, WAIT, 0, NULL, NULL, 0) == 0 ? 4 : 5);
	msleep(2);
	KTAP_EQ(futex(at, WAKE | PRIVATE, 1, NULL, NULL, 0), 0, "a private wake does not reach another process", "futex(2)");
	KTAP_EQ(futex(at, WAKE, 1, NULL, NULL, 0), 1, "a shared one does", "futex(2)");
	KTAP_EQ(exit_of(pid), 4, "the child went on", "futex(2)");
}

int main(void)
{
	ktap_start("futex");
	errors();
	threads();
	processes();
	return ktap_end();
}
