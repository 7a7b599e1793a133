/*
 * poll - poll(2) by pollsys, and event ports.
 *
 * SPDX-License-Identifier: MIT
 */
#include "nsys.h"

#define POLLIN 1
#define POLLPRI 2
#define POLLOUT 4
#define POLLERR 8
#define POLLHUP 0x10
#define POLLNVAL 0x20
#define POLLRDNORM 0x40
#define PORT_SOURCE_USER 3
#define PORT_SOURCE_FD 4
#define PORT_SOURCE_ALERT 5

struct npollfd {
	int fd;
	short events, revents;
};

struct port_event {
	int events;
	uint16_t source, pad;
	uint64_t object, user;
};

static struct npollfd p[3];
static int e[2];
static char buf[64];

static int pollms(int n, long ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000};

	return syscall(N_pollsys, p, n, ms < 0 ? NULL : &ts, NULL);
}

static long now_ms(void)
{
	struct timespec ts;

	syscall(N_clock_gettime, 4, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int revents(int fd, int events)
{
	p[0] = (struct npollfd){fd, events, -1};
	pollms(1, 0);
	return p[0].revents;
}

static int caught;
static void on_alarm(int sig)
{
	caught = sig;
}

static void states(void)
{
	pipe(e);
	KTAP_EQ(revents(e[0], POLLIN), 0, "an empty pipe is not readable", "poll(2)");
	KTAP_EQ(revents(e[1], POLLOUT), POLLOUT, "but writable", "poll(2)");
	write(e[1], "x", 1);
	KTAP_EQ(revents(e[0], POLLIN), POLLIN, "POLLIN with a byte", "poll(2)");
	KTAP_EQ(revents(e[0], POLLRDNORM), POLLRDNORM, "and POLLRDNORM if that is asked for",
		"poll(2)");
	KTAP_EQ(revents(e[0], POLLPRI), 0, "POLLPRI is another thing", "poll(2)");
	KTAP_EQ(revents(99, POLLIN), POLLNVAL, "no descriptor is POLLNVAL", "poll(2)");
	p[0] = (struct npollfd){-5, POLLIN, 7};
	KTAP(pollms(1, 0) == 0 && p[0].revents == 0, "a negative one is left out", "poll(2)");
	p[0] = (struct npollfd){e[0], POLLIN, 0};
	p[1] = (struct npollfd){-1, POLLIN, 0};
	p[2] = (struct npollfd){e[1], POLLOUT, 0};
	KTAP_EQ(pollms(3, 0), 2, "the value counts those with events", "poll(2)");
	int nul = open("/dev/null", O_RDWR, 0);
	KTAP_EQ(revents(nul, POLLIN | POLLOUT), POLLIN | POLLOUT, "a device without a poll is ready",
		"poll(2)");
	close(nul);
	read(e[0], buf, 1);
	close(e[1]);
	KTAP_EQ(revents(e[0], 0), POLLHUP, "POLLHUP comes unasked", "poll(2)");
	close(e[0]);
	pipe(e);
	close(e[0]);
	KTAP(revents(e[1], POLLOUT) & POLLERR, "POLLERR without a reader", "poll(2)");
	close(e[1]);
}

static void waiting(void)
{
	long t = now_ms();

	KTAP_EQ(pollms(0, 30), 0, "no descriptors: a plain wait", "poll(2)");
	t = now_ms() - t;
	KTAP(t >= 30 && t < 40, "for the time that was said", "poll(2)");
	struct timespec bad = {0, 1000000000};
	KTAP(FAILS(syscall(N_pollsys, p, 0, &bad, NULL), EINVAL), "a bad timespec is EINVAL",
	     "ppoll(2)");
	KTAP(FAILS(syscall(N_pollsys, p, 1L << 40, NULL, NULL), EINVAL),
	     "more than there can be open is EINVAL", "poll(2)");
	KTAP(FAILS(syscall(N_pollsys, 8, 1, NULL, NULL), EFAULT), "no memory is EFAULT",
	     "poll(2)");
	pipe(e);
	if (fork() == 0) {
		msleep(20);
		write(e[1], "late", 4);
		_exit(0);
	}
	p[0] = (struct npollfd){e[0], POLLIN, 0};
	KTAP(pollms(1, -1) == 1 && p[0].revents == POLLIN, "a write wakes who waits", "poll(2)");
	read(e[0], buf, 4);
	waitpid(-1, NULL, 0);
	sigaction(SIGUSR1, on_alarm, SA_RESTART, 0);
	uint64_t usr1 = SIGBIT(SIGUSR1), none[2] = {0, 0};
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	kill(getpid(), SIGUSR1);
	KTAP_EQ(pollms(1, 10), 0, "a blocked signal does not end it", "poll(2)");
	KTAP(FAILS(syscall(N_pollsys, p, 1, NULL, none), EINTR) && caught == SIGUSR1,
	     "with the mask of the call it does, SA_RESTART or not", "ppoll(2)");
	caught = 0;
	kill(getpid(), SIGUSR1);
	KTAP_EQ(caught, 0, "and the old mask is back", "ppoll(2)");
	uint64_t pend = 0;
	sigpending(&pend);
	KTAP(pend & usr1, "so that the next one waits", "ppoll(2)");
	sigprocmask(SIG_UNBLOCK, &usr1, NULL);
	close(e[0]);
	close(e[1]);
}

static long port(int code, long a0, long a1, long a2, long a3, long a4)
{
	return syscall(N_port, code, a0, a1, a2, a3, a4);
}

#define CREATE() port(0x100, 0, 0, 0, 0, 0)
#define ASSOC(pt, fd, ev, user) port(1, pt, PORT_SOURCE_FD, fd, ev, (long)(user))
#define SEND(pt, ev, user) port(3, pt, ev, (long)(user), 0, 0)
#define GET0(pt) port(5, pt, (long)&ev, 0, 0, 1)

static struct port_event ev, evs[8];

static void ports(void)
{
	int pt = CREATE(), fd;
	struct nstat sb;
	long t;

	KTAP(pt >= 0, "port_create", "port_create(3C)");
	KTAP(syscall(N_fstat, pt, &sb) == 0 && (sb.st_mode & S_IFMT) == 0160000,
	     "its type is S_IFPORT", "stat(2)");
	KTAP(FAILS(GET0(pt), ETIME), "nothing at once is ETIME", "port_get(3C)");
	KTAP(FAILS(port(5, 0, (long)&ev, 0, 0, 1), EBADFD), "no port is EBADFD", "port_get(3C)");
	KTAP(FAILS(port(5, 99, (long)&ev, 0, 0, 1), EBADF), "no descriptor is EBADF",
	     "port_get(3C)");
	t = now_ms();
	KTAP(FAILS(port(5, pt, (long)&ev, 0, 20000000, 1), ETIME) && now_ms() - t >= 20,
	     "the timeout passes", "port_get(3C)");
	KTAP_EQ(SEND(pt, 77, 0x1234), 0, "port_send", "port_send(3C)");
	KTAP(GET0(pt) == 0 && ev.source == PORT_SOURCE_USER && ev.events == 77 &&
		     ev.user == 0x1234,
	     "its event has source, events and user", "port_send(3C)");
	pipe(e);
	KTAP_EQ(ASSOC(pt, e[0], POLLIN, 5), 0, "port_associate of a descriptor",
		"port_associate(3C)");
	KTAP(FAILS(GET0(pt), ETIME), "which is not ready: no event", "port_associate(3C)");
	write(e[1], "x", 1);
	KTAP(GET0(pt) == 0 && ev.source == PORT_SOURCE_FD && ev.object == (uint64_t)e[0] &&
		     ev.events == POLLIN && ev.user == 5,
	     "a byte makes its event", "port_associate(3C)");
	KTAP(FAILS(GET0(pt), ETIME), "once: the association is gone with it",
	     "port_associate(3C)");
	KTAP(FAILS(port(2, pt, PORT_SOURCE_FD, e[0], 0, 0), ENOENT),
	     "so it can't be dissociated", "port_dissociate(3C)");
	ASSOC(pt, e[0], POLLIN, 6);
	KTAP(GET0(pt) == 0 && ev.user == 6, "associated again it is told again",
	     "port_associate(3C)");
	ASSOC(pt, e[0], POLLIN, 7);
	KTAP(port(2, pt, PORT_SOURCE_FD, e[0], 0, 0) == 0 && FAILS(GET0(pt), ETIME),
	     "dissociated it is not", "port_dissociate(3C)");
	fd = dup(e[0]);
	ASSOC(pt, fd, POLLIN, 8);
	close(fd);
	KTAP(FAILS(GET0(pt), ETIME), "a closed descriptor has no events", "port_associate(3C)");
	KTAP(FAILS(ASSOC(pt, 99, POLLIN, 0), EBADF), "nor has one that is not open",
	     "port_associate(3C)");
	KTAP(FAILS(port(1, pt, 42, 0, 0, 0), EINVAL), "an unknown source is EINVAL",
	     "port_associate(3C)");
	read(e[0], buf, 1);
	ASSOC(pt, e[0], POLLIN, 9);
	if (fork() == 0) {
		msleep(20);
		write(e[1], "y", 1);
		_exit(0);
	}
	KTAP(port(5, pt, (long)&ev, 0, 0, 0) == 0 && ev.user == 9,
	     "port_get waits for the event", "port_get(3C)");
	waitpid(-1, NULL, 0);
	close(e[0]);
	close(e[1]);
	close(pt);
}

static void lists(void)
{
	int pt = CREATE(), pt2 = CREATE();
	struct timespec zero = {0, 0};

	for (int i = 0; i < 5; i++)
		SEND(pt, i, 100 + i);
	KTAP_EQ(port(6, pt, (long)evs, 0, 0, 0), 5, "port_getn with max 0 counts",
		"port_getn(3C)");
	KTAP(FAILS(port(6, pt, (long)evs, 2, 3, 0), EINVAL), "nget above max is EINVAL",
	     "port_getn(3C)");
	KTAP(port(6, pt, (long)evs, 3, 1, 0) == 3 && evs[0].user == 100 && evs[2].user == 102,
	     "port_getn gives up to max, the oldest first", "port_getn(3C)");
	KTAP(port(6, pt, (long)evs, 8, 4, (long)&zero) == 2 && evs[1].user == 104,
	     "and what there is when time is over", "port_getn(3C)");
	int list[3] = {pt, 99, pt2}, errs[3] = {-1, -1, -1};
	KTAP_EQ(port(0x104, (long)list, (long)errs, 3, 6, 60), 2, "port_sendn counts deliveries",
		"port_sendn(3C)");
	KTAP(errs[0] == 0 && errs[1] == EBADF && errs[2] == 0, "and tells errors",
	     "port_sendn(3C)");
	KTAP(GET0(pt2) == 0 && ev.events == 6 && ev.user == 60, "each port has its event",
	     "port_sendn(3C)");
	KTAP(FAILS(port(0x104, (long)list, (long)errs, 0, 6, 60), EINVAL), "no ports are EINVAL",
	     "port_sendn(3C)");
	KTAP_EQ(port(7, pt, 1, 3, 33, 0), 0, "port_alert", "port_alert(3C)");
	KTAP(GET0(pt) == 0 && ev.source == PORT_SOURCE_ALERT && ev.events == 3 && ev.user == 33,
	     "goes before the queue", "port_alert(3C)");
	KTAP(GET0(pt) == 0 && ev.source == PORT_SOURCE_ALERT, "again and again",
	     "port_alert(3C)");
	KTAP(FAILS(port(7, pt, 2, 3, 33, 0), EBUSY), "PORT_ALERT_UPDATE of an alert is EBUSY",
	     "port_alert(3C)");
	KTAP(FAILS(port(7, pt, 3, 3, 33, 0), EINVAL), "both flags are EINVAL", "port_alert(3C)");
	port(7, pt, 1, 0, 0, 0);
	KTAP(GET0(pt) == 0 && ev.source == PORT_SOURCE_USER, "events 0 end the alert",
	     "port_alert(3C)");
	ASSOC(pt, pt2, POLLIN, 1);
	SEND(pt2, 1, 1);
	KTAP(GET0(pt) == 0 && ev.object == (uint64_t)pt2, "a port can watch a port",
	     "port_associate(3C)");
	ASSOC(pt, pt2, POLLIN, 1);
	ASSOC(pt2, pt, POLLIN, 1);
	KTAP_EQ(GET0(pt), 0, "two that watch each other do no harm", "port_associate(3C)");
	p[0] = (struct npollfd){pt2, POLLIN, 0};
	KTAP(pollms(1, 0) == 1 && p[0].revents == POLLIN, "poll of a port with events",
	     "port_create(3C)");
	close(pt);
	close(pt2);
}

int main(void)
{
	ktap_start("poll");
	alarm(60);
	states();
	waiting();
	ports();
	lists();
	return ktap_end();
}
