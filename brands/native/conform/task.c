/*
 * task - tasks and projects, and the controls of task, project and zone: settaskid(2),
 * project(5), resource_controls(7).
 *
 * SPDX-License-Identifier: MIT
 */
#include "rc.h"
#include "ct.h"
#include <sys/zone.h>

#define TASK_FINAL 1
#define SETTASKID 0
#define GETTASKID 1
#define GETPROJID 2
#define MAXPROJID 0x7fffffff
#define PORT 182
#define PORT_CREATE 0x100L /* port_create: no port yet */

static long task(long code, long a, long b)
{
	return syscall(N_tasksys, code, a, b);
}

static void stay(void)
{
	for (;;)
		msleep(1000000);
}

/* fork until it is refused, at most `most` times; then end them all */
static int forks(int most, int *why)
{
	pid_t pids[32];
	int n = 0;

	while (n < most && (pids[n] = fork()) != -1) {
		if (pids[n] == 0)
			stay();
		n++;
	}
	*why = n < most ? errno : 0;
	for (int i = 0; i < n; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	return n;
}

/* ---- threads, bare ---- */

struct kucontext {
	uint64_t flags, link, mask[2], sp, size, sflags, pc, x[31], f[32];
	uint64_t fcsr;
};

static char stacks[8][4096] __attribute__((aligned(16)));

static void rest(void)
{
	stay();
}

/* make lwps until one is refused */
static int lwps(int most, int *why)
{
	struct kucontext uc;
	int n = 0, id;

	for (*why = 0; n < most; n++) {
		syscall(SYS_context, 0L, &uc);
		uc.pc = (uint64_t)rest;
		uc.x[1] = (uint64_t)stacks[n] + sizeof(stacks[n]);
		if (syscall(N_lwp_create, &uc, 0L, &id) == -1) {
			*why = errno;
			break;
		}
	}
	return n;
}

/* ---- tasks ---- */

static int final(void)
{
	if (task(SETTASKID, 5, TASK_FINAL) == -1)
		return 1;
	if (!fails(task(SETTASKID, 5, 0), EACCES))
		return 2;
	return 0;
}

static int as_user(void)
{
	syscall(N_setuid, 100L);
	return err(task(SETTASKID, 5, 0));
}

static int moved(void)
{
	long first = task(GETTASKID, 0, 0), mine = task(SETTASKID, 77, 0);
	int st = -1, wrong = 0;
	pid_t pid;

	wrong |= mine == -1 || mine == first || task(GETTASKID, 0, 0) != mine;
	wrong |= (task(GETPROJID, 0, 0) != 77) << 1;
	pid = fork();
	if (pid == 0)
		_exit(task(GETTASKID, 0, 0) != mine || task(GETPROJID, 0, 0) != 77);
	waitpid(pid, &st, 0);
	wrong |= (st != 0) << 2;
	wrong |= (usage("task.max-processes") != 1) << 3;
	return wrong;
}

static char *program;

static int exec_keeps(void)
{
	char *argv[] = {program, NULL, NULL};
	char text[24];

	task(SETTASKID, 78, 0);
	snprintf(text, sizeof(text), "%ld", task(GETTASKID, 0, 0));
	argv[1] = text;
	execve(argv[0], argv, environ);
	return 99;
}

static void tasks(void)
{
	long first = task(GETTASKID, 0, 0);

	KTAP(first >= 0 && task(GETPROJID, 0, 0) >= 0, "every process is in a task and a project", "settaskid(2)");
	KTAP_EQ(in_child(moved), 0, "settaskid makes a task of a project, which a fork inherits", "settaskid(2)");
	KTAP_EQ(task(GETTASKID, 0, 0), first, "the parent stays in its own", "settaskid(2)");
	KTAP_EQ(in_child(final), 0, "a final task is left by nobody", "settaskid(2)");
	KTAP_EQ(in_child(as_user), EPERM, "it takes a privilege", "settaskid(2)");
	KTAP(fails(task(SETTASKID, 5, 2), EINVAL), "unknown flags are EINVAL", "settaskid(2)");
	KTAP(fails(task(SETTASKID, (long)MAXPROJID + 1, 0), EINVAL), "a project beyond MAXPROJID is EINVAL", "settaskid(2)");
	KTAP(fails(task(9, 0, 0), EINVAL), "an unknown subcode is EINVAL", "settaskid(2)");
	KTAP_EQ(in_child(exec_keeps), 0, "exec keeps the task", "settaskid(2)");
}

/* ---- controls of a task ---- */

static int new_task(long project)
{
	return task(SETTASKID, project, 0) == -1;
}

static int task_processes(void)
{
	int why, n;

	new_task(80);
	put("task.max-processes", PRIVILEGED, 4, DENY, 0);
	n = forks(10, &why);
	return (n != 3) | (why != EAGAIN) << 1 | (forks(10, &why) != 3) << 2;
}

static int task_lwps(void)
{
	int why, n;

	new_task(81);
	put("task.max-lwps", PRIVILEGED, 4, DENY, 0);
	n = lwps(8, &why);
	return (n != 3) | (why != EAGAIN) << 1 | (usage("task.max-lwps") != 4) << 2;
}

static int task_lwps_signal(void)
{
	int why;

	new_task(82);
	catch(SIGXRES);
	put("task.max-lwps", PRIVILEGED, 2, SIGNAL, SIGXRES);
	lwps(3, &why);
	return (why != 0) | (hits != 1) << 1 | (hit_code != SI_RCTL) << 2 | (hit_entity != 1) << 3;
}

static int task_basic(void)
{
	int why, st = -1, n;
	pid_t pid;

	/* a basic value is for the process that set it, not for others of the task */
	new_task(83);
	pid = fork();
	if (pid == 0) {
		put("task.max-processes", BASIC, 3, DENY, 0);
		n = forks(10, &why);
		_exit(n != 1 || why != EAGAIN);
	}
	waitpid(pid, &st, 0);
	return WEXITSTATUS(st) | (forks(5, &why) != 5) << 1;
}

static int task_time(void)
{
	new_task(84);
	catch(SIGXCPU);
	put("task.max-cpu-time", PRIVILEGED, 1, SIGNAL, SIGXCPU);
	while (!hits)
		;
	return (hit_code != SI_RCTL) | (hit_entity != 1) << 1;
}

/* ---- controls of a project ---- */

static int project_processes(void)
{
	int why, n;

	new_task(90);
	put("project.max-processes", PRIVILEGED, 3, DENY, 0);
	new_task(90); /* another task of it counts as well */
	n = forks(10, &why);
	return (n != 2) | (why != EAGAIN) << 1;
}

static int project_lwps(void)
{
	int why, n;

	new_task(91);
	put("project.max-lwps", PRIVILEGED, 5, DENY, 0);
	n = lwps(8, &why);
	return (n != 4) | (why != EAGAIN) << 1;
}

static int project_tasks(void)
{
	int st = -1;
	pid_t pid;

	new_task(92);
	put("project.max-tasks", PRIVILEGED, 2, DENY, 0);
	pid = fork();
	if (pid == 0) {
		int wrong = new_task(92);

		if (fork() == 0) /* a third task */
			_exit(!fails(task(SETTASKID, 92, 0), EAGAIN));
		waitpid(-1, &st, 0);
		_exit(wrong | WEXITSTATUS(st) << 1);
	}
	waitpid(pid, &st, 0);
	return WEXITSTATUS(st);
}

static int project_contracts(void)
{
	int tmpl, st, wrong = 0;
	pid_t pid;

	new_task(93);
	put("project.max-contracts", PRIVILEGED, 1, DENY, 0);
	tmpl = ct_template();
	ct_ioctl(tmpl, CT_TACTIVATE, NULL);
	pid = fork(); /* the first contract of the project */
	if (pid == 0)
		stay();
	wrong |= pid == -1;
	wrong |= !(fork() == -1 && errno == EAGAIN) << 1;
	ct_ioctl(tmpl, CT_TCLEAR, NULL);
	kill(pid, SIGKILL);
	waitpid(pid, &st, 0);
	return wrong;
}

static int project_shm(void)
{
	long a, b, c;
	int wrong = 0;

	new_task(94);
	put("project.max-shm-memory", PRIVILEGED, 64 << 10, DENY, 0);
	a = syscall(N_shmsys, 3L, 0L, 40960L, 0600L);
	wrong |= a == -1;
	wrong |= !fails(syscall(N_shmsys, 3L, 0L, 40960L, 0600L), EINVAL) << 1;
	put("project.max-shm-ids", PRIVILEGED, 2, DENY, 0);
	b = syscall(N_shmsys, 3L, 0L, 4096L, 0600L);
	wrong |= (b == -1) << 2;
	c = syscall(N_shmsys, 3L, 0L, 4096L, 0600L);
	wrong |= !fails(c, ENOSPC) << 3;
	syscall(N_shmsys, 1L, a, 10L, 0L);
	syscall(N_shmsys, 1L, b, 10L, 0L);
	return wrong;
}

static int project_ids(void)
{
	long sem, msg;
	int wrong = 0, a, b;

	new_task(95);
	put("project.max-sem-ids", PRIVILEGED, 1, DENY, 0);
	put("project.max-msg-ids", PRIVILEGED, 1, DENY, 0);
	put("project.max-port-ids", PRIVILEGED, 1, DENY, 0);
	sem = syscall(N_semsys, 1L, 0L, 1L, 0600L);
	wrong |= sem == -1 || !fails(syscall(N_semsys, 1L, 0L, 1L, 0600L), ENOSPC);
	msg = syscall(N_msgsys, 0L, 0L, 0600L);
	wrong |= (msg == -1 || !fails(syscall(N_msgsys, 0L, 0L, 0600L), ENOSPC)) << 1;
	a = syscall(PORT, PORT_CREATE);
	b = syscall(PORT, PORT_CREATE);
	wrong |= (a == -1 || !fails(b, EAGAIN)) << 2;
	syscall(N_semsys, 0L, sem, 0L, 10L, 0L);
	syscall(N_msgsys, 1L, msg, 10L, 0L);
	return wrong;
}

static int project_shares(void)
{
	struct rctlblk b, none = {0};

	new_task(96);
	if (getrctl("project.cpu-shares", NULL, &b, FIRST) == -1 || b.value != 1)
		return 1;
	none = rctlval(PRIVILEGED, 7, NOACTION, 0);
	if (setrctl("project.cpu-shares", &b, &none, REPLACE) == -1)
		return 2;
	if (!fails(put("project.cpu-shares", PRIVILEGED, 70000, NOACTION, 0), EINVAL))
		return 3;
	return fails(put("project.cpu-shares", PRIVILEGED, 8, DENY, 0), EINVAL) ? 0 : 4;
}

/* ---- controls of a zone ---- */

static int zone_limits(void)
{
	int why, wrong = new_task(97); /* project 0 of the global zone has no such limit */
	uint64_t procs = usage("zone.max-processes"), all = usage("zone.max-lwps");

	wrong |= put("zone.max-processes", PRIVILEGED, procs + 2, DENY, 0) != 0;
	wrong |= (forks(10, &why) != 2 || why != EAGAIN) << 1;
	drop("zone.max-processes", PRIVILEGED, procs + 2, DENY, 0);
	catch(SIGXRES);
	wrong |= (put("zone.max-lwps", PRIVILEGED, all, SIGNAL, SIGXRES) != 0) << 2;
	wrong |= (put("zone.max-lwps", PRIVILEGED, all + 2, DENY, 0) != 0) << 2;
	wrong |= (lwps(8, &why) != 2 || why != EAGAIN) << 3;
	wrong |= (hits != 1 || hit_entity != 3 || hit_code != SI_RCTL) << 4;
	drop("zone.max-lwps", PRIVILEGED, all, SIGNAL, SIGXRES);
	drop("zone.max-lwps", PRIVILEGED, all + 2, DENY, 0);
	return wrong;
}

static void controls(void)
{
	KTAP_EQ(in_child(task_processes), 0, "task.max-processes: fork is EAGAIN, and works again after exits", "resource_controls(7)");
	KTAP_EQ(in_child(task_lwps), 0, "task.max-lwps: lwp_create is EAGAIN", "resource_controls(7)");
	KTAP_EQ(in_child(task_lwps_signal), 0, "task.max-lwps: a signal with the task as entity, once", "resource_controls(7)");
	KTAP_EQ(in_child(task_basic), 0, "a basic value of a task is its process' own", "setrctl(2)");
	KTAP_EQ(in_child(task_time), 0, "task.max-cpu-time: SIGXCPU", "resource_controls(7)");
	KTAP_EQ(in_child(project_processes), 0, "project.max-processes counts all tasks of the project", "project(5)");
	KTAP_EQ(in_child(project_lwps), 0, "project.max-lwps: lwp_create is EAGAIN", "resource_controls(7)");
	KTAP_EQ(in_child(project_tasks), 0, "project.max-tasks: settaskid is EAGAIN", "settaskid(2)");
	KTAP_EQ(in_child(project_contracts), 0, "project.max-contracts: a fork into a new one is EAGAIN", "contract(5)");
	KTAP_EQ(in_child(project_shm), 0, "project.max-shm-memory: EINVAL; project.max-shm-ids: ENOSPC", "shmget(2)");
	KTAP_EQ(in_child(project_ids), 0, "project.max-sem-ids, max-msg-ids, max-port-ids", "resource_controls(7)");
	KTAP_EQ(in_child(project_shares), 0, "project.cpu-shares: a number that denies nothing", "resource_controls(7)");
	if (getzoneid() == GLOBAL_ZONEID) {
		KTAP_EQ(in_child(zone_limits), 0, "zone.max-processes and zone.max-lwps deny and signal", "resource_controls(7)");
		KTAP_SKIP("a zone's root does not set zone controls", "in the global zone", "setrctl(2)");
	} else {
		KTAP_SKIP("zone.max-processes and zone.max-lwps deny and signal", "not in the global zone", "resource_controls(7)");
		KTAP(fails(put("zone.max-lwps", PRIVILEGED, 100, DENY, 0), EACCES), "a zone's root does not set zone controls", "setrctl(2)");
	}
}

int main(int argc, char **argv)
{
	if (argc > 1) /* after exec_keeps */
		return task(GETTASKID, 0, 0) != atol(argv[1]);
	ktap_start("task");
	program = argv[0];
	tasks();
	controls();
	return ktap_end();
}
