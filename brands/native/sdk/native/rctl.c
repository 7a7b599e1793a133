/*
 * rctl.c - resource controls.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <rctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

enum { GET, SET, LIST };

int getrctl(const char *name, rctlblk_t *old, rctlblk_t *new, unsigned flags)
{
	return syscall(SYS_rctlsys, GET, name, old, new, 0, flags);
}

int setrctl(const char *name, rctlblk_t *old, rctlblk_t *new, unsigned flags)
{
	return syscall(SYS_rctlsys, SET, name, old, new, 0, flags);
}

/* Call fn for each control until it does not return 0. */
int rctl_walk(int (*fn)(const char *name, void *data), void *data)
{
	long size = syscall(SYS_rctlsys, LIST, NULL, NULL, NULL, 0, 0);
	char *names = size == -1 ? NULL : malloc(size);
	int r = 0;

	if (!names || syscall(SYS_rctlsys, LIST, NULL, names, NULL, size, 0) == -1) {
		free(names);
		return -1;
	}
	for (char *at = names; at < names + size && r == 0; at += strlen(at) + 1)
		r = fn(at, data);
	free(names);
	return r;
}

size_t rctlblk_size(void)
{
	return sizeof(rctlblk_t);
}

rctl_qty_t rctlblk_get_value(rctlblk_t *b)
{
	return b->value;
}

rctl_qty_t rctlblk_get_enforced_value(rctlblk_t *b)
{
	return b->enforced;
}

rctl_priv_t rctlblk_get_privilege(rctlblk_t *b)
{
	return b->privilege;
}

unsigned rctlblk_get_local_action(rctlblk_t *b, int *signal)
{
	if (signal)
		*signal = b->signal;
	return b->local_action;
}

unsigned rctlblk_get_global_action(rctlblk_t *b)
{
	return b->global_flags & RCTL_GLOBAL_SYSLOG;
}

unsigned rctlblk_get_global_flags(rctlblk_t *b)
{
	return b->global_flags & ~RCTL_GLOBAL_SYSLOG;
}

hrtime_t rctlblk_get_firing_time(rctlblk_t *b)
{
	return b->firing_time;
}

id_t rctlblk_get_recipient_pid(rctlblk_t *b)
{
	return b->recipient;
}

void rctlblk_set_value(rctlblk_t *b, rctl_qty_t value)
{
	b->value = value;
}

void rctlblk_set_privilege(rctlblk_t *b, rctl_priv_t privilege)
{
	b->privilege = privilege;
}

void rctlblk_set_local_action(rctlblk_t *b, unsigned action, int signal)
{
	b->local_action = action;
	b->signal = signal;
}
