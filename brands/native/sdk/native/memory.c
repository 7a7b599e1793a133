/*
 * memory.c - the break and mappings.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char _end[];
static char *now = _end; /* the kernel's break starts at the end of the program */

int brk(void *addr)
{
	if (syscall(SYS_brk, addr) == -1)
		return -1;
	now = addr;
	return 0;
}

void *sbrk(intptr_t incr)
{
	char *was = now;

	if (incr && brk(was + incr) == -1)
		return (void *)-1;
	return was;
}

void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off)
{
	return (void *)syscall(SYS_mmap, addr, len, prot, flags, fd, off);
}

int munmap(void *addr, size_t len)
{
	return syscall(SYS_munmap, addr, len);
}

int mprotect(void *addr, size_t len, int prot)
{
	return syscall(SYS_mprotect, addr, len, prot);
}

int memcntl(void *addr, size_t len, int cmd, void *arg, int attr, int mask)
{
	return syscall(SYS_memcntl, addr, len, cmd, arg, attr, mask);
}

int msync(void *addr, size_t len, int flags)
{
	return memcntl(addr, len, MC_SYNC, (void *)(long)flags, 0, 0);
}

int madvise(void *addr, size_t len, int advice)
{
	return memcntl(addr, len, MC_ADVISE, (void *)(long)advice, 0, 0);
}

int mlock(const void *addr, size_t len)
{
	return memcntl((void *)addr, len, MC_LOCK, NULL, 0, 0);
}

int munlock(const void *addr, size_t len)
{
	return memcntl((void *)addr, len, MC_UNLOCK, NULL, 0, 0);
}

int mlockall(int flags)
{
	return memcntl(NULL, 0, MC_LOCKAS, (void *)(long)flags, 0, 0);
}

int munlockall(void)
{
	return memcntl(NULL, 0, MC_UNLOCKAS, NULL, 0, 0);
}
