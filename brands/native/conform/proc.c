/*
 * proc - the files of /proc, and control of a process through them: proc(5).
 *
 * SPDX-License-Identifier: MIT
 */
#include "ktap.h"
#include <sys/procfs.h>

static char text[16384];
static pstatus_t st;
static lwpstatus_t lst;
static psinfo_t ps;
static volatile long variable = 0x1234;
static volatile unsigned long nowhere = 8;

static int fails(long r, int want)
{
	return r == -1 && errno == want;
}

static int p_open(pid_t pid, const char *name, int flags)
{
	char path[80];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return open(path, flags, 0);
}

static long p_read(pid_t pid, const char *name, void *buf, size_t n)
{
	int fd = p_open(pid, name, O_RDONLY);
	long r;

	if (fd == -1)
		return -1;
	r = read(fd, buf, n);
	close(fd);
	return r;
}

static int status(pid_t pid)
{
	return p_read(pid, "status", &st, sizeof(st)) == sizeof(st);
}

/* one message */
static long ctl(int fd, long code, const void *operand, size_t n)
{
	struct {
		long code;
		char operand[300];
	} m = {.code = code};

	if (n)
		memcpy(m.operand, operand, n);
	return write(fd, &m, sizeof(long) + n);
}

static long ctl1(int fd, long code, long value)
{
	return ctl(fd, code, &value, sizeof(value));
}

/* a child that adds to `variable` and calls getpid for ever */
static pid_t busy_child(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;) {
			for (int i = 0; i < 5000; i++)
				variable++;
			syscall(SYS_getpid);
		}
	return pid;
}

static pid_t sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			msleep(3600000);
	msleep(2);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void about_itself(char **argv)
{
	prheader_t *head = (prheader_t *)text;
	prcred_t *cred = (prcred_t *)text;
	prpriv_t *priv = (prpriv_t *)text;
	prmap_t *map = (prmap_t *)text;
	prxmap_t *xmap = (prxmap_t *)text;
	prusage_t usage;
	long n, stack = 0, self = 0;

	n = p_read(getpid(), "psinfo", &ps, sizeof(ps));
	KTAP_EQ(n, sizeof(psinfo_t), "psinfo is a psinfo_t", "proc(5)");
	KTAP(ps.pr_pid == getpid() && ps.pr_ppid == getppid(), "pr_pid and pr_ppid",
	     "proc(5)");
	KTAP(ps.pr_pgid == getpgrp() && ps.pr_nlwp == 1, "pr_pgid and pr_nlwp", "proc(5)");
	KTAP(ps.pr_argv == (uintptr_t)argv, "pr_argv is where argv is", "proc(5)");
	KTAP(ps.pr_envp == (uintptr_t)environ, "pr_envp is where environ is", "proc(5)");
	KTAP(!memcmp(ps.pr_psargs, argv[0], strlen(argv[0])), "pr_psargs", "proc(5)");
	KTAP_EQ(ps.pr_lwp.pr_sname, 'O', "it is on a CPU", "proc(5)");
	KTAP_EQ(ps.pr_dmodel, PR_MODEL_LP64, "its data model is LP64", "proc(5)");
	KTAP(ps.pr_size > ps.pr_rssize && ps.pr_rssize > 0, "pr_size and pr_rssize",
	     "proc(5)");
	KTAP(ps.pr_contract > 0, "pr_contract", "proc(5)");
	KTAP_EQ(p_read(getpid(), "status", text, sizeof(text)), sizeof(pstatus_t),
		"status is a pstatus_t", "proc(5)");
	n = p_read(getpid(), "lstatus", text, sizeof(text));
	KTAP(head->pr_nent == 1 && head->pr_entsize == sizeof(lwpstatus_t) &&
		     n == 16 + (long)sizeof(lwpstatus_t),
	     "lstatus: a header and one lwpstatus_t", "proc(5)");
	n = p_read(getpid(), "lpsinfo", text, sizeof(text));
	KTAP(head->pr_nent == 1 && head->pr_entsize == sizeof(lwpsinfo_t),
	     "lpsinfo: a header and one lwpsinfo_t", "proc(5)");
	n = p_read(getpid(), "usage", &usage, sizeof(usage));
	KTAP(n == sizeof(usage) && usage.pr_count == 1 &&
		     (usage.pr_utime.tv_nsec || usage.pr_utime.tv_sec),
	     "usage: prusage_t with user time", "proc(5)");
	p_read(getpid(), "cred", cred, sizeof(text));
	KTAP(cred->pr_euid == 0 && cred->pr_ruid == 0 && cred->pr_ngroups == 0, "cred",
	     "proc(5)");
	p_read(getpid(), "priv", priv, sizeof(text));
	KTAP(priv->pr_nsets == 4 && priv->pr_setsize == 3 && priv->pr_sets[0], "priv: 4 sets",
	     "proc(5)");
	KTAP_EQ(p_read(getpid(), "sigact", text, sizeof(text)), (NSIG - 1) * 32,
		"sigact: an action for each signal", "proc(5)");
	n = p_read(getpid(), "auxv", text, sizeof(text));
	KTAP(n > 0 && n % 16 == 0 && !((long *)(text + n))[-2], "auxv ends with AT_NULL",
	     "proc(5)");
	n = p_read(getpid(), "map", map, sizeof(text)) / sizeof(*map);
	for (long i = 0; i < n; i++) {
		uintptr_t lo = map[i].pr_vaddr, hi = lo + map[i].pr_size;

		if (lo <= (uintptr_t)&stack && (uintptr_t)&stack < hi)
			stack = map[i].pr_mflags;
		if (lo <= (uintptr_t)about_itself && (uintptr_t)about_itself < hi)
			self = !strcmp(map[i].pr_mapname, "a.out") ? map[i].pr_mflags : 0;
	}
	KTAP_EQ(stack, MA_READ | MA_WRITE | MA_STACK | MA_ANON, "map: the stack", "proc(5)");
	KTAP_EQ(self, MA_READ | MA_EXEC, "map: the text is of a.out", "proc(5)");
	n = p_read(getpid(), "xmap", xmap, sizeof(text));
	KTAP(n % sizeof(*xmap) == 0 && xmap[0].pr_rss > 0 && xmap[0].pr_hatpagesize == 4096,
	     "xmap: resident pages", "proc(5)");
	n = p_read(getpid(), "argv", text, sizeof(text));
	KTAP(n > 0 && !strcmp(text, argv[0]), "argv", "proc(5)");
}

static void links(void)
{
	char path[32], buf[64] = "";
	long n;
	int fd = open("/tmp/of-proc", O_CREAT | O_RDWR, 0644), again;

	write(fd, "hello", 5);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY, 0);
	KTAP(read(again, buf, 5) == 5 && !memcmp(buf, "hello", 5), "fd/N is the open file",
	     "proc(5)");
	close(again);
	snprintf(path, sizeof(path), "/proc/self/path/%d", fd);
	n = syscall(90 /* readlink */, path, buf, sizeof(buf));
	KTAP(n == 12 && !memcmp(buf, "/tmp/of-proc", 12), "path/N tells its path", "proc(5)");
	n = syscall(90, "/proc/self", buf, sizeof(buf));
	KTAP(n > 0 && atol(buf) == getpid(), "self is the reader's", "proc(5)");
	again = open("/proc/self/object/a.out", O_RDONLY, 0);
	KTAP(read(again, buf, 4) == 4 && !memcmp(buf, "\177ELF", 4), "object/a.out", "proc(5)");
	close(again);
	chdir("/tmp");
	n = syscall(90, "/proc/self/cwd", buf, sizeof(buf));
	KTAP(n == 4 && !memcmp(buf, "/tmp", 4), "cwd", "proc(5)");
	chdir("/");
	close(fd);
	unlink("/tmp/of-proc");
	KTAP(fails(open("/proc/29999/psinfo", O_RDONLY, 0), ENOENT), "no such process",
	     "proc(5)");
	KTAP(fails(p_open(getpid(), "ctl", O_RDONLY), EACCES), "ctl can't be read", "proc(5)");
}

static void stop_and_run(void)
{
	pid_t pid = busy_child();
	int fd = p_open(pid, "ctl", O_WRONLY);
	long was;
	struct {
		long stop, run, flags;
	} both = {PCSTOP, PCRUN, 0};

	KTAP(fails(ctl1(fd, PCRUN, 0), EBUSY), "PCRUN of what is not stopped", "proc(5)");
	KTAP_EQ(ctl(fd, PCSTOP, NULL, 0), 8, "PCSTOP", "proc(5)");
	status(pid);
	KTAP_EQ(st.pr_lwp.pr_flags & (PR_STOPPED | PR_ISTOP), PR_STOPPED | PR_ISTOP,
		"then it is stopped on an event of interest", "proc(5)");
	KTAP_EQ(st.pr_lwp.pr_why, PR_REQUESTED, "the reason: requested", "proc(5)");
	p_read(pid, "psinfo", &ps, sizeof(ps));
	KTAP_EQ(ps.pr_lwp.pr_sname, 'T', "psinfo says T", "proc(5)");
	KTAP_EQ(ctl1(fd, PCTWSTOP, 1), 16, "PCTWSTOP of what is stopped", "proc(5)");
	ctl1(fd, PCRUN, 0);
	msleep(1);
	status(pid);
	KTAP(!(st.pr_lwp.pr_flags & PR_STOPPED), "PCRUN", "proc(5)");
	was = st.pr_utime.tv_nsec;
	msleep(1);
	status(pid);
	KTAP(st.pr_utime.tv_nsec != was, "its user time goes on", "proc(5)");
	KTAP_EQ(ctl1(fd, PCTWSTOP, 5), 16, "PCTWSTOP gives up in time", "proc(5)");
	KTAP_EQ(write(fd, &both, sizeof(both)), sizeof(both), "two messages in one write",
		"proc(5)");
	KTAP(fails(ctl(fd, 99, NULL, 0), EINVAL), "no message 99", "proc(5)");
	KTAP(fails(ctl(fd, PCRUN, NULL, 0), EINVAL), "PCRUN without its operand", "proc(5)");
	close(fd);
	end(pid);
}

static void calls(void)
{
	pid_t pid = busy_child(), again;
	int fd = p_open(pid, "ctl", O_WRONLY), lwp;
	sysset_t set;
	prgregset_t regs;

	premptyset(&set);
	praddset(&set, SYS_getpid);
	ctl(fd, PCSTOP, NULL, 0);
	ctl(fd, PCSENTRY, &set, sizeof(set));
	ctl1(fd, PCRUN, 0);
	KTAP_EQ(ctl(fd, PCWSTOP, NULL, 0), 8, "PCWSTOP", "proc(5)");
	status(pid);
	KTAP(st.pr_lwp.pr_why == PR_SYSENTRY && st.pr_lwp.pr_what == SYS_getpid,
	     "PCSENTRY: it stands before getpid", "proc(5)");
	KTAP_EQ(st.pr_lwp.pr_syscall, SYS_getpid, "pr_syscall", "proc(5)");
	KTAP(prismember(&st.pr_sysentry, SYS_getpid), "pr_sysentry tells the set", "proc(5)");
	KTAP_EQ(st.pr_lwp.pr_reg[R_A7], SYS_getpid, "a7 is the number", "proc(5)");
	premptyset(&set);
	ctl(fd, PCSENTRY, &set, sizeof(set));
	praddset(&set, SYS_getpid);
	ctl(fd, PCSEXIT, &set, sizeof(set));
	ctl1(fd, PCRUN, 0);
	ctl(fd, PCWSTOP, NULL, 0);
	status(pid);
	KTAP(st.pr_lwp.pr_why == PR_SYSEXIT && st.pr_lwp.pr_rval1 == pid &&
		     st.pr_lwp.pr_errno == 0,
	     "PCSEXIT: it stands behind it, the result is there", "proc(5)");
	memcpy(regs, st.pr_lwp.pr_reg, sizeof(regs));
	regs[6] = 0x5555;
	KTAP_EQ(ctl(fd, PCSREG, regs, sizeof(regs)), 264, "PCSREG", "proc(5)");
	snprintf(text, sizeof(text), "/proc/%d/lwp/1/lwpstatus", pid);
	lwp = open(text, O_RDONLY, 0);
	KTAP(read(lwp, &lst, sizeof(lst)) == sizeof(lst) && lst.pr_reg[6] == 0x5555,
	     "lwpstatus shows the register", "proc(5)");
	close(lwp);
	ctl1(fd, PCSET, PR_FORK | PR_RLC);
	status(pid);
	KTAP_EQ(st.pr_flags & (PR_FORK | PR_RLC | PR_KLC), PR_FORK | PR_RLC, "PCSET",
		"proc(5)");
	ctl1(fd, PCUNSET, PR_FORK);
	KTAP(fails(ctl1(fd, PCSET, 1), EINVAL), "no such mode", "proc(5)");
	close(fd);
	msleep(1);
	status(pid);
	KTAP(!(st.pr_flags & PR_STOPPED) && !prismember(&st.pr_sysexit, SYS_getpid),
	     "PR_RLC: with the last close it runs, untraced", "proc(5)");
	fd = p_open(pid, "ctl", O_WRONLY | O_EXCL);
	KTAP(fd >= 0, "O_EXCL", "proc(5)");
	KTAP(fails(p_open(pid, "as", O_RDWR), EBUSY), "then nobody else may write", "proc(5)");
	KTAP((again = p_open(pid, "status", O_RDONLY)) >= 0, "but read", "proc(5)");
	ctl1(fd, PCSET, PR_KLC);
	close(fd);
	KTAP_EQ(waitpid(pid, NULL, 0), pid, "PR_KLC: with the last close it dies", "proc(5)");
	KTAP(fails(read(again, &st, sizeof(st)), ENOENT), "a process that has gone: ENOENT",
	     "proc(5)");
	close(again);
}

static void signals_and_faults(void)
{
	pid_t pid = sleeper();
	int fd = p_open(pid, "ctl", O_WRONLY), end_status;
	fltset_t faults;
	pr_sigset_t sigs;

	premptyset(&sigs);
	praddset(&sigs, SIGUSR1);
	ctl(fd, PCSTRACE, &sigs, sizeof(sigs));
	kill(pid, SIGUSR1);
	ctl(fd, PCWSTOP, NULL, 0);
	status(pid);
	KTAP(st.pr_lwp.pr_why == PR_SIGNALLED && st.pr_lwp.pr_what == SIGUSR1,
	     "PCSTRACE: it stands on the signal", "proc(5)");
	KTAP_EQ(st.pr_lwp.pr_cursig, SIGUSR1, "pr_cursig", "proc(5)");
	KTAP(st.pr_lwp.pr_info[0] == SIGUSR1 &&
		     st.pr_lwp.pr_info[4] == getpid(),
	     "pr_info tells who has sent it", "proc(5)");
	ctl1(fd, PCRUN, PRCSIG);
	msleep(1);
	status(pid);
	KTAP(st.pr_lwp.pr_flags & PR_ASLEEP, "PRCSIG: the signal is gone, it sleeps on",
	     "proc(5)");
	KTAP_EQ(ctl1(fd, PCKILL, SIGUSR1), 16, "PCKILL", "proc(5)");
	ctl(fd, PCWSTOP, NULL, 0);
	KTAP_EQ(ctl(fd, PCCSIG, NULL, 0), 8, "PCCSIG", "proc(5)");
	KTAP(fails(ctl1(fd, PCKILL, 99), EINVAL), "no signal 99", "proc(5)");
	ctl1(fd, PCRUN, 0);
	premptyset(&sigs);
	praddset(&sigs, SIGUSR2);
	ctl(fd, PCSHOLD, &sigs, sizeof(sigs));
	ctl1(fd, PCKILL, SIGUSR2);
	status(pid);
	KTAP(prismember(&st.pr_lwp.pr_lwphold, SIGUSR2) && prismember(&st.pr_sigpend, SIGUSR2),
	     "PCSHOLD: blocked, so it is pending", "proc(5)");
	ctl1(fd, PCUNKILL, SIGUSR2);
	status(pid);
	KTAP(!prismember(&st.pr_sigpend, SIGUSR2), "PCUNKILL", "proc(5)");
	close(fd);
	end(pid);

	pid = fork();
	if (pid == 0) {
		msleep(5);
		*(volatile int *)nowhere = 1;
		_exit(1);
	}
	fd = p_open(pid, "ctl", O_WRONLY);
	premptyset(&faults);
	praddset(&faults, FLTBOUNDS);
	ctl(fd, PCSFAULT, &faults, sizeof(faults));
	ctl(fd, PCWSTOP, NULL, 0);
	status(pid);
	KTAP(st.pr_lwp.pr_why == PR_FAULTED && st.pr_lwp.pr_what == FLTBOUNDS,
	     "PCSFAULT: it stands on the fault", "proc(5)");
	KTAP_EQ(st.pr_lwp.pr_info[4], nowhere, "pr_info has the address", "proc(5)");
	ctl1(fd, PCRUN, 0);
	waitpid(pid, &end_status, 0);
	KTAP_EQ(WTERMSIG(end_status), SIGSEGV, "going on, it gets its signal", "proc(5)");
	KTAP(fails(ctl(fd, PCSTOP, NULL, 0), ENOENT), "control of what has gone: ENOENT",
	     "proc(5)");
	close(fd);
}

static void memory(void)
{
	pid_t pid = sleeper();
	int as = p_open(pid, "as", O_RDWR), fd = p_open(pid, "ctl", O_WRONLY);
	long value = 0;
	priovec_t io = {&value, sizeof(value), (long)&variable};
	prwatch_t watch = {(uintptr_t)&variable, sizeof(variable), WA_WRITE, 0};

	variable = 1;
	lseek(as, (off_t)&variable, SEEK_SET);
	KTAP(read(as, &value, sizeof(value)) == sizeof(value) && value != 1,
	     "as is the process' own memory", "proc(5)");
	value = 0x77;
	lseek(as, (off_t)&variable, SEEK_SET);
	KTAP_EQ(write(as, &value, sizeof(value)), sizeof(value), "it can be written", "proc(5)");
	value = 0;
	KTAP(ctl(fd, PCREAD, &io, sizeof(io)) == 32 && value == 0x77, "PCREAD", "proc(5)");
	value = 0x99;
	ctl(fd, PCWRITE, &io, sizeof(io));
	value = 0;
	lseek(as, (off_t)&variable, SEEK_SET);
	read(as, &value, sizeof(value));
	KTAP_EQ(value, 0x99, "PCWRITE", "proc(5)");
	lseek(as, 64, SEEK_SET);
	KTAP(fails(read(as, &value, 8), EIO), "nothing is mapped there: EIO", "proc(5)");
	lseek(as, (off_t)memory, SEEK_SET);
	KTAP_EQ(write(as, "\0\0", 2), 2, "text can be written, too", "proc(5)");
	KTAP(ctl(fd, PCWATCH, &watch, sizeof(watch)) == 32 &&
		     p_read(pid, "watch", text, sizeof(text)) == sizeof(watch) &&
		     !memcmp(text, &watch, sizeof(watch)),
	     "PCWATCH, and the file watch", "proc(5)");
	close(as);
	close(fd);
	end(pid);
}

static void zombies(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(5);
	msleep(5);
	KTAP(p_read(pid, "psinfo", &ps, sizeof(ps)) == sizeof(ps) && ps.pr_nlwp == 0 &&
		     ps.pr_lwp.pr_sname == 'Z',
	     "a zombie has its psinfo", "proc(5)");
	KTAP_EQ(ps.pr_wstat, 5 << 8, "with its wait status", "proc(5)");
	KTAP(fails(p_open(pid, "status", O_RDONLY), ENOENT), "and no status", "proc(5)");
	waitpid(pid, NULL, 0);
	KTAP(fails(p_open(pid, "psinfo", O_RDONLY), ENOENT), "once reaped it is not there",
	     "proc(5)");
}

static void of_others(void)
{
	pid_t root = getpid(), pid = fork();
	int status_;

	if (pid == 0) {
		syscall(23 /* setuid */, 100);
		if (p_read(root, "psinfo", &ps, sizeof(ps)) != sizeof(ps))
			_exit(1);
		if (!fails(p_open(root, "status", O_RDONLY), EACCES))
			_exit(2);
		if (!fails(p_open(root, "ctl", O_WRONLY), EACCES))
			_exit(3);
		if (!fails(p_open(root, "fd/0", O_RDONLY), EACCES))
			_exit(4);
		_exit(p_read(getpid(), "status", &st, sizeof(st)) == sizeof(st) ? 0 : 5);
	}
	waitpid(pid, &status_, 0);
	KTAP_EQ(WEXITSTATUS(status_), 0, "another user may read psinfo and no more", "proc(5)");
}

int main(int argc, char **argv)
{
	(void)argc;
	ktap_start("proc");
	about_itself(argv);
	links();
	stop_and_run();
	calls();
	signals_and_faults();
	memory();
	zombies();
	of_others();
	return ktap_end();
}
