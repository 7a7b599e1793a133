/* Ports, timers, sockets, privileges and pseudo terminals through the library. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <port.h>
#include <priv.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/systeminfo.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static void ports(void)
{
	int port = port_create(), fds[2];
	port_event_t ev[4];
	unsigned n = 2;
	struct timespec soon = {0, 1000000};
	port_notify_t notify = {port, (void *)3};
	struct sigevent se = {.sigev_notify = SIGEV_PORT, .sigev_value.sival_ptr = &notify};
	struct itimerspec its = {{0, 0}, {0, 500000}};
	timer_t timer;

	pipe(fds);
	port_associate(port, PORT_SOURCE_FD, fds[0], POLLIN, (void *)1);
	port_send(port, 42, (void *)2);
	write(fds[1], "x", 1);
	int r = port_getn(port, ev, 4, &n, NULL);
	printf("%d %u %d %d\n", r, n, ev[0].portev_source, ev[1].portev_source);
	n = 1;
	r = port_getn(port, ev, 4, &n, &soon);
	printf("%d %u %d\n", r, n, errno == ETIME);
	timer_create(CLOCK_HIGHRES, &se, &timer);
	timer_settime(timer, 0, &its, NULL);
	r = port_get(port, ev, NULL);
	printf("%d %d %d\n", r, ev[0].portev_source, (int)(long)ev[0].portev_user);
	printf("%d %d\n", port_get(port, ev, &soon), errno == ETIME);
}

static void sockets(void)
{
	struct sockaddr_un at = {AF_UNIX, "/tmp/s"};
	int sv[2], s = socket(AF_UNIX, SOCK_STREAM, 0), c, a;
	char buf[8] = "";

	printf("%d ", socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	send(sv[0], "pair", 4, 0);
	printf("%d %s\n", (int)recv(sv[1], buf, 8, 0), buf);
	bind(s, (struct sockaddr *)&at, sizeof at);
	listen(s, 1);
	c = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	printf("%d ", connect(c, (struct sockaddr *)&at, sizeof at));
	a = accept(s, NULL, NULL);
	write(c, "stream", 7);
	printf("%d %s\n", (int)read(a, buf, 8), buf);
}

static void rights(void)
{
	priv_set_t set;

	getppriv(PRIV_EFFECTIVE, &set);
	printf("%d ", priv_ismember(&set, PRIV_PROC_FORK));
	printf("%d ", priv_set(PRIV_OFF, PRIV_EFFECTIVE, PRIV_PROC_FORK, NULL));
	printf("%d %d ", (int)fork(), errno == EPERM);
	printf("%d ", priv_set(PRIV_ON, PRIV_EFFECTIVE, "PRIV_PROC_FORK", NULL));
	printf("%d %d\n", priv_set(PRIV_ON, PRIV_EFFECTIVE, "fly", NULL), getpflags(PRIV_AWARE));
}

int main(void)
{
	struct statvfs vfs;
	char buf[32];
	int m = posix_openpt(O_RDWR | O_NOCTTY);

	ports();
	sockets();
	rights();
	printf("%d %d %s ", grantpt(m), unlockpt(m), ptsname(m));
	printf("%d\n", open(ptsname(m), O_RDWR | O_NOCTTY) >= 0);
	printf("%d %s\n", statvfs("/tmp", &vfs), vfs.f_basetype);
	printf("%d %s\n", sysinfo(SI_SYSNAME, buf, sizeof buf), buf);
	return 0;
}
