/*
 * contract.c - libcontract(3LIB): requests of contract files, and a reader of the
 * natively packed nvlists that come with a status or an event.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <libcontract.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

/* what was read: one of the two heads, and the list */
struct ct_handle {
	union {
		ct_status_t status;
		ct_event_t event;
	} head;
	char *list; /* NULL: CTD_COMMON */
};

static int request(int fd, int cmd, void *arg)
{
	return ioctl(fd, cmd, arg) == -1 ? errno : 0;
}

/* ---- templates ---- */

int ct_tmpl_activate(int fd)
{
	return request(fd, CT_TACTIVATE, NULL);
}

int ct_tmpl_clear(int fd)
{
	return request(fd, CT_TCLEAR, NULL);
}

int ct_tmpl_create(int fd, ctid_t *id)
{
	*id = ioctl(fd, CT_TCREATE, NULL);
	return *id == -1 ? errno : 0;
}

static int term(int fd, int cmd, unsigned id, void *value, size_t size)
{
	ct_param_t p = {id, size, value};

	return request(fd, cmd, &p);
}

int ct_tmpl_set_cookie(int fd, uint64_t cookie)
{
	return term(fd, CT_TSET, CTP_COOKIE, &cookie, sizeof cookie);
}

int ct_tmpl_get_cookie(int fd, uint64_t *cookie)
{
	return term(fd, CT_TGET, CTP_COOKIE, cookie, sizeof *cookie);
}

#define TERM(set, get, type, id) \
	int set(int fd, type value) \
	{ \
		return term(fd, CT_TSET, id, &value, sizeof value); \
	} \
	int get(int fd, type *value) \
	{ \
		return term(fd, CT_TGET, id, value, sizeof *value); \
	}

TERM(ct_tmpl_set_critical, ct_tmpl_get_critical, unsigned, CTP_EV_CRITICAL)
TERM(ct_tmpl_set_informative, ct_tmpl_get_informative, unsigned, CTP_EV_INFO)
TERM(ct_pr_tmpl_set_fatal, ct_pr_tmpl_get_fatal, unsigned, CTPP_EV_FATAL)
TERM(ct_pr_tmpl_set_param, ct_pr_tmpl_get_param, unsigned, CTPP_PARAMS)
TERM(ct_pr_tmpl_set_transfer, ct_pr_tmpl_get_transfer, ctid_t, CTPP_SUBSUME)

#define TEXT(set, get, id) \
	int set(int fd, const char *text) \
	{ \
		return term(fd, CT_TSET, id, (char *)text, strlen(text) + 1); \
	} \
	int get(int fd, char *text, size_t size) \
	{ \
		return term(fd, CT_TGET, id, text, size); \
	}

TEXT(ct_pr_tmpl_set_svc_fmri, ct_pr_tmpl_get_svc_fmri, CTPP_SVC_FMRI)
TEXT(ct_pr_tmpl_set_svc_aux, ct_pr_tmpl_get_svc_aux, CTPP_CREATOR_AUX)

/* ---- control ---- */

int ct_ctl_abandon(int fd)
{
	return request(fd, CT_CABANDON, NULL);
}

int ct_ctl_adopt(int fd)
{
	return request(fd, CT_CADOPT, NULL);
}

int ct_ctl_ack(int fd, ctevid_t ev)
{
	return request(fd, CT_CACK, &ev);
}

int ct_ctl_nack(int fd, ctevid_t ev)
{
	return request(fd, CT_CNACK, &ev);
}

int ct_ctl_qack(int fd, ctevid_t ev)
{
	return request(fd, CT_CQREQ, &ev);
}

int ct_ctl_newct(int fd, ctevid_t ev, int tmpl)
{
	(void)ev;
	return request(fd, CT_CNEWCT, (void *)(long)tmpl);
}

/* ---- nvlists ---- */

struct pair {
	int size;
	short name_size, reserved;
	int count, type;
	char name[];
};

/* the value of a name, and how many it is; NULL: it is not there */
static void *find(struct ct_handle *h, const char *name, unsigned *count)
{
	struct pair *p = (struct pair *)(h->list ? h->list + 12 : NULL);

	for (; p && p->size; p = (struct pair *)((char *)p + p->size))
		if (!strcmp(p->name, name)) {
			if (count)
				*count = p->count;
			return (char *)p + ((sizeof *p + p->name_size + 7) & -8UL);
		}
	return NULL;
}

static int number(struct ct_handle *h, const char *name, void *out)
{
	void *value = find(h, name, NULL);

	if (!value)
		return h->list ? EINVAL : ENOENT;
	memcpy(out, value, 4);
	return 0;
}

static int array(struct ct_handle *h, const char *name, void *out, unsigned *count)
{
	void *value = find(h, name, count);

	if (!value)
		return ENOENT;
	memcpy(out, &value, sizeof value);
	return 0;
}

/*
 * Read with a growing buffer, since the kernel says how much it needs; `list` and `size`
 * are the fields of the head that tell of it.
 */
static int fetch(int fd, int cmd, struct ct_handle *h, size_t *size, char **list)
{
	size_t room = 256, needed;
	int error;

	for (;;) {
		char *more = realloc(h->list, room);

		if (!more)
			return ENOMEM;
		*list = h->list = more;
		*size = room;
		if (cmd != CT_SSTATUS)
			h->head.event.ctev_nbytes = room;
		while ((error = request(fd, cmd, &h->head)) == EINTR)
			;
		if (error)
			return error;
		needed = cmd == CT_SSTATUS ? *size : h->head.event.ctev_nbytes;
		if (needed <= room)
			return 0;
		room = needed;
	}
}

static void drop(struct ct_handle *h)
{
	if (h) {
		free(h->list);
		free(h);
	}
}

/* ---- status ---- */

int ct_status_read(int fd, int detail, ct_stathdl_t *st)
{
	struct ct_handle *h = calloc(1, sizeof *h);
	ct_status_t *s;
	int error;

	if (!h)
		return ENOMEM;
	s = &h->head.status;
	s->ctst_detail = detail;
	if (detail == CTD_COMMON)
		error = request(fd, CT_SSTATUS, s);
	else
		error = fetch(fd, CT_SSTATUS, h, &s->ctst_nbytes, &s->ctst_buffer);
	if (error)
		drop(h);
	else
		*st = h;
	return error;
}

void ct_status_free(ct_stathdl_t st)
{
	drop(st);
}

#define STATUS(type, name) \
	type ct_status_get_##name(ct_stathdl_t st) \
	{ \
		return st->head.status.ctst_##name; \
	}

STATUS(ctid_t, id)
STATUS(int, zoneid)
STATUS(ctstate_t, state)
STATUS(pid_t, holder)
STATUS(int, nevents)
STATUS(int, ntime)
STATUS(int, qtime)
STATUS(ctevid_t, nevid)
STATUS(unsigned, critical)
STATUS(unsigned, informative)
STATUS(uint64_t, cookie)

const char *ct_status_get_type(ct_stathdl_t st)
{
	return st->head.status.ctst_type == CTT_PROCESS ? "process" : "device";
}

int ct_pr_status_get_param(ct_stathdl_t st, unsigned *params)
{
	return number(st, CTPS_PARAMS, params);
}

int ct_pr_status_get_fatal(ct_stathdl_t st, unsigned *events)
{
	return number(st, CTPS_EV_FATAL, events);
}

int ct_pr_status_get_members(ct_stathdl_t st, pid_t **pids, unsigned *count)
{
	return array(st, CTPS_MEMBERS, pids, count);
}

int ct_pr_status_get_contracts(ct_stathdl_t st, ctid_t **ids, unsigned *count)
{
	return array(st, CTPS_CONTRACTS, ids, count);
}

int ct_pr_status_get_svc_fmri(ct_stathdl_t st, char **fmri)
{
	return array(st, CTPS_SVC_FMRI, fmri, NULL);
}

int ct_pr_status_get_svc_aux(ct_stathdl_t st, char **text)
{
	return array(st, CTPS_CREATOR_AUX, text, NULL);
}

int ct_pr_status_get_svc_ctid(ct_stathdl_t st, ctid_t *id)
{
	return number(st, CTPS_SVC_CTID, id);
}

int ct_pr_status_get_svc_creator(ct_stathdl_t st, char **name)
{
	return array(st, CTPS_SVC_CREATOR, name, NULL);
}

/* ---- events ---- */

static int read_event(int fd, int cmd, ct_evthdl_t *ev)
{
	struct ct_handle *h = calloc(1, sizeof *h);
	size_t size;
	int error;

	if (!h)
		return ENOMEM;
	error = fetch(fd, cmd, h, &size, &h->head.event.ctev_buffer);
	if (error)
		drop(h);
	else
		*ev = h;
	return error;
}

int ct_event_read(int fd, ct_evthdl_t *ev)
{
	return read_event(fd, CT_ERECV, ev);
}

int ct_event_read_critical(int fd, ct_evthdl_t *ev)
{
	return read_event(fd, CT_ECRECV, ev);
}

int ct_event_reset(int fd)
{
	return request(fd, CT_ERESET, NULL);
}

int ct_event_next(int fd, ctevid_t ev)
{
	return request(fd, CT_ENEXT, &ev);
}

int ct_event_reliable(int fd)
{
	return request(fd, CT_ERELIABLE, NULL);
}

void ct_event_free(ct_evthdl_t ev)
{
	drop(ev);
}

unsigned ct_event_get_flags(ct_evthdl_t ev)
{
	return ev->head.event.ctev_flags;
}

ctid_t ct_event_get_ctid(ct_evthdl_t ev)
{
	return ev->head.event.ctev_id;
}

ctevid_t ct_event_get_evid(ct_evthdl_t ev)
{
	return ev->head.event.ctev_evid;
}

unsigned ct_event_get_type(ct_evthdl_t ev)
{
	return ev->head.event.ctev_type;
}

int ct_pr_event_get_pid(ct_evthdl_t ev, pid_t *pid)
{
	return number(ev, CTPE_PID, pid);
}

int ct_pr_event_get_ppid(ct_evthdl_t ev, pid_t *pid)
{
	return number(ev, CTPE_PPID, pid);
}

int ct_pr_event_get_signal(ct_evthdl_t ev, int *sig)
{
	return number(ev, CTPE_SIGNAL, sig);
}

int ct_pr_event_get_sender(ct_evthdl_t ev, pid_t *pid)
{
	return number(ev, CTPE_SENDER, pid);
}

int ct_pr_event_get_senderct(ct_evthdl_t ev, ctid_t *id)
{
	return number(ev, CTPE_SENDCT, id);
}

int ct_pr_event_get_exitstatus(ct_evthdl_t ev, int *status)
{
	return number(ev, CTPE_EXITSTATUS, status);
}
