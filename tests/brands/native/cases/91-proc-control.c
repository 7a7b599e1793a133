/* Control of a process through /proc: what conform/proc.c has no room for. */
#include "case.h"
#include <sys/procfs.h>

static pstatus_t st;
static volatile long counter;

static int p_open(pid_t pid, const char *name, int flags)
{
	char path[80];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return open(path, flags, 0);
}

static void status(pid_t pid)
{
	int fd = p_open(pid, "status", O_RDONLY);

	CHECK(read(fd, &st, sizeof(st)) == sizeof(st), "status of %d: %d", pid, errno);
	close(fd);
}

static long ctl(int fd, long code, const void *operand, size_t n)
{
	struct {
		long code;
		char operand[300];
	} m = {.code = code};

	memcpy(m.operand, operand, n);
	return write(fd, &m, sizeof(long) + n);
}

static long ctl1(int fd, long code, long value)
{
	return ctl(fd, code, &value, sizeof(value));
}

/* PRSTEP: one instruction each time, FLTTRACE */
static void stepping(void)
{
	pid_t pid = fork();
	int fd;
	fltset_t faults;
	long pc;

	if (pid == 0)
		for (;;)
			counter++;
	fd = p_open(pid, "ctl", O_WRONLY);
	ctl(fd, PCSTOP, NULL, 0);
	premptyset(&faults);
	praddset(&faults, FLTTRACE);
	ctl(fd, PCSFAULT, &faults, sizeof(faults));
	status(pid);
	for (int i = 0; i < 5; i++) {
		pc = st.pr_lwp.pr_reg[R_PC];
		ctl1(fd, PCRUN, PRSTEP | PRCFAULT);
		ctl(fd, PCWSTOP, NULL, 0);
		status(pid);
		CHECK(st.pr_lwp.pr_why == PR_FAULTED && st.pr_lwp.pr_what == FLTTRACE,
		      "step %d: why %d what %d", i, st.pr_lwp.pr_why, st.pr_lwp.pr_what);
		CHECK(st.pr_lwp.pr_reg[R_PC] != pc, "step %d: the pc is the same", i);
	}
	ctl1(fd, PCKILL, SIGKILL);
	close(fd);
	waitpid(pid, NULL, 0);
}

/* the agent lwp makes a call in the process, and goes */
static void agent(void)
{
	uint16_t *at = (uint16_t *)syscall;
	prgregset_t regs = {0};
	pid_t pid = fork();
	sysset_t set;
	int fd, link;

	if (pid == 0)
		for (;;)
			counter++;
	while (at[0] != 0x73 || at[1] != 0) /* ecall */
		at++;
	fd = p_open(pid, "ctl", O_WRONLY);
	regs[R_PC] = (long)at;
	regs[R_A7] = SYS_getpid;
	CHECK(ctl(fd, PCAGENT, regs, sizeof(regs)) == -1 && errno == EBUSY,
	      "an agent in what runs: %d", errno);
	ctl(fd, PCSTOP, NULL, 0);
	premptyset(&set);
	praddset(&set, SYS_getpid);
	ctl(fd, PCSEXIT, &set, sizeof(set));
	CHECK(ctl(fd, PCAGENT, regs, sizeof(regs)) > 0, "PCAGENT: %d", errno);
	CHECK(ctl(fd, PCAGENT, regs, sizeof(regs)) == -1 && errno == EBUSY, "two agents");
	link = p_open(pid, "lwp/agent/lwpctl", O_WRONLY);
	CHECK(link >= 0, "lwp/agent: %d", errno);
	close(link);
	ctl1(fd, PCRUN, 0);
	ctl(fd, PCWSTOP, NULL, 0);
	status(pid);
	CHECK(st.pr_agentid == st.pr_lwp.pr_lwpid && st.pr_lwp.pr_flags & PR_AGENT,
	      "agent %d, lwp %d", st.pr_agentid, st.pr_lwp.pr_lwpid);
	CHECK(st.pr_lwp.pr_why == PR_SYSEXIT && st.pr_lwp.pr_rval1 == pid,
	      "its call: why %d, result %ld", st.pr_lwp.pr_why, st.pr_lwp.pr_rval1);
	regs[R_A7] = SYS_lwp_exit;
	ctl(fd, PCSREG, regs, sizeof(regs));
	ctl1(fd, PCRUN, 0);
	msleep(5);
	status(pid);
	CHECK(st.pr_agentid == 0 && st.pr_nlwp == 1, "agent %d, %d lwps", st.pr_agentid,
	      st.pr_nlwp);
	CHECK(st.pr_flags & PR_ISTOP, "the process does not stand: %x", st.pr_flags);
	ctl1(fd, PCKILL, SIGKILL);
	close(fd);
	waitpid(pid, NULL, 0);
}

/* SIGKILL ends what stands, and what is told to stop on its way */
static void killed(void)
{
	pid_t pid = fork();
	sysset_t set;
	int fd;

	if (pid == 0)
		for (;;)
			syscall(SYS_getpid);
	fd = p_open(pid, "ctl", O_WRONLY);
	prfillset(&set);
	ctl(fd, PCSEXIT, &set, sizeof(set));
	ctl(fd, PCSENTRY, &set, sizeof(set));
	for (int i = 0; i < 7; i++) {
		ctl(fd, PCWSTOP, NULL, 0);
		ctl1(fd, PCRUN, 0);
	}
	kill(pid, SIGKILL);
	ctl(fd, PCDSTOP, NULL, 0);
	CHECK(waitpid(pid, NULL, 0) == pid, "it does not die");
	close(fd);
}

/* PR_FORK: the child stops out of the fork, and is traced as the parent is */
static void inheriting(void)
{
	pid_t pid = fork(), child;
	int fd, cfd;
	sysset_t set;

	if (pid == 0) {
		msleep(1);
		if (fork() == 0)
			_exit(3);
		waitpid(-1, NULL, 0);
		_exit(4);
	}
	fd = p_open(pid, "ctl", O_WRONLY);
	premptyset(&set);
	praddset(&set, SYS_forksys);
	ctl(fd, PCSEXIT, &set, sizeof(set));
	ctl1(fd, PCSET, PR_FORK);
	ctl(fd, PCWSTOP, NULL, 0);
	status(pid);
	child = st.pr_lwp.pr_rval1;
	CHECK(st.pr_lwp.pr_why == PR_SYSEXIT && child > pid, "fork gave %d", child);
	cfd = p_open(child, "ctl", O_WRONLY);
	ctl(cfd, PCWSTOP, NULL, 0);
	status(child);
	CHECK(st.pr_lwp.pr_why == PR_SYSEXIT && st.pr_lwp.pr_what == SYS_forksys,
	      "the child: why %d what %d", st.pr_lwp.pr_why, st.pr_lwp.pr_what);
	CHECK(st.pr_flags & PR_FORK, "the child's flags: %x", st.pr_flags);
	CHECK(st.pr_lwp.pr_rval1 == pid && st.pr_lwp.pr_rval2 == 1, "the child's results");
	ctl1(cfd, PCSET, PR_RLC);
	ctl1(fd, PCSET, PR_RLC);
	close(cfd);
	close(fd);
	CHECK(waitpid(pid, &fd, 0) == pid && fd == 4 << 8, "status %x", fd);
}

/* poll: POLLPRI when it stops, POLLHUP when it has gone */
static void polling(void)
{
	struct {
		int fd;
		short events, revents;
	} p;
	struct timespec ts = {10, 0};
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			msleep(1000);
	p.fd = p_open(pid, "ctl", O_WRONLY);
	p.events = 2; /* POLLPRI */
	if (fork() == 0) {
		int fd = p_open(pid, "ctl", O_WRONLY);

		msleep(10);
		ctl(fd, PCDSTOP, NULL, 0);
		_exit(0);
	}
	CHECK(syscall(183 /* pollsys */, &p, 1, &ts, NULL) == 1, "poll: %d", errno);
	CHECK(p.revents == 2, "revents %x", p.revents);
	ctl1(p.fd, PCKILL, SIGKILL);
	waitpid(pid, NULL, 0);
	CHECK(syscall(183, &p, 1, &ts, NULL) == 1 && p.revents & 0x10, "no POLLHUP: %x",
	      p.revents);
	close(p.fd);
	waitpid(-1, NULL, 0);
}

/* a set-id exec: what was open before is of no use (EAGAIN), and stays so */
static void gaining_rights(char *self)
{
	char buf[4096], *argv[] = {"/tmp/setid", "hold", NULL};
	int in = open(self, O_RDONLY, 0), out, ctlfd, stfd, as, status_;
	pid_t pid, boss;
	long n;

	out = open("/tmp/setid", O_CREAT | O_WRONLY | O_TRUNC, 0755);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		write(out, buf, n);
	close(in);
	close(out);
	syscall(15 /* chmod */, "/tmp/setid", 04755);
	boss = fork();
	if (boss != 0) {
		waitpid(boss, &status_, 0);
		CHECK(status_ == 0, "the controller ended with %x", status_);
		return;
	}
	syscall(23 /* setuid */, 100);
	pid = fork();
	if (pid == 0) {
		msleep(5);
		execve("/tmp/setid", argv, environ);
		_exit(9);
	}
	ctlfd = p_open(pid, "ctl", O_WRONLY);
	stfd = p_open(pid, "status", O_RDONLY);
	as = p_open(pid, "as", O_RDWR);
	CHECK(ctlfd >= 0 && stfd >= 0 && as >= 0, "open: %d %d %d", ctlfd, stfd, as);
	msleep(20);
	CHECK(ctl(ctlfd, PCDSTOP, NULL, 0) == -1 && errno == EAGAIN, "ctl: %d", errno);
	CHECK(read(stfd, &st, sizeof(st)) == -1 && errno == EAGAIN, "status: %d", errno);
	CHECK(read(as, buf, 1) == -1 && errno == EAGAIN, "as: %d", errno);
	CHECK(p_open(pid, "status", O_RDONLY) == -1 && errno == EACCES, "open: %d", errno);
	CHECK(kill(pid, SIGKILL) == 0, "kill: %d", errno);
	waitpid(pid, NULL, 0);
	_exit(bad);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		for (;;)
			msleep(1000);
	stepping();
	agent();
	killed();
	inheriting();
	polling();
	gaining_rights(argv[0]);
	return bad;
}
