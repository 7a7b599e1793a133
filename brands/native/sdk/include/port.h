/*
 * port.h - event ports (port_create(3C)): descriptors and events of programs.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _PORT_H
#define _PORT_H

#include <poll.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#define PORT_SOURCE_AIO 1
#define PORT_SOURCE_TIMER 2
#define PORT_SOURCE_USER 3
#define PORT_SOURCE_FD 4
#define PORT_SOURCE_ALERT 5
#define PORT_SOURCE_MQ 6
#define PORT_SOURCE_FILE 7
#define PORT_ALERT_SET 1
#define PORT_ALERT_UPDATE 2

typedef struct port_event {
	int portev_events;
	unsigned short portev_source;
	unsigned short portev_pad;
	uintptr_t portev_object;
	void *portev_user;
} port_event_t;
typedef struct port_notify {
	int portnfy_port;
	void *portnfy_user;
} port_notify_t;

int port_create(void);
int port_associate(int port, int source, uintptr_t object, int events, void *user);
int port_dissociate(int port, int source, uintptr_t object);
int port_send(int port, int events, void *user);
int port_sendn(int ports[], int errors[], unsigned n, int events, void *user);
int port_get(int port, port_event_t *event, struct timespec *timeout);
int port_getn(int port, port_event_t list[], unsigned max, unsigned *nget,
	      struct timespec *timeout);
int port_alert(int port, int flags, int events, void *user);

#endif
