/*
 * port.c - event ports, port_create(3C) and its like: subcodes of one system call.
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

int port_sendn(int ports[], int errors[], unsigned nent, int events, void *user)
{
	return syscall(SYS_port, SENDN | NOPORT, ports, errors, nent, events, user);
}

int port_get(int port, port_event_t *event, const struct timespec *timeout)
{
	struct timespec t = timeout ? *timeout : (struct timespec){0, 0};

	return syscall(SYS_port, GET, port, event, t.tv_sec, t.tv_nsec, timeout != NULL);
}

/* The one call with two results: how many, and ETIME when the time was over. */
int port_getn(int port, port_event_t list[], unsigned max, unsigned *nget,
	      const struct timespec *timeout)
{
	register long a0 __asm__("a0") = GETN;
	register long a1 __asm__("a1") = port;
	register long a2 __asm__("a2") = (long)list;
	register long a3 __asm__("a3") = max;
	register long a4 __asm__("a4") = *nget;
	register long a5 __asm__("a5") = (long)timeout;
	register long a7 __asm__("a7") = SYS_port;
	register long failed __asm__("t0");

	__asm__ volatile("ecall"
			 : "+r"(a0), "+r"(a1), "=r"(failed)
			 : "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a7)
			 : "memory");
	if (failed) {
		errno = a0;
		*nget = 0;
		return -1;
	}
	*nget = a0;
	if (a1 == 0)
		return 0;
	errno = a1;
	return -1;
}

int port_alert(int port, int flags, int events, void *user)
{
	return syscall(SYS_port, ALERT, port, flags, events, user);
}
