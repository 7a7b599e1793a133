/*
 * contract - contract files, templates, events and what becomes of a contract whose
 * owner goes: contract(5), process(5), libcontract(3LIB).
 *
 * SPDX-License-Identifier: MIT
 */
#include "ktap.h"
#include "ct.h"

static ct_status_t st;
static ct_event_t ev;
static int tmpl, events;

static int fails(int r, int want)
{
	return r == -1 && errno == want;
}

static void pause_for_ever(void)
{
	for (;;)
		msleep(3600000);
}

/* fork under the template: a new contract */
static pid_t fork_into(void)
{
	pid_t pid;

	ct_ioctl(tmpl, CT_TACTIVATE, NULL);
	pid = fork();
	ct_ioctl(tmpl, CT_TCLEAR, NULL);
	return pid;
}

static void terms(void)
{
	char text[64];
	ct_param_t p = {CTPP_SVC_FMRI, sizeof(text), text};
	uint32_t word = 0;

	KTAP(fails(open(CT_PROCESS "template", O_RDONLY, 0), EINVAL),
	     "a template is opened for reading and writing", "contract(5)");
	tmpl = ct_template();
	KTAP(tmpl >= 0, "open of template", "contract(5)");
	KTAP_EQ(ct_get(tmpl, CTPP_EV_FATAL), CT_PR_EV_HWERR,
		"fatal by default: HWERR", "process(5)");
	KTAP_EQ(ct_get(tmpl, CTP_EV_CRITICAL), CT_PR_EV_EMPTY | CT_PR_EV_HWERR,
		"critical by default: EMPTY and HWERR", "process(5)");
	KTAP_EQ(ct_get(tmpl, CTP_EV_INFO), CT_PR_EV_CORE | CT_PR_EV_SIGNAL,
		"informative by default: CORE and SIGNAL", "process(5)");
	KTAP_EQ(ct_get(tmpl, CTPP_PARAMS), 0, "no parameters by default", "process(5)");
	KTAP(fails(ct_set(tmpl, CTPP_PARAMS, 0x100), EINVAL),
	     "unknown parameters are refused", "ct_pr_tmpl_set_param(3CONTRACT)");
	KTAP(fails(ct_set(tmpl, CTPP_EV_FATAL, CT_PR_EV_EMPTY), EINVAL),
	     "EMPTY can't be fatal", "ct_pr_tmpl_set_fatal(3CONTRACT)");
	KTAP(fails(ct_set(tmpl, 77, 0), EINVAL), "there is no term 77",
	     "ct_tmpl_set_critical(3CONTRACT)");
	ct_set(tmpl, CTP_COOKIE, 0x1122334455667788);
	KTAP_EQ(ct_get(tmpl, CTP_COOKIE), 0x1122334455667788, "the cookie has 64 bits",
		"ct_tmpl_set_cookie(3CONTRACT)");
	KTAP(ct_ioctl(tmpl, CT_TGET, &p) == 0 && !strcmp(text, CT_PR_SVC_DEFAULT),
	     "the FMRI is inherited by default", "ct_pr_tmpl_set_svc_fmri(3CONTRACT)");
	KTAP_EQ(p.ctpm_size, 9, "and its length is told", "ct_pr_tmpl_get_svc_fmri(3CONTRACT)");
	p = (ct_param_t){CTP_EV_INFO, 2, &word};
	KTAP(fails(ct_ioctl(tmpl, CT_TGET, &p), EINVAL), "two bytes are no room for a set",
	     "contract(5)");
	KTAP(fails(ct_ioctl(tmpl, CT_TSET, (void *)8), EFAULT), "a bad pointer is EFAULT",
	     "ioctl(2)");
	KTAP(fails(ct_ioctl(tmpl, CT_TCREATE, NULL), EINVAL),
	     "a process contract is made by a fork only", "process(5)");
	KTAP(fails(ct_ioctl(tmpl, CT_CABANDON, NULL), EINVAL),
	     "a template does not take requests of ctl files", "contract(5)");
}

static void made_by_fork(void)
{
	ct_status_t mine;
	ctid_t id, own;
	pid_t pid;
	int count = 0, fd;
	uint32_t *list;

	KTAP(fails(open(CT_PROCESS "latest", O_RDONLY, 0), ESRCH),
	     "no latest contract before the first", "contract(5)");
	ct_set_text(tmpl, CTPP_CREATOR_AUX, "aux text");
	ct_set(tmpl, CTPP_PARAMS, CT_PR_NOORPHAN);
	ct_set(tmpl, CTP_EV_INFO, CT_PR_EV_FORK | CT_PR_EV_EXIT | CT_PR_EV_SIGNAL);
	pid = fork_into();
	if (pid == 0)
		pause_for_ever();
	id = ct_newest();
	KTAP(id > 0, "a fork under an active template makes a contract", "FORK-31");
	fd = ct_open(id, "status", O_RDONLY);
	KTAP_EQ(ct_read_status(fd, CTD_COMMON, &st), 0, "its status can be read",
		"ct_status_read(3CONTRACT)");
	KTAP_EQ(st.ctst_holder, getpid(), "the parent holds it", "FORK-31");
	KTAP_EQ(st.ctst_state, CTS_OWNED, "it is owned", "contract(5)");
	KTAP_EQ(st.ctst_type, CTT_PROCESS, "its type is process", "contract(5)");
	KTAP_EQ(st.ctst_cookie, 0x1122334455667788, "it has the template's cookie",
		"contract(5)");
	KTAP_EQ(st.ctst_critical, CT_PR_EV_EMPTY | CT_PR_EV_HWERR,
		"and its critical events", "FORK-31");
	KTAP_EQ(st.ctst_ntime, -1, "nothing is negotiated", "ct_status_get_ntime(3CONTRACT)");
	ct_read_status(fd, CTD_FIXED, &st);
	KTAP_EQ(ct_number(CTPS_PARAMS), CT_PR_NOORPHAN, "CTD_FIXED has the parameters",
		"ct_pr_status_get_param(3CONTRACT)");
	KTAP(ct_value(CTPS_MEMBERS, NULL) == NULL, "CTD_FIXED has no members",
	     "ct_status_read(3CONTRACT)");
	ct_read_status(fd, CTD_ALL, &st);
	list = ct_value(CTPS_MEMBERS, &count);
	KTAP(list && count == 1 && list[0] == (uint32_t)pid, "CTD_ALL: the child is its member",
	     "FORK-31");
	KTAP(!strcmp(ct_value(CTPS_CREATOR_AUX, NULL), "aux text"), "the creator's text",
	     "ct_pr_status_get_svc_aux(3CONTRACT)");
	st.ctst_nbytes = 8;
	KTAP(ct_ioctl(fd, CT_SSTATUS, &st) == 0 && st.ctst_nbytes > 8,
	     "a small buffer: the size that is needed", "ct_status_read(3CONTRACT)");
	st.ctst_detail = 3;
	KTAP(fails(ct_ioctl(fd, CT_SSTATUS, &st), EINVAL), "there is no detail 3",
	     "ct_status_read(3CONTRACT)");
	close(fd);

	own = fork() ? 0 : 1;
	if (own)
		_exit(ct_newest() == -1 && errno == ESRCH ? 0 : 1);
	waitpid(-1, &count, 0);
	KTAP_EQ(count, 0, "a forked child has no latest contract", "FORK-29");
	KTAP(fails(ct_open(999999, "status", O_RDONLY), ENOENT), "no contract 999999",
	     "contract(5)");
	KTAP(fails(ct_open(id, "ctl", O_RDWR), EINVAL), "ctl is opened for writing only",
	     "contract(5)");
	ct_status_of(id, &mine);
	KTAP_EQ(mine.ctst_nevents, 0, "no critical event waits", "contract(5)");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ct_status_of(id, &mine);
	KTAP_EQ(mine.ctst_nevents, 1, "the EMPTY event waits", "process(5)");
	list = ct_value(CTPS_MEMBERS, &count);
	KTAP(list && count == 0, "no members any more", "process(5)");
	KTAP_EQ(ct_ctl(id, CT_CABANDON, 0), 0, "the owner abandons it",
		"ct_ctl_abandon(3CONTRACT)");
	KTAP(fails(ct_open(id, "ctl", O_WRONLY), EACCES) || errno == ENOENT,
	     "and has nothing to do with it then", "contract(5)");
}

static int next(int type)
{
	return ct_event(events, CT_ERECV, &ev) == 0 && (int)ev.ctev_type == type;
}

static void told(void)
{
	ctid_t id;
	pid_t pid, grandchild;
	ctevid_t empty;
	int fds[2];
	struct timespec now = {0, 0};
	struct {
		int fd;
		short events, revents;
	} p = {-1, 1, 0};

	events = p.fd = open(CT_PROCESS "pbundle", O_RDONLY | O_NONBLOCK, 0);
	KTAP(events >= 0, "open of pbundle", "contract(5)");
	KTAP(fails(ct_event(events, CT_ERECV, &ev), EAGAIN), "no event yet: EAGAIN",
	     "ct_event_read(3CONTRACT)");
	KTAP_EQ(syscall(183 /* pollsys */, &p, 1, &now, NULL), 0, "poll: nothing to read",
		"contract(5)");
	pipe(fds);
	ct_set(tmpl, CTPP_PARAMS, 0);
	pid = fork_into();
	if (pid == 0) {
		grandchild = fork();
		if (grandchild == 0)
			_exit(3);
		write(fds[1], &grandchild, sizeof(grandchild));
		waitpid(grandchild, NULL, 0);
		pause_for_ever();
	}
	read(fds[0], &grandchild, sizeof(grandchild));
	id = ct_newest();
	msleep(10);
	KTAP(syscall(183, &p, 1, &now, NULL) == 1 && p.revents == 1, "poll: POLLIN",
	     "contract(5)");
	KTAP(next(CT_PR_EV_FORK), "FORK of the first member", "FORK-32");
	KTAP_EQ(ct_number(CTPE_PID), pid, "its ctpe_pid", "FORK-32");
	KTAP_EQ(ct_number(CTPE_PPID), getpid(), "its ctpe_ppid", "FORK-32");
	KTAP_EQ(ev.ctev_flags, CTE_INFO, "it is informative", "FORK-32");
	KTAP_EQ(ev.ctev_id, id, "the event names its contract", "contract(5)");
	KTAP(next(CT_PR_EV_FORK) && ct_number(CTPE_PID) == grandchild,
	     "FORK of the second member", "FORK-32");
	KTAP(next(CT_PR_EV_EXIT) && ct_number(CTPE_PID) == grandchild, "EXIT of it",
	     "process(5)");
	KTAP_EQ(ct_number(CTPE_EXITSTATUS), 3 << 8, "with its status",
		"ct_pr_event_get_exitstatus(3CONTRACT)");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	KTAP(next(CT_PR_EV_EXIT), "the owner's kill is no SIGNAL event, EXIT comes",
	     "process(5)");
	ev.ctev_nbytes = 4;
	ct_ioctl(events, CT_ERECV, &ev);
	KTAP(ev.ctev_nbytes > 4, "a small buffer: the size needed", "ct_event_read(3CONTRACT)");
	KTAP(next(CT_PR_EV_EMPTY), "and the event is still the next: EMPTY", "process(5)");
	KTAP_EQ(ev.ctev_flags, 0, "which is critical", "process(5)");
	empty = ev.ctev_evid;
	KTAP(fails(ct_event(events, CT_ERECV, &ev), EAGAIN), "no more events",
	     "ct_event_read(3CONTRACT)");
	KTAP_EQ(ct_ioctl(events, CT_ERESET, NULL), 0, "reset", "ct_event_reset(3CONTRACT)");
	KTAP(ct_event(events, CT_ECRECV, &ev) == 0 && ev.ctev_evid == empty,
	     "the critical event is there until it is acknowledged",
	     "ct_event_read_critical(3CONTRACT)");
	KTAP(fails(ct_ctl(id, CT_CACK, empty + 1000), ESRCH), "ack of no event",
	     "ct_ctl_ack(3CONTRACT)");
	KTAP(fails(ct_ctl(id, CT_CNACK, empty), ESRCH), "a process contract negotiates nothing",
	     "ct_ctl_nack(3CONTRACT)");
	KTAP_EQ(ct_ctl(id, CT_CACK, empty), 0, "ack", "ct_ctl_ack(3CONTRACT)");
	ct_ioctl(events, CT_ERESET, NULL);
	KTAP(fails(ct_event(events, CT_ECRECV, &ev), EAGAIN), "it waits no more",
	     "ct_event_read_critical(3CONTRACT)");
	ct_ctl(id, CT_CABANDON, 0);
	close(events);
	close(fds[0]);
	close(fds[1]);
}

/* a process that owns a contract and ends; answers the pid of its member */
static pid_t owner_dies(int params, ctid_t *id)
{
	int fds[2];
	pid_t owner, member;

	pipe(fds);
	owner = fork();
	if (owner == 0) {
		ct_set(tmpl, CTPP_PARAMS, params);
		member = fork_into();
		if (member == 0)
			pause_for_ever();
		*id = ct_newest();
		write(fds[1], &member, sizeof(member));
		write(fds[1], id, sizeof(*id));
		_exit(0);
	}
	read(fds[0], &member, sizeof(member));
	read(fds[0], id, sizeof(*id));
	waitpid(owner, NULL, 0);
	close(fds[0]);
	close(fds[1]);
	return member;
}

static void inherited(void)
{
	pid_t regent, member;
	ctid_t id, sub;
	int status;

	member = owner_dies(CT_PR_NOORPHAN, &id);
	msleep(10);
	KTAP(fails(kill(member, 0), ESRCH), "NOORPHAN: the members die with the owner",
	     "process(5)");
	member = owner_dies(0, &id);
	ct_status_of(id, &st);
	KTAP_EQ(st.ctst_state, CTS_ORPHAN, "else the contract is an orphan", "contract(5)");
	KTAP_EQ(kill(member, 0), 0, "and its members live on", "process(5)");
	KTAP(fails(ct_ctl(id, CT_CADOPT, 0), EACCES), "nobody adopts an orphan",
	     "ct_ctl_adopt(3CONTRACT)");
	kill(member, SIGKILL);

	ct_set(tmpl, CTPP_PARAMS, CT_PR_REGENT);
	regent = fork_into();
	if (regent == 0) {
		member = owner_dies(CT_PR_INHERIT | CT_PR_NOORPHAN, &sub);
		if (kill(member, 0) || ct_status_of(sub, &st))
			_exit(1);
		if (st.ctst_state != CTS_INHERITED)
			_exit(2);
		if (ct_ctl(sub, CT_CABANDON, 0) != -1 || errno != EBUSY)
			_exit(3);
		if (ct_ctl(sub, CT_CADOPT, 0))
			_exit(4);
		ct_status_of(sub, &st);
		if (st.ctst_state != CTS_OWNED || st.ctst_holder != getpid())
			_exit(5);
		_exit(ct_ctl(sub, CT_CABANDON, 0) ? 6 : 0);
	}
	waitpid(regent, &status, 0);
	KTAP_EQ(WEXITSTATUS(status), 0,
		"INHERIT: the regent's members may adopt it, and then it is owned",
		"ct_ctl_adopt(3CONTRACT)");
	ct_ctl(ct_newest(), CT_CABANDON, 0);
}

static void elsewhere(void)
{
	char dir[16], path[64];
	ct_status_t all;
	int fd;
	pid_t pid;
	ctid_t id;

	ct_set(tmpl, CTPP_PARAMS, CT_PR_NOORPHAN);
	pid = fork_into();
	if (pid == 0)
		pause_for_ever();
	id = ct_newest();
	snprintf(dir, sizeof(dir), "%d", id);
	snprintf(path, sizeof(path), CTFS_ROOT "/all/%s/status", dir);
	fd = open(path, O_RDONLY, 0);
	KTAP(fd >= 0 && ct_read_status(fd, CTD_COMMON, &all) == 0 && all.ctst_id == id,
	     "all/ID leads to the contract", "contract(5)");
	close(fd);
	snprintf(path, sizeof(path), "/proc/self/contracts/%s/status", dir);
	fd = open(path, O_RDONLY, 0);
	KTAP(fd >= 0 && ct_read_status(fd, CTD_COMMON, &all) == 0 && all.ctst_id == id,
	     "/proc/PID/contracts has what the process owns", "contract(5)");
	close(fd);
	KTAP_EQ(ct_ctl(id, CT_CABANDON, 0), 0, "abandoned", "ct_ctl_abandon(3CONTRACT)");
	KTAP(fails(open(path, O_RDONLY, 0), ENOENT), "and nothing else", "contract(5)");
	snprintf(path, sizeof(path), CTFS_ROOT "/all/%s/status", dir);
	msleep(1);
	KTAP_EQ(waitpid(pid, NULL, WNOHANG), pid, "NOORPHAN: that ends its members",
		"process(5)");
	KTAP(ct_status_of(id, &all) == 0 && all.ctst_state == CTS_DEAD,
	     "and the contract is dead, though still somebody's latest", "contract(5)");
	KTAP(fails(syscall(SYS_ioctl, 0, CT_TACTIVATE, NULL), ENOTTY) || errno == EINVAL,
	     "other files know no such requests", "ioctl(2)");
}

int main(void)
{
	ktap_start("contract");
	terms();
	made_by_fork();
	told();
	inherited();
	elsewhere();
	return ktap_end();
}
