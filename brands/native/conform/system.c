/*
 * system - what the system tells of itself, limits, and advice about memory.
 *
 * SPDX-License-Identifier: MIT
 */
#include "nsys.h"

#define MAP_ALIGN 0x200
#define MAP_TEXT 0x400
#define MAP_INITDATA 0x800
#define MC_SYNC 1
#define MC_LOCK 2
#define MC_ADVISE 4
#define MC_LOCKAS 5
#define MC_INHERIT_ZERO 8
#define MADV_FREE 5
#define PAGE 4096L

static char buf[600];

static void names(void)
{
	KTAP(syscall(N_systeminfo, 1, buf, 100) == 6 && strcmp(buf, "SunOS") == 0,
	     "SI_SYSNAME, the value counts its NUL", "sysinfo(2)");
	KTAP(syscall(N_systeminfo, 5, buf, 4) == 8 && strcmp(buf, "ris") == 0,
	     "a short buffer gets what fits", "sysinfo(2)");
	KTAP(FAILS(syscall(N_systeminfo, 1, buf, 0), EINVAL), "no room is EINVAL", "sysinfo(2)");
	KTAP(FAILS(syscall(N_systeminfo, 999, buf, 9), EINVAL), "an unknown command is EINVAL",
	     "sysinfo(2)");
	KTAP(FAILS(syscall(N_systeminfo, 1, 8, 9), EFAULT), "no memory is EFAULT", "sysinfo(2)");
	KTAP_EQ(syscall(N_systeminfo, 258, "renamed", 0), 8, "SI_SET_HOSTNAME", "sysinfo(2)");
	syscall(N_systeminfo, 2, buf, 100);
	KTAP(strcmp(buf, "renamed") == 0, "SI_HOSTNAME tells it", "sysinfo(2)");
	static char uts[5][257];
	syscall(135, uts);
	KTAP(strcmp(uts[1], "renamed") == 0, "as uname does", "uname(2)");
	int pid = fork(), status = 0;
	if (pid == 0) {
		syscall(N_setuid, 50);
		_exit(FAILS(syscall(N_systeminfo, 258, "x", 0), EPERM) ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	KTAP_EQ(status, 0, "it needs sys_admin", "sysinfo(2)");
}

static void numbers(void)
{
	uint64_t size = 0;
	struct {
		int state;
		char type[16], fpu[32];
		int clock;
	} pi;
	int ncpus = syscall(N_sysconfig, 12);

	KTAP_EQ(syscall(N_sysconfig, 6), PAGE, "_SC_PAGESIZE", "sysconf(3C)");
	KTAP_EQ(syscall(N_sysconfig, 24), 74, "_SC_SIGRT_MAX", "sysconf(3C)");
	KTAP(syscall(N_sysconfig, 27) > 0 && syscall(N_sysconfig, 27) < syscall(N_sysconfig, 26),
	     "fewer pages are free than there are", "sysconf(3C)");
	KTAP(FAILS(syscall(N_sysconfig, 1), EINVAL), "an unknown name is EINVAL", "sysconf(3C)");
	KTAP(ncpus >= 1 && syscall(188, ncpus - 1, &pi) == 0 && pi.state == 2 &&
		     strcmp(pi.type, "riscv64") == 0,
	     "processor_info of the last CPU", "processor_info(2)");
	KTAP(FAILS(syscall(188, ncpus, &pi), EINVAL), "behind it is EINVAL",
	     "processor_info(2)");
	KTAP_EQ(syscall(189, 0, 3), 2, "P_STATUS is P_ONLINE", "p_online(2)");
	KTAP(syscall(N_getpagesizes, 0, &size, 1) == 1 && size == PAGE, "getpagesizes",
	     "getpagesizes(3C)");
	KTAP(FAILS(syscall(N_getpagesizes, 0, &size, 0), EINVAL), "room for none is EINVAL",
	     "getpagesizes(3C)");
	KTAP(syscall(254, "copied", buf, 7) == 0 && strcmp(buf, "copied") == 0, "uucopy",
	     "uucopy(2)");
	KTAP(FAILS(syscall(254, 8, buf, 7), EFAULT), "a bad address is EFAULT, no signal",
	     "uucopy(2)");
	KTAP_EQ(syscall(40, "string", buf, 100), 7, "uucopystr counts the NUL", "uucopy(2)");
	KTAP_EQ(syscall(40, "string", buf, 3), 3, "or stops at the size", "uucopy(2)");
}

static void limits(void)
{
	uint64_t rl[2] = {8192, 8192};
	int pid, status = 0;

	KTAP(syscall(N_ulimit, 4, 0) == syscall(N_sysconfig, 4), "UL_GDESLIM is _SC_OPEN_MAX",
	     "ulimit(2)");
	KTAP(FAILS(syscall(N_ulimit, 9, 0), EINVAL), "an unknown command is EINVAL", "ulimit(2)");
	KTAP(FAILS(syscall(N_getrlimit, 7, rl), EINVAL), "an unknown resource is EINVAL",
	     "getrlimit(2)");
	pid = fork();
	if (pid == 0) {
		int ok = syscall(N_ulimit, 2, 16) == 16 && syscall(N_ulimit, 1, 0) == 16;
		ok &= syscall(N_getrlimit, 1, rl) == 0 && rl[0] == 16 * 512;
		_exit(ok ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	KTAP_EQ(status, 0, "UL_SFILLIM is RLIMIT_FSIZE in blocks", "ulimit(2)");
	pid = fork();
	if (pid == 0) {
		signal(31, SIG_IGN); /* SIGXFSZ */
		syscall(N_setrlimit, 1, rl);
		int fd = open("/tmp/big", O_RDWR | O_CREAT, 0600);
		lseek(fd, 8190, SEEK_SET);
		int part = write(fd, buf, 10);
		_exit(part == 2 && FAILS(write(fd, buf, 1), 27) ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	KTAP_EQ(status, 0, "a file grows up to RLIMIT_FSIZE, then EFBIG", "setrlimit(2)");
	rl[0] = 9000;
	KTAP(FAILS(syscall(N_setrlimit, 1, rl), EINVAL), "a soft limit above the hard is EINVAL",
	     "setrlimit(2)");
}

static void memory(void)
{
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
	unsigned char vec[4] = {9, 9, 9, 9};
	int status = 0;

	p[PAGE] = 7;
	KTAP(syscall(N_mincore, p, 4 * PAGE, vec) == 0 && vec[0] == 0 && vec[1] == 1,
	     "mincore knows the page that was touched", "mincore(2)");
	KTAP(FAILS(syscall(N_mincore, p + 1, PAGE, vec), EINVAL), "off a page is EINVAL",
	     "mincore(2)");
	KTAP_EQ(syscall(N_memcntl, p, PAGE, MC_SYNC, 4, 0, 0), 0, "MC_SYNC", "memcntl(2)");
	KTAP(FAILS(syscall(N_memcntl, p, PAGE, MC_SYNC, 5, 0, 0), EINVAL),
	     "MS_ASYNC with MS_SYNC is EINVAL", "memcntl(2)");
	KTAP(FAILS(syscall(N_memcntl, p, PAGE, 99, 0, 0, 0), EINVAL),
	     "an unknown command is EINVAL", "memcntl(2)");
	KTAP(FAILS(syscall(N_memcntl, p, PAGE, MC_SYNC, 0, 0, 1), EINVAL), "mask has to be 0",
	     "memcntl(2)");
	KTAP_EQ(syscall(N_memcntl, p, 2 * PAGE, MC_LOCK, 0, 0, 0), 0, "MC_LOCK", "memcntl(2)");
	KTAP(FAILS(syscall(N_memcntl, 0, 0, MC_LOCKAS, 8, 0, 0), EINVAL),
	     "MC_LOCKAS of what is EINVAL", "memcntl(2)");
	syscall(N_memcntl, p, 2 * PAGE, MC_ADVISE, MADV_FREE, 0, 0);
	KTAP_EQ(p[PAGE], 0, "MADV_FREE gives pages back", "madvise(3C)");
	p[0] = 5;
	p[2 * PAGE] = 6;
	KTAP_EQ(syscall(N_memcntl, p, PAGE, MC_INHERIT_ZERO, 0, 0, 0), 0, "MC_INHERIT_ZERO",
		"memcntl(2)");
	if (fork() == 0)
		_exit(p[0] * 16 + p[2 * PAGE]);
	waitpid(-1, &status, 0);
	KTAP_EQ(WEXITSTATUS(status), 6, "a child has zeros there", "memcntl(2)");
	munmap(p + PAGE, PAGE);
	KTAP(FAILS(syscall(N_memcntl, p, 3 * PAGE, MC_SYNC, 0, 0, 0), ENOMEM),
	     "a hole is ENOMEM", "memcntl(2)");
	char *q = mmap((void *)0x100000, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANON | MAP_ALIGN, -1, 0);
	KTAP(q != MAP_FAILED && ((uintptr_t)q & 0xfffff) == 0, "MAP_ALIGN", "mmap(2)");
	KTAP(FAILS((long)mmap((void *)0x3000, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANON | MAP_ALIGN,
			      -1, 0),
		   EINVAL),
	     "to a power of two only", "mmap(2)");
	KTAP(FAILS((long)mmap(NULL, PAGE, PROT_READ,
			      MAP_PRIVATE | MAP_ANON | MAP_TEXT | MAP_INITDATA, -1, 0),
		   EINVAL),
	     "MAP_TEXT with MAP_INITDATA is EINVAL", "mmap(2)");
}

int main(void)
{
	ktap_start("system");
	names();
	numbers();
	limits();
	memory();
	return ktap_end();
}
