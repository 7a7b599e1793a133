/*
 * port.c - event ports.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <port.h>
#include <sys/syscall.h>

enum { CREATE, ASSOCIATE, DISSOCIATE, SEND, SENDN, GET, GETN, ALERT };
#define NOPORT 0x100 /* the first argument is no port */

int port_create(void)
{
	return syscall(SYS_port, CREATE | NOPORT);
}

int port_associate(int port, int source, uintptr_t object, int events, void *user)
{
	return syscall(SYS_port, ASSOCIATE, port, source, object, events, user);
}

int port_dissociate(int port, int source, uintptr_t object)
{
	return syscall(SYS_port, DISSOCIATE, port, source, object);
}

int port_send(int port, int events, void *user)
{
	return syscall(SYS_port, SEND, port, events, user);
}

int port_sendn(int ports[], int errors[], unsigned n, int events, void *user)
{
	return syscall(SYS_port, SENDN | NOPORT, ports, errors, n, events, user);
}

int port_get(int port, port_event_t *event, struct timespec *timeout)
{
	long sec = timeout ? timeout->tv_sec : 0, nsec = timeout ? timeout->tv_nsec : 0;

	return syscall(SYS_port, GET, port, event, sec, nsec, timeout != NULL);
}

/* *nget: how many are waited for, then how many there are; ETIME if they are fewer. */
int port_getn(int port, port_event_t list[], unsigned max, unsigned *nget,
	      struct timespec *timeout)
{
	unsigned want = *nget;
	long got = syscall(SYS_port, GETN, port, list, max, want, timeout);

	if (got == -1)
		return -1;
	*nget = got;
	if (max == 0 || (unsigned)got >= want || (got && list[0].portev_source == PORT_SOURCE_ALERT))
		return 0;
	errno = ETIME;
	return -1;
}

int port_alert(int port, int flags, int events, void *user)
{
	return syscall(SYS_port, ALERT, port, flags, events, user);
}
