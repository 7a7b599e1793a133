/* libcontract: a contract from its template to its last event. */
#include <fcntl.h>
#include <libcontract.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	int tmpl = open(CTFS_ROOT "/process/template", O_RDWR);
	int events = open(CTFS_ROOT "/process/pbundle", O_RDONLY);
	int status = 0, fd;
	unsigned count = 0, params = 0;
	pid_t *members = NULL, pid, who = 0;
	char path[80], *text = NULL, fmri[20] = "";
	ct_stathdl_t st;
	ct_evthdl_t ev;
	ctid_t id;

	printf("%d", ct_pr_tmpl_set_param(tmpl, CT_PR_NOORPHAN));
	printf("%d", ct_tmpl_set_critical(tmpl, CT_PR_EV_EMPTY | CT_PR_EV_EXIT));
	printf("%d", ct_pr_tmpl_set_svc_aux(tmpl, "a service"));
	printf("%d", ct_pr_tmpl_set_param(tmpl, 0x100)); /* EINVAL */
	printf(" %d", ct_pr_tmpl_get_svc_fmri(tmpl, fmri, sizeof fmri));
	printf(" %s\n", fmri);
	ct_tmpl_activate(tmpl);
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	ct_tmpl_clear(tmpl);

	fd = open(CTFS_ROOT "/process/latest", O_RDONLY);
	printf("%d", ct_status_read(fd, CTD_ALL, &st));
	id = ct_status_get_id(st);
	printf(" %s %d", ct_status_get_type(st), ct_status_get_state(st) == CTS_OWNED);
	printf(" %d", ct_status_get_holder(st) == getpid());
	ct_pr_status_get_members(st, &members, &count);
	ct_pr_status_get_param(st, &params);
	ct_pr_status_get_svc_aux(st, &text);
	printf(" %u %d %u %s\n", count, members[0] == pid, params, text);
	ct_status_free(st);

	kill(pid, SIGKILL);
	printf("%d", ct_event_read(events, &ev));
	ct_pr_event_get_pid(ev, &who);
	ct_pr_event_get_exitstatus(ev, &status);
	printf(" %d %d %d", ct_event_get_type(ev) == CT_PR_EV_EXIT, who == pid,
	       WTERMSIG(status));
	printf(" %d\n", ct_event_get_ctid(ev) == id);
	ct_event_free(ev);
	snprintf(path, sizeof path, CTFS_ROOT "/process/%d/ctl", id);
	fd = open(path, O_WRONLY);
	ct_event_read(events, &ev);
	printf("%d", ct_event_get_type(ev) == CT_PR_EV_EMPTY);
	printf(" %d", ct_ctl_ack(fd, ct_event_get_evid(ev)));
	printf(" %d", ct_ctl_ack(fd, ct_event_get_evid(ev)));
	printf(" %d\n", ct_ctl_abandon(fd));
	return 0;
}
