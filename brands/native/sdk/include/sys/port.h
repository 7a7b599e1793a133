/*
 * sys/port.h - event ports.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_PORT_H
#define _SYS_PORT_H

#include <sys/types.h>

#define PORT_SOURCE_AIO 1
#define PORT_SOURCE_TIMER 2
#define PORT_SOURCE_USER 3
#define PORT_SOURCE_FD 4
#define PORT_SOURCE_ALERT 5
#define PORT_SOURCE_MQ 6
#define PORT_ALERT_SET 1
#define PORT_ALERT_UPDATE 2

typedef struct port_event {
	int portev_events;
	unsigned short portev_source, portev_pad;
	uintptr_t portev_object;
	void *portev_user;
} port_event_t;

/* what sigev_value points at for SIGEV_PORT */
typedef struct port_notify {
	int portnfy_port;
	void *portnfy_user;
} port_notify_t;

#endif
