/*
 * rctl - resource controls: getrctl(2), setrctl(2), resource_controls(7), setrlimit(2),
 * and what each control of a process refuses or signals.
 *
 * SPDX-License-Identifier: MIT
 */
#include "rc.h"

#define FILES "process.max-file-descriptor"
#define TASKP "task.max-processes"

static void walking(void)
{
	struct rctlblk b, next;
	uint64_t rl[2];
	int order = 1, n;

	KTAP_EQ(put(FILES, BASIC, 100, DENY, 0), 0, "a basic value is inserted", "setrctl(2)");
	KTAP(getrctl(FILES, NULL, &b, FIRST) == 0 && b.value == 100 && b.privilege == BASIC, "RCTL_FIRST is the lowest value", "getrctl(2)");
	KTAP_EQ(b.pid, getpid(), "a basic value has its process as recipient", "getrctl(2)");
	for (n = 1; getrctl(FILES, &b, &next, NEXT) == 0; n++) {
		order &= next.value >= b.value;
		b = next;
	}
	KTAP(order && n >= 3, "RCTL_NEXT walks upwards", "getrctl(2)");
	KTAP_EQ(errno, ENOENT, "and ends with ENOENT", "getrctl(2)");
	KTAP(b.privilege == SYSTEM && b.value == 0x7fffffff, "the last is the system's", "resource_controls(7)");
	KTAP(fails(getrctl("process.max-spoons", NULL, &b, FIRST), EINVAL), "an unknown control is EINVAL", "getrctl(2)");
	KTAP(fails(getrctl(FILES, NULL, NULL, FIRST), EFAULT), "no block is EFAULT", "getrctl(2)");
	KTAP(fails(getrctl(FILES, NULL, &b, 99), EINVAL), "unknown flags are EINVAL", "getrctl(2)");
	KTAP(syscall(129, 5L, rl) == 0 && rl[0] == 100, "getrlimit shows the basic value", "getrlimit(2)");
	rl[0] = 90;
	KTAP(syscall(128, 5L, rl) == 0 && getrctl(FILES, NULL, &b, FIRST) == 0 && b.value == 90, "setrlimit sets the basic value", "setrlimit(2)");
	KTAP_EQ(drop(FILES, BASIC, 90, DENY, 0), 0, "a value is deleted", "setrctl(2)");
	KTAP(fails(drop(FILES, BASIC, 90, DENY, 0), ESRCH), "a value that is not there is ESRCH", "setrctl(2)");
	KTAP(syscall(N_rctlsys, 2L, 0L, 0L, 0L, 0L, 0L) > 300, "the names are listed", "rctl_walk(3C)");
}

static int unprivileged(void)
{
	int wrong = 0;
	struct rctlblk up = rctlval(PRIVILEGED, 60000, DENY, 0), down, b;

	put(FILES, PRIVILEGED, 5000, DENY, 0);
	syscall(N_setuid, 100L);
	wrong |= !fails(put(FILES, PRIVILEGED, 65000, DENY, 0), EACCES);
	getrctl(FILES, NULL, &b, FIRST);
	while (b.privilege != PRIVILEGED && getrctl(FILES, &b, &b, NEXT) == 0)
		;
	wrong |= !fails(setrctl(FILES, &b, &up, REPLACE), EACCES) << 1;
	down = b;
	down.value = 300;
	wrong |= err(setrctl(FILES, &b, &down, REPLACE)) << 2;
	return wrong;
}

static void rules(void)
{
	struct rctlblk b, other;

	KTAP(fails(put(FILES, SYSTEM, 3, DENY, 0), EPERM), "a system value is nobody's to set", "setrctl(2)");
	KTAP(fails(put(FILES, 0x02000000, 3, DENY, 0), EINVAL), "an unknown privilege is EINVAL", "setrctl(2)");
	KTAP(fails(put(FILES, PRIVILEGED, 1ULL << 40, DENY, 0), EINVAL), "a value over the system's is EINVAL", "setrctl(2)");
	KTAP(fails(put(TASKP, PRIVILEGED, 9, SIGNAL, SIGXCPU), EINVAL), "SIGXCPU is for times alone", "rctlblk_set_local_action(3C)");
	KTAP(fails(put(TASKP, PRIVILEGED, 9, SIGNAL, SIGXFSZ), EINVAL), "SIGXFSZ is for file sizes alone", "rctlblk_set_local_action(3C)");
	KTAP(fails(put(TASKP, PRIVILEGED, 9, SIGNAL, SIGUSR1), EINVAL), "SIGUSR1 is no signal of a control", "rctlblk_set_local_action(3C)");
	KTAP(fails(put("process.max-data-size", BASIC, 9, DENY | SIGNAL, SIGTERM), EINVAL), "a size of memory sends no signal", "resource_controls(7)");
	KTAP(fails(put("process.max-cpu-time", BASIC, 9, DENY, 0), EINVAL), "time is not denied", "resource_controls(7)");
	KTAP(fails(put("project.max-tasks", BASIC, 900, DENY, 0), EPERM) || errno == EINVAL, "a project has no basic values", "resource_controls(7)");
	KTAP_EQ(put(TASKP, PRIVILEGED, 900, DENY, 0), 0, "root sets a privileged value", "setrctl(2)");
	KTAP(fails(put(TASKP, PRIVILEGED, 900, DENY, 0), EINVAL) || errno == EEXIST, "but not twice the same", "setrctl(2)");
	b = rctlval(PRIVILEGED, 900, DENY, 0);
	other = rctlval(PRIVILEGED, 800, DENY, 0);
	KTAP(setrctl(TASKP, &b, &other, REPLACE) == 0 && getrctl(TASKP, NULL, &b, FIRST) == 0 && b.value == 800, "RCTL_REPLACE puts one in place of another", "setrctl(2)");
	KTAP_EQ(drop(TASKP, PRIVILEGED, 800, DENY, 0), 0, "and it goes", "setrctl(2)");
	KTAP_EQ(in_child(unprivileged), 0, "without privilege a hard limit is only lowered", "setrlimit(2)");
	KTAP(usage(TASKP) >= 1, "RCTL_USAGE counts the processes of the task", "getrctl(2)");
	KTAP(fails(getrctl("process.max-cpu-time", NULL, &b, USAGE), ENOTSUP), "what can't be observed has no usage", "getrctl(2)");
}

static int files(void)
{
	int fd = -1, last = -1, refused;

	catch(SIGTERM);
	put(FILES, BASIC, 10, DENY | SIGNAL, SIGTERM);
	while ((fd = open("/", O_RDONLY, 0)) != -1)
		last = fd;
	refused = errno;
	return (last != 9) | (refused != EMFILE) << 1 | (hits != 1) << 2 | (hit_code != SI_RCTL) << 3 | (hit_entity != 0) << 4;
}

static int file_size(void)
{
	char buf[100] = "";
	int fd = open("/tmp/rctl", O_WRONLY | O_CREAT | O_TRUNC, 0644), wrong = 0;

	catch(SIGXFSZ);
	put("process.max-file-size", BASIC, 150, DENY | SIGNAL, SIGXFSZ);
	wrong |= write(fd, buf, 100) != 100;
	wrong |= (write(fd, buf, 100) != 50) << 1;
	wrong |= (hits != 0) << 2;
	wrong |= !fails(write(fd, buf, 1), EFBIG) << 3;
	wrong |= (hits != 1 || hit_code != SI_RCTL) << 4;
	close(fd);
	unlink("/tmp/rctl");
	return wrong;
}

static int data_size(void)
{
	extern char _end[];
	long now = ((long)_end + 4095) & ~4095L;

	put("process.max-data-size", BASIC, 1 << 20, DENY, 0);
	return err(syscall(N_brk, now + (64 << 10))) | (err(syscall(N_brk, now + (2 << 20))) != ENOMEM) << 6;
}

static int address_space(void)
{
	int f = MAP_PRIVATE | MAP_ANON;

	put("process.max-address-space", BASIC, 32 << 20, DENY, 0);
	if (mmap(NULL, 1 << 20, PROT_READ, f, -1, 0) == MAP_FAILED)
		return 1;
	return (mmap(NULL, 64 << 20, PROT_READ, f, -1, 0) != MAP_FAILED) << 1 | (errno != ENOMEM) << 2;
}

static __attribute__((noinline)) int deep(int n)
{
	volatile char room[4096];

	room[0] = (char)n;
	return n ? deep(n - 1) + room[0] : 0;
}

static int stack_fits(void)
{
	return deep(200) & 0; /* 800 KiB of the 8 MiB there are */
}

static int stack_size(void)
{
	put("process.max-stack-size", BASIC, 256 << 10, DENY, 0);
	return deep(200);
}

static int cpu_time(void)
{
	catch(SIGXCPU);
	put("process.max-cpu-time", BASIC, 1, SIGNAL, SIGXCPU);
	while (!hits)
		;
	return (hit_code != SI_RCTL) | (hit_entity != 0) << 1;
}

static int cpu_time_kills(void)
{
	put("process.max-cpu-time", BASIC, 1, SIGNAL, SIGKILL);
	for (;;)
		__asm__ volatile("");
	return 0;
}

static const char pattern[] = "/tmp/rctl.core";

static int dump(void)
{
	syscall(N_corectl, 5L, pattern, sizeof(pattern), (long)getpid()); /* its path */
	kill(getpid(), SIGABRT);
	return 0;
}

static int no_dump(void)
{
	put("process.max-core-size", BASIC, 0, DENY, 0);
	return dump();
}

static int core_there(void)
{
	int fd = open(pattern, O_RDONLY, 0);

	if (fd == -1)
		return 0;
	close(fd);
	unlink(pattern);
	return 1;
}

static int sigqueue_size(void)
{
	uint64_t rt = SIGBIT(45);
	int wrong = 0;

	sigprocmask(SIG_BLOCK, &rt, NULL);
	put("process.max-sigqueue-size", BASIC, 2, DENY, 0);
	for (long i = 0; i < 3; i++) {
		long r = syscall(SYS_sigqueue, (long)getpid(), 45L, i, -2L);

		wrong |= (i < 2 ? r != 0 : !fails(r, EAGAIN)) << i;
	}
	return wrong;
}

static int semaphores(void)
{
	struct {
		unsigned short num;
		short op, flg;
	} ops[4] = {{0, 1, 0}, {0, 1, 0}, {0, 1, 0}, {0, 1, 0}};
	long id;
	int wrong = 0;

	put("process.max-sem-nsems", BASIC, 4, DENY, 0);
	put("process.max-sem-ops", BASIC, 3, DENY, 0);
	wrong |= !fails(syscall(N_semsys, 1L, 0L, 5L, 0600L), EINVAL);
	id = syscall(N_semsys, 1L, 0L, 4L, 0600L);
	wrong |= (id == -1) << 1;
	wrong |= (err(syscall(N_semsys, 2L, id, ops, 4L)) != E2BIG) << 2;
	wrong |= (err(syscall(N_semsys, 2L, id, ops, 3L)) != 0) << 3;
	syscall(N_semsys, 0L, id, 0L, 10L, 0L);
	return wrong;
}

static int messages(void)
{
	struct {
		long type;
		char text[8];
	} m = {1, "x"};
	long id;
	int wrong = 0;

	put("process.max-msg-messages", BASIC, 3, DENY, 0);
	put("process.max-msg-qbytes", BASIC, 64, DENY, 0);
	id = syscall(N_msgsys, 0L, 0L, 0600L);
	for (long i = 0; i < 4; i++) {
		long r = syscall(N_msgsys, 3L, id, &m, 1L, 04000L); /* msgsnd, IPC_NOWAIT */

		wrong |= (i < 3 ? r != 0 : !fails(r, EAGAIN)) << i;
	}
	syscall(N_msgsys, 1L, id, 10L, 0L);
	id = syscall(N_msgsys, 0L, 0L, 0600L);
	for (long i = 0; i < 2; i++) {
		char big[8 + 40] = {1};
		long r = syscall(N_msgsys, 3L, id, big, 40L, 04000L);

		wrong |= (i < 1 ? r != 0 : !fails(r, EAGAIN)) << (4 + i);
	}
	syscall(N_msgsys, 1L, id, 10L, 0L);
	return wrong;
}

static int port_events(void)
{
	long port = syscall(182, 0x100L); /* port_create */
	int wrong = port == -1;

	put("process.max-port-events", BASIC, 2, DENY, 0);
	port = syscall(182, 0x100L); /* the limit is that of its making */
	for (long i = 0; i < 3; i++) {
		long r = syscall(182, 3L, port, i + 1, 0L); /* port_send */

		wrong |= (i < 2 ? r != 0 : !fails(r, EAGAIN)) << (i + 1);
	}
	return wrong;
}

static int inherited(void)
{
	struct rctlblk b;

	put(FILES, BASIC, 77, DENY, 0);
	pid_t pid = fork();
	int st = -1;

	if (pid == 0) {
		getrctl(FILES, NULL, &b, FIRST);
		put(FILES, BASIC, 55, DENY, 0);
		_exit(b.value != 77 || b.pid != getpid());
	}
	waitpid(pid, &st, 0);
	getrctl(FILES, NULL, &b, FIRST);
	return WEXITSTATUS(st) | (b.value != 77) << 1;
}

static int own_signal_first(void)
{
	int wrong = syscall(N_tasksys, 0L, 98L, 0L) == -1; /* a task of its own */
	uint64_t now = usage(TASKP);
	struct rctlblk b = {0};
	pid_t first, second;

	/* one value signals, the next one refuses */
	catch(SIGXRES);
	wrong |= put(TASKP, PRIVILEGED, now, SIGNAL, SIGXRES) != 0;
	wrong |= put(TASKP, PRIVILEGED, now + 1, DENY, 0) != 0;
	first = fork();
	if (first == 0) {
		msleep(1000000);
		_exit(0);
	}
	wrong |= (first == -1 || hits != 1 || hit_entity != 1) << 1;
	second = fork();
	if (second == 0)
		_exit(0);
	wrong |= !(second == -1 && errno == EAGAIN) << 2;
	getrctl(TASKP, NULL, &b, FIRST);
	wrong |= (b.fired == 0 || hits != 1) << 3;
	kill(first, SIGKILL);
	waitpid(first, NULL, 0);
	drop(TASKP, PRIVILEGED, now, SIGNAL, SIGXRES);
	drop(TASKP, PRIVILEGED, now + 1, DENY, 0);
	return wrong;
}

static void enforcing(void)
{
	KTAP_EQ(in_child(files), 0, "max-file-descriptor: EMFILE, and the signal with SI_RCTL", "resource_controls(7)");
	KTAP_EQ(in_child(file_size), 0, "max-file-size: a short write, then EFBIG and SIGXFSZ", "write(2)");
	KTAP_EQ(in_child(data_size), 0, "max-data-size: brk is ENOMEM", "brk(2)");
	KTAP_EQ(in_child(address_space), 0, "max-address-space: mmap is ENOMEM", "mmap(2)");
	KTAP_EQ(in_child(stack_fits), 0, "a stack grows while it may", "resource_controls(7)");
	KTAP_EQ(in_child(stack_size), -SIGSEGV, "max-stack-size: SIGSEGV", "getrlimit(2)");
	KTAP_EQ(in_child(cpu_time), 0, "max-cpu-time: SIGXCPU with SI_RCTL", "resource_controls(7)");
	KTAP_EQ(in_child(cpu_time_kills), -SIGKILL, "max-cpu-time: SIGKILL is not survived", "resource_controls(7)");
	KTAP(in_child(dump) == -SIGABRT && core_there(), "a core file is written", "core(5)");
	KTAP(in_child(no_dump) == -SIGABRT && !core_there(), "max-core-size 0: none is", "core(5)");
	KTAP_EQ(in_child(sigqueue_size), 0, "max-sigqueue-size: sigqueue is EAGAIN", "sigqueue(3C)");
	KTAP_EQ(in_child(semaphores), 0, "max-sem-nsems: semget is EINVAL; max-sem-ops: semop is E2BIG", "semop(2)");
	KTAP_EQ(in_child(messages), 0, "max-msg-messages, max-msg-qbytes: msgsnd is EAGAIN", "msgsnd(2)");
	KTAP_EQ(in_child(port_events), 0, "max-port-events: port_send is EAGAIN", "port_send(3C)");
	KTAP_EQ(in_child(inherited), 0, "a fork copies the controls, and they are the child's own", "FORK-29");
	KTAP_EQ(in_child(own_signal_first), 0, "a value that does not deny gives way to the next", "resource_controls(7)");
}

int main(void)
{
	ktap_start("rctl");
	walking();
	rules();
	enforcing();
	return ktap_end();
}
