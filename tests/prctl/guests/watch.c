/* Touches variables of one page in every way; status 0 if all is as it should be. */
#include "tiny.h"

struct page {
	volatile long watched;
	volatile long other;
	volatile long counter;
	volatile char text[64];
	volatile double real;
} page __attribute__((aligned(4096)));

__attribute__((noinline)) long work(long n)
{
	long sum = 0;
	for (long i = 0; i < n; i++) {
		page.other += i;
		page.text[i & 63] = (char)i;
		sum += page.text[(i * 7) & 63];
		page.real = page.real * 0.5 + 1.0;
	}
	__atomic_fetch_add(&page.counter, 3, __ATOMIC_SEQ_CST);
	long old, fail;
	do {
		__asm__ volatile("lr.d %0, (%2)\n\taddi %0, %0, 1\n\tsc.d %1, %0, (%2)"
		                 : "=&r"(old), "=&r"(fail)
		                 : "r"(&page.counter)
		                 : "memory");
	} while (fail);
	return sum;
}

__attribute__((noinline)) void touch(void)
{
	page.watched = 42;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "where") == 0) {
		printf("%ld %ld %ld\n", (long)&page, (long)work, (long)touch);
		return 0;
	}
	page.counter = 1;
	long sum = work(100);
	touch();
	pid_t pid = fork();
	if (pid == 0) {
		touch();
		_exit(page.watched == 42 ? 7 : 8);
	}
	int status = 0;
	waitpid(pid, &status, 0);
	printf("%ld %ld %ld %d\n", sum, page.other, page.counter, WEXITSTATUS(status));
	pid = vfork();
	if (pid == 0) {
		page.watched = 43;
		_exit(9);
	}
	waitpid(pid, &status, 0);
	touch();
	return page.watched == 42 && WEXITSTATUS(status) == 9 ? 0 : 1;
}
