/*
 * zoneview - what crosses the border of a zone: /proc, contracts and their events,
 * siginfo: zones(7), proc(5), contract(5), siginfo.h(3HEAD).
 *
 * Runs in a global zone that has a file tree.
 *
 * SPDX-License-Identifier: MIT
 */
#include "zonelib.h"

#include <sys/procfs.h>

#define WHOLE 256 /* siginfo_t */

static struct {
	int global, own, listed, kids, contract, codes[3];
} view;

static volatile int from[3]; /* si_code, si_pid, si_zoneid of a signal */

static void on_usr1(int sig, int *info, void *ctx)
{
	(void)sig;
	(void)ctx;
	from[1] = info[4];
	from[2] = info[11];
	from[0] = info[1] + 1000;
}

static long psinfo(pid_t pid, psinfo_t *ps)
{
	char path[64];
	int fd;
	long n;

	snprintf(path, sizeof(path), "/proc/%d/psinfo", pid);
	fd = open(path, O_RDONLY, 0);
	if (fd == -1)
		return -1;
	n = read(fd, ps, sizeof(*ps));
	close(fd);
	return n;
}

/* numbers in a directory, other than those of a list */
static int others(const char *path, const int *known, int n)
{
	static char buf[8192];
	int fd = open(path, O_RDONLY, 0), found = 0;
	long got;

	while ((got = syscall(81, (long)fd, buf, sizeof(buf))) > 0) /* getdents */
		for (long at = 0; at < got;) {
			char *name = buf + at + 18;
			int number = (int)atol(name), old = *name < '0' || *name > '9';

			for (int i = 0; i < n; i++)
				old |= known[i] == number;
			found += !old;
			at += *(unsigned short *)(buf + at + 16);
		}
	close(fd);
	return found;
}

/* the init of the zone */
static void look(pid_t global, int contract)
{
	int known[2] = {getpid(), getppid()};
	char path[64];
	psinfo_t ps;

	sigaction(SIGUSR1, (sighandler_t)(void *)on_usr1, SA_SIGINFO, 0);
	view.global = err(psinfo(global, &ps));
	view.own = psinfo(getpid(), &ps) == (long)sizeof(ps) && ps.pr_zoneid == getzoneid();
	view.listed = others("/proc", known, 2);
	snprintf(path, sizeof(path), CT_PROCESS "%d/status", contract);
	view.contract = err(open(path, O_RDONLY, 0));
	write_saw(&view, sizeof(view));
	while (!from[0])
		msleep(1);
	view.codes[0] = from[0] - 1000;
	view.codes[1] = from[1];
	view.codes[2] = from[2];
	unlink("/saw");
	write_saw(&view, sizeof(view));
	pause_for_ever();
}

static int zone_pipe[2], told[2];

/* a member of a contract of the global zone, inside the zone */
static int member(long id)
{
	ct_status_t st;
	ctid_t mine;
	char byte;

	if (read(told[0], &mine, sizeof(mine)) != sizeof(mine) || zone_enter((zoneid_t)id) == -1)
		return 1;
	write(zone_pipe[1], "i", 1);
	read(told[0], &byte, 1);
	if (ct_status_of(mine, &st) == -1)
		return 2; /* not seen inside */
	if (st.ctst_zoneid != id)
		return 3;
	if (st.ctst_holder != getppid())
		return 4; /* inside, holder and parent are zsched */
	return ct_status_of(1, &st) == -1 ? 0 : 5;
}

static void contracts(zoneid_t id)
{
	int tmpl = ct_template(), events = open(CT_PROCESS "pbundle", O_RDONLY, 0);
	int wait[WHOLE / 4], empty = 0;
	ct_status_t st;
	ct_event_t ev;
	ctid_t ct;
	char byte;
	pid_t pid;

	pipe(zone_pipe);
	pipe(told);
	ct_ioctl(tmpl, CT_TACTIVATE, NULL);
	pid = fork();
	ct_ioctl(tmpl, CT_TCLEAR, NULL);
	if (pid == 0)
		_exit(member(id));
	ct = ct_newest();
	KTAP(ct_status_of(ct, &st) == 0 && st.ctst_zoneid == 0, "a contract of the global zone is about that zone", "contract(5)");
	write(told[1], &ct, sizeof(ct));
	read(zone_pipe[0], &byte, 1);
	KTAP(ct_status_of(ct, &st) == 0 && st.ctst_zoneid == id, "when its member has entered a zone it is about that one", "zone_enter(3C)");
	KTAP_EQ(st.ctst_holder, getpid(), "and its holder is still outside", "contract(5)");
	write(told[1], "x", 1);
	memset(wait, 0, sizeof(wait));
	syscall(SYS_waitid, (long)P_PID, (long)pid, wait, (long)WEXITED);
	KTAP_EQ(wait[8], 0, "inside it is seen as a contract of the zone, held by zsched; others are not", "contract(5)");
	KTAP(wait[1] == CLD_EXITED && wait[4] == pid, "the parent outside waits for it", "waitid(2)");
	KTAP_EQ(wait[13], id, "si_zoneid of a child is the child's zone", "siginfo.h(3HEAD)");
	while (ct_event(events, CT_ERECV, &ev) == 0)
		if (ev.ctev_id == ct && ev.ctev_type == CT_PR_EV_EMPTY) {
			empty = 1;
			break;
		}
	KTAP(empty, "the event that it is empty comes out of the zone", "process(5)");
	KTAP_EQ(ct_ctl(ct, CT_CABANDON, 0), 0, "its holder abandons it", "contract(5)");
}

int main(int argc, char **argv)
{
	zoneid_t id;
	psinfo_t ps;
	char args[64];
	int initpid = -1;

	if (getzoneid() != GLOBAL_ZONEID && argc > 2)
		look(atol(argv[1]), atol(argv[2]));
	default_privs();
	ktap_start("zone");
	copy(argv[0], "/self");
	make_root("one", "/self");
	id = create("one", "/zones/one/root");
	snprintf(args, sizeof(args), "%d 1", getpid());
	boot_with(id, args);
	zone_getattr(id, ZONE_ATTR_INITPID, &initpid, sizeof(initpid));
	KTAP(read_saw("one", &view, sizeof(view)), "the zone is up", "zone_boot(3C)");
	KTAP_EQ(view.global, ENOENT, "inside, /proc has no process of the global zone", "proc(5)");
	KTAP(view.own, "inside, /proc has the zone's own, with its zone", "proc(5)");
	KTAP_EQ(view.listed, 0, "inside, /proc lists the zone's processes and zsched", "proc(5)");
	KTAP(view.contract == ENOENT, "inside, there is no contract of the global zone", "contract(5)");
	KTAP(psinfo(initpid, &ps) == (long)sizeof(ps) && ps.pr_zoneid == id, "outside, /proc has the processes of all zones", "proc(5)");
	KTAP(!strcmp(ps.pr_fname, "init") && ps.pr_pid == initpid, "by their names and numbers", "proc(5)");
	unlink("/zones/one/root/saw");
	kill(initpid, SIGUSR1);
	read_saw("one", &view, sizeof(view));
	KTAP_EQ(view.codes[0], 0, "a signal from the global zone is SI_USER", "siginfo.h(3HEAD)");
	KTAP_EQ(view.codes[1], getpid(), "with the sender's number", "siginfo.h(3HEAD)");
	KTAP_EQ(view.codes[2], 0, "and the sender's zone", "siginfo.h(3HEAD)");
	contracts(id);
	KTAP(zone_shutdown(id) == 0 && zone_destroy(id) == 0, "the zone ends", "zone_destroy(3C)");
	return ktap_end();
}
