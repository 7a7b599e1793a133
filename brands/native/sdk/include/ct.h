/*
 * ct.h - contract files without a library: the requests behind
 * libcontract(3LIB), and a look into packed nvlists.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CT_H
#define CT_H

#include "tiny.h"
#include <sys/contract/process.h>
#include <sys/ctfs.h>

#define CT_PROCESS CTFS_ROOT "/process/"

static inline int ct_ioctl(int fd, int cmd, void *arg)
{
	return syscall(SYS_ioctl, fd, cmd, arg);
}

static inline int ct_template(void)
{
	return open(CT_PROCESS "template", O_RDWR, 0);
}

static inline int ct_set(int fd, int term, uint64_t value)
{
	uint32_t word = value;
	ct_param_t p = {term, sizeof(word), &word};

	if (term == CTP_COOKIE) {
		p.ctpm_size = sizeof(value);
		p.ctpm_value = &value;
	}
	return ct_ioctl(fd, CT_TSET, &p);
}

static inline int ct_set_text(int fd, int term, const char *text)
{
	ct_param_t p = {term, strlen(text) + 1, (char *)text};

	return ct_ioctl(fd, CT_TSET, &p);
}

/* the value of a term, or -1 */
static inline long ct_get(int fd, int term)
{
	uint64_t value = 0;
	ct_param_t p = {term, sizeof(value), &value};

	return ct_ioctl(fd, CT_TGET, &p) == -1 ? -1 : (long)value;
}

static inline int ct_open(ctid_t id, const char *file, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), CT_PROCESS "%d/%s", id, file);
	return open(path, flags, 0);
}

/* one request to a ctl file, with an event id or 0 */
static inline int ct_ctl(ctid_t id, int cmd, ctevid_t ev)
{
	int fd = ct_open(id, "ctl", O_WRONLY), r, err;

	if (fd == -1)
		return -1;
	r = ct_ioctl(fd, cmd, ev ? &ev : NULL);
	err = errno;
	close(fd);
	errno = err;
	return r;
}

static char ct_buffer[4096]; /* the nvlist of what was read last */

static inline int ct_read_status(int fd, int detail, ct_status_t *st)
{
	memset(st, 0, sizeof(*st));
	st->ctst_detail = detail;
	st->ctst_nbytes = sizeof(ct_buffer);
	st->ctst_buffer = ct_buffer;
	return ct_ioctl(fd, CT_SSTATUS, st);
}

static inline int ct_status_of(ctid_t id, ct_status_t *st)
{
	int fd = ct_open(id, "status", O_RDONLY), r;

	if (fd == -1)
		return -1;
	r = ct_read_status(fd, CTD_ALL, st);
	close(fd);
	return r;
}

/* the contract that this lwp made last, or -1 */
static inline ctid_t ct_newest(void)
{
	int fd = open(CT_PROCESS "latest", O_RDONLY, 0);
	ct_status_t st;

	if (fd == -1)
		return -1;
	if (ct_read_status(fd, CTD_COMMON, &st) == -1)
		st.ctst_id = -1;
	close(fd);
	return st.ctst_id;
}

static inline int ct_event(int fd, int cmd, ct_event_t *ev)
{
	memset(ev, 0, sizeof(*ev));
	ev->ctev_nbytes = sizeof(ct_buffer);
	ev->ctev_buffer = ct_buffer;
	return ct_ioctl(fd, cmd, ev);
}

/* a pair of a natively packed nvlist */
struct ct_pair {
	int size;
	short name_size, reserved;
	int count, type;
};

/* where the value of a name is in ct_buffer; NULL if it is not there */
static inline void *ct_value(const char *name, int *count)
{
	char *at = ct_buffer + 12;

	while (((struct ct_pair *)at)->size) {
		struct ct_pair *p = (struct ct_pair *)at;

		if (!strcmp(at + sizeof(*p), name)) {
			if (count)
				*count = p->count;
			return at + ((sizeof(*p) + p->name_size + 7) & ~7UL);
		}
		at += p->size;
	}
	return NULL;
}

static inline long ct_number(const char *name)
{
	int *value = ct_value(name, NULL);

	return value ? *value : -1;
}

#endif
