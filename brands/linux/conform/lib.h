/*
 * lib.h - what the conformance programs of the linux brand share.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LIB_H
#define LIB_H

#include "ktap.h"

#define ESPIPE 29
#define ETIMEDOUT 110
#define CLONE_FS 0x200
#define CLONE_FILES 0x400
#define CLONE_SIGHAND 0x800
#define CLONE_PARENT 0x8000
#define CLONE_THREAD 0x10000
#define CLONE_PARENT_SETTID 0x100000
#define CLONE_CHILD_CLEARTID 0x200000
#define CLONE_CHILD_SETTID 0x1000000
#define WALL 0x40000000
#define WCLONE ((int)0x80000000)
#define SYS_gettid 178
#define SYS_futex 98
#define SYS_set_robust_list 99

/* Whether a call failed with this error. */
static inline int fails(long r, int want)
{
	return r == -1 && errno == want;
}

/* A private pipe for one byte: what a child has to say. */
static inline int told(int fd)
{
	unsigned char c = 0xff;

	return read(fd, &c, 1) == 1 ? c : -1;
}

static inline int exit_of(pid_t pid)
{
	int status = -1;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Memory that stays shared over fork. */
static inline volatile int *shared(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANON, -1, 0);
}

/* clone(2) with a stack of its own: the child calls fn(arg) and ends with its value. */
static __attribute__((noinline, unused)) long
clone_on(unsigned long flags, void *top, long (*fn)(void *), void *arg, int *ptid,
	 int *ctid)
{
	void **sp = (void **)((unsigned long)top & -16) - 2;
	register unsigned long a0 __asm__("a0") = flags;
	register void *a1 __asm__("a1") = sp;
	register int *a2 __asm__("a2") = ptid;
	register long a3 __asm__("a3") = 0;
	register int *a4 __asm__("a4") = ctid;
	register long a7 __asm__("a7") = SYS_clone;

	sp[0] = (void *)fn;
	sp[1] = arg;
	__asm__ volatile("ecall\n\t"
			 "bnez a0, 1f\n\t"
			 "ld t0, 0(sp)\n\t"
			 "ld a0, 8(sp)\n\t"
			 "jalr t0\n\t"
			 "li a7, 93\n\t" /* exit: of this thread alone */
			 "ecall\n"
			 "1:"
			 : "+r"(a0)
			 : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a7)
			 : "memory", "t0", "ra");
	return (long)a0;
}

#endif
