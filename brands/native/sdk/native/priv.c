/*
 * priv.c - privileges: sets of names over the kernel's numbers (getprivimplinfo).
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <priv.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>

enum { SETPPRIV, GETPPRIV, IMPLINFO, SETPFLAGS, GETPFLAGS, ISSETUGID };
enum { SETNAMES = 1, PRIVNAMES = 2 }; /* kinds of records */

/* The record of names of a kind: {kind, size, count, names} (sys/priv.h). */
static const char *record(uint32_t kind)
{
	static uint32_t info[2048];
	const char *p, *end;

	if (info[0] == 0)
		syscall(SYS_privsys, IMPLINFO, 0, 0, info, sizeof info);
	p = (char *)info + info[0];
	end = p + info[6];
	while (p < end && ((const uint32_t *)p)[0] != kind)
		p += ((const uint32_t *)p)[1];
	return p < end ? p : NULL;
}

/* The place of a name among those of a kind. */
static int place(uint32_t kind, const char *name)
{
	const char *r = record(kind), *s = r + 12;

	for (uint32_t i = 0; r && i < ((const uint32_t *)r)[2]; i++, s += strlen(s) + 1)
		if (strcasecmp(s, name) == 0)
			return i;
	errno = EINVAL;
	return -1;
}

int priv_getbyname(const char *name)
{
	if (strncasecmp(name, "priv_", 5) == 0)
		name += 5;
	return place(PRIVNAMES, name);
}

void priv_emptyset(priv_set_t *set)
{
	memset(set, 0, sizeof *set);
}

static int change(priv_set_t *set, const char *name, int on)
{
	int n = priv_getbyname(name);

	if (n < 0)
		return -1;
	uint32_t bit = 1u << (31 - n % 32);
	set->bits[n / 32] = on ? set->bits[n / 32] | bit : set->bits[n / 32] & ~bit;
	return 0;
}

int priv_addset(priv_set_t *set, const char *name)
{
	return change(set, name, 1);
}

int priv_delset(priv_set_t *set, const char *name)
{
	return change(set, name, 0);
}

int priv_ismember(const priv_set_t *set, const char *name)
{
	int n = priv_getbyname(name);

	return n >= 0 && set->bits[n / 32] >> (31 - n % 32) & 1;
}

int getppriv(priv_ptype_t which, priv_set_t *set)
{
	int n = place(SETNAMES, which);

	return n < 0 ? -1 : syscall(SYS_privsys, GETPPRIV, 0, n, set, sizeof *set);
}

int setppriv(priv_op_t op, priv_ptype_t which, const priv_set_t *set)
{
	int n = place(SETNAMES, which);

	return n < 0 ? -1 : syscall(SYS_privsys, SETPPRIV, op, n, set, sizeof *set);
}

int priv_set(priv_op_t op, priv_ptype_t which, ...)
{
	priv_set_t set;
	va_list names;
	int bad = 0;

	priv_emptyset(&set);
	va_start(names, which);
	for (const char *name; (name = va_arg(names, const char *)) != NULL;)
		bad |= priv_addset(&set, name);
	va_end(names);
	return bad ? -1 : setppriv(op, which, &set);
}

int getpflags(unsigned flag)
{
	return syscall(SYS_privsys, GETPFLAGS, flag);
}

int setpflags(unsigned flag, unsigned value)
{
	return syscall(SYS_privsys, SETPFLAGS, flag, value);
}

int issetugid(void)
{
	return syscall(SYS_privsys, ISSETUGID);
}
