/*
 * Forks as many children as it is told, in one contract, and counts what its owner is
 * told: every FORK and every EXIT once, in their order, each pid in both.
 */
#include "ct.h"

static unsigned char state[1 << 16]; /* by pid: 1 forked, 2 exited */

static void master(int forks)
{
	for (int i = 0; i < forks; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	int forks = argc > 1 ? atol(argv[1]) : 0, seen[2] = {0, 0}, lost = 0;
	int tmpl = ct_template(), events = open(CT_PROCESS "pbundle", O_RDONLY, 0);
	ctevid_t last = 0;
	ct_event_t ev;
	int ctl;

	ct_set(tmpl, CTP_EV_CRITICAL, CT_PR_EV_EMPTY | CT_PR_EV_FORK | CT_PR_EV_EXIT);
	ct_set(tmpl, CTP_EV_INFO, 0);
	ct_ioctl(tmpl, CT_TACTIVATE, NULL);
	if (fork() == 0) {
		ct_ioctl(tmpl, CT_TCLEAR, NULL);
		master(forks);
	}
	ctl = ct_open(ct_newest(), "ctl", O_WRONLY);
	for (;;) {
		if (ct_event(events, CT_ERECV, &ev) == -1)
			return 2;
		lost += ev.ctev_evid <= last;
		last = ev.ctev_evid;
		if (ct_ioctl(ctl, CT_CACK, &ev.ctev_evid) == -1)
			return 3;
		if (ev.ctev_type == CT_PR_EV_EMPTY)
			break;
		int exits = ev.ctev_type == CT_PR_EV_EXIT;
		long pid = ct_number(CTPE_PID);

		lost += state[pid] != exits;
		state[pid] = exits ? 0 : 1;
		seen[exits]++;
	}
	printf("%d forks %d exits %d wrong\n", seen[0], seen[1], lost);
	return lost != 0;
}
