/* Event ports: user events, descriptors, alerts, time. */
#include <errno.h>
#include <port.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	int port = port_create(), fds[2];
	port_event_t ev, list[4];
	unsigned n = 1;
	struct timespec soon = {0, 1000000};

	printf("%d %d\n", port >= 0, pipe(fds));
	printf("%d", port_get(port, &ev, &soon));
	printf(" %d\n", errno == ETIME);
	printf("%d\n", port_send(port, 7, &n));
	printf("%d", port_get(port, &ev, NULL));
	printf(" %d %d %d\n", ev.portev_events, ev.portev_source == PORT_SOURCE_USER,
	       ev.portev_user == &n);
	printf("%d\n", port_associate(port, PORT_SOURCE_FD, fds[0], POLLIN, fds));
	printf("%d\n", (int)write(fds[1], "x", 1));
	printf("%d", port_getn(port, list, 4, &n, NULL));
	printf(" %u %d %d %d\n", n, list[0].portev_source == PORT_SOURCE_FD,
	       list[0].portev_events == POLLIN, (int)list[0].portev_object == fds[0]);
	printf("%d", port_dissociate(port, PORT_SOURCE_FD, fds[0]));
	printf(" %d\n", errno == ENOENT);
	n = 2;
	port_send(port, 1, NULL);
	printf("%d", port_getn(port, list, 4, &n, &soon));
	printf(" %d %u\n", errno == ETIME, n);
	return 0;
}
