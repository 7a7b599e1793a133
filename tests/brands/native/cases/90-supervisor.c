/* A supervisor in C: it restarts what is empty, and another takes over when it dies. */
#include "case.h"
#include "ct.h"

enum { SERVICES = 3, RESTARTS = 12 };

struct service {
	ctid_t id;
	pid_t pid;
};

static struct service services[SERVICES];
static int tmpl, events;

/* the service: a helper that outlives it for a while, then both are gone */
static void serve(int ends)
{
	if (fork() == 0) {
		if (!ends)
			for (;;)
				msleep(3600000);
		msleep(20);
		_exit(0);
	}
	if (ends) {
		msleep(5);
		_exit(1);
	}
	for (;;)
		msleep(3600000);
}

static void start(struct service *s, int ends)
{
	CHECK(ct_ioctl(tmpl, CT_TACTIVATE, NULL) == 0, "activate: %d", errno);
	s->pid = fork();
	if (s->pid == 0) {
		ct_ioctl(tmpl, CT_TCLEAR, NULL);
		serve(ends);
	}
	CHECK(ct_ioctl(tmpl, CT_TCLEAR, NULL) == 0, "clear: %d", errno);
	s->id = ct_newest();
}

static struct service *find(ctid_t id)
{
	for (int i = 0; i < SERVICES; i++)
		if (services[i].id == id)
			return &services[i];
	return NULL;
}

static void set_up(int params)
{
	tmpl = ct_template();
	ct_set(tmpl, CTPP_PARAMS, params);
	ct_set(tmpl, CTP_EV_CRITICAL, CT_PR_EV_EMPTY);
	ct_set(tmpl, CTP_EV_INFO, 0);
	events = open(CT_PROCESS "pbundle", O_RDONLY, 0);
	CHECK(tmpl >= 0 && events >= 0, "template %d, events %d", tmpl, events);
}

/* wait for an EMPTY event and settle it; answers the service */
static struct service *one_empty(void)
{
	ct_event_t ev;
	struct service *s;

	CHECK(ct_event(events, CT_ERECV, &ev) == 0, "read of an event: %d", errno);
	CHECK(ev.ctev_type == CT_PR_EV_EMPTY, "event %u", ev.ctev_type);
	s = find(ev.ctev_id);
	CHECK(s != NULL, "an event of contract %d, which is nobody's", ev.ctev_id);
	CHECK(ct_ctl(ev.ctev_id, CT_CACK, ev.ctev_evid) == 0, "ack: %d", errno);
	CHECK(ct_ctl(ev.ctev_id, CT_CABANDON, 0) == 0, "abandon: %d", errno);
	return s;
}

static void restarts(void)
{
	set_up(CT_PR_NOORPHAN);
	for (int i = 0; i < SERVICES; i++)
		start(&services[i], 1);
	for (int n = 0; n < RESTARTS; n++) {
		struct service *s = one_empty();

		CHECK(waitpid(s->pid, NULL, 0) == s->pid, "the service is no child");
		start(s, 1);
	}
	for (int i = 0; i < SERVICES; i++)
		one_empty();
	close(events);
	close(tmpl);
}

/* main's child, in a contract of its own that is a regent; it is killed */
static pid_t start_supervisor(int params, int to)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	set_up(params);
	for (int i = 0; i < SERVICES; i++)
		start(&services[i], 0);
	write(to, services, sizeof(services));
	for (;;)
		msleep(3600000);
}

static int alive(pid_t pid)
{
	return kill(pid, 0) == 0;
}

/* in the regent: the heir, a member of the same contract, takes over */
static void regent(void)
{
	int fds[2];
	pid_t boss;
	ct_status_t st;

	pipe(fds);
	boss = start_supervisor(CT_PR_NOORPHAN, fds[1]);
	read(fds[0], services, sizeof(services));
	kill(boss, SIGKILL);
	waitpid(boss, NULL, 0);
	msleep(20);
	for (int i = 0; i < SERVICES; i++)
		CHECK(!alive(services[i].pid), "NOORPHAN: service %d lives", i);

	boss = start_supervisor(CT_PR_NOORPHAN | CT_PR_INHERIT, fds[1]);
	read(fds[0], services, sizeof(services));
	kill(boss, SIGKILL);
	waitpid(boss, NULL, 0);
	kill(services[0].pid, SIGKILL); /* while nobody owns it; its helper lives on */
	msleep(5);
	set_up(CT_PR_NOORPHAN);
	for (int i = 0; i < SERVICES; i++) {
		ctid_t id = services[i].id;

		CHECK(ct_status_of(id, &st) == 0, "status: %d", errno);
		CHECK(st.ctst_state == CTS_INHERITED, "state %d", st.ctst_state);
		CHECK(ct_ctl(id, CT_CADOPT, 0) == 0, "adopt: %d", errno);
		ct_status_of(id, &st);
		CHECK(st.ctst_holder == getpid(), "holder %d", st.ctst_holder);
	}
	for (int i = 0; i < SERVICES; i++) {
		uint32_t *member;
		int count = 0;

		ct_status_of(services[i].id, &st);
		member = ct_value(CTPS_MEMBERS, &count);
		CHECK(count == (i == 0 ? 1 : 2), "service %d: %d members", i, count);
		for (int k = 0; k < count; k++)
			kill(member[k], SIGKILL);
		CHECK(one_empty() == &services[i], "another service than %d", i);
	}
	_exit(bad);
}

int main(void)
{
	int status = -1;
	pid_t pid;

	restarts();
	tmpl = ct_template();
	ct_set(tmpl, CTPP_PARAMS, CT_PR_REGENT);
	ct_ioctl(tmpl, CT_TACTIVATE, NULL);
	pid = fork();
	ct_ioctl(tmpl, CT_TCLEAR, NULL);
	if (pid == 0)
		regent();
	waitpid(pid, &status, 0);
	CHECK(status == 0, "the regent ended with %x", status);
	return bad;
}
