/*
 * jumpdata - jump to where no code may be: data, stack, heap, holes, the kernel's half.
 * Each jump is made by a child, which has to die of SIGSEGV (an instruction that is
 * none is SIGILL).  The status is the number of children that did not.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tiny.h"

static uint32_t ret_in_data[2] __attribute__((aligned(4096))) = {0x00008067, 0x00008067};
static const uint32_t illegal[2] __attribute__((section(".text.illegal"))) = {0, 0};

static int jump(const char *what, uint64_t to, int want)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		((void (*)(void))to)();
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	if (WIFSIGNALED(status))
		printf("jumpdata: %s: signal %d\n", what, WTERMSIG(status));
	else
		printf("jumpdata: %s: exited with %d\n", what, WEXITSTATUS(status));
	return !WIFSIGNALED(status) || WTERMSIG(status) != want;
}

int main(void)
{
	uint32_t on_stack[2] = {0x00008067, 0x00008067};
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
	int bad = 0;

	memcpy(page, on_stack, sizeof on_stack);
	bad += jump("data", (uint64_t)ret_in_data, SIGSEGV);
	bad += jump("stack", (uint64_t)on_stack, SIGSEGV);
	bad += jump("heap", (uint64_t)page, SIGSEGV);
	bad += jump("null", 0, SIGSEGV);
	bad += jump("a hole", 0x3000000000, SIGSEGV);
	bad += jump("the end of the address space", 0x3ffffffffe, SIGSEGV);
	bad += jump("the kernel's half", 0xffffffffffffff00, SIGSEGV);
	bad += jump("no address at all", 0x123456789abcdef0, SIGSEGV);
	bad += jump("an illegal instruction", (uint64_t)illegal, SIGILL);
	mprotect(page, 8192, PROT_READ | PROT_EXEC);
	if (jump("heap made executable", (uint64_t)page, 0) != 1)
		bad++;
	mprotect(page, 4096, PROT_NONE);
	bad += jump("a page without access", (uint64_t)page, SIGSEGV);
	/* the second half of a four-byte instruction lies in a page without access */
	mprotect(page, 8192, PROT_READ | PROT_WRITE);
	*(uint16_t *)(page + 4094) = 0x0013;
	mprotect(page, 4096, PROT_READ | PROT_EXEC);
	mprotect(page + 4096, 4096, PROT_NONE);
	bad += jump("an instruction cut in two", (uint64_t)page + 4094, SIGSEGV);
	return bad;
}
