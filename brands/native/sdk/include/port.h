/*
 * port.h - event ports: one queue for events of files, timers and users.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _PORT_H
#define _PORT_H

#include <sys/port.h>
#include <time.h>

int port_create(void);
int port_associate(int port, int source, uintptr_t object, int events, void *user);
int port_dissociate(int port, int source, uintptr_t object);
int port_send(int port, int events, void *user);
int port_sendn(int ports[], int errors[], unsigned nent, int events, void *user);
int port_get(int port, port_event_t *event, const struct timespec *timeout);
int port_getn(int port, port_event_t list[], unsigned max, unsigned *nget,
	      const struct timespec *timeout);
int port_alert(int port, int flags, int events, void *user);

#endif
