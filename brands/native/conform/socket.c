/*
 * socket - local sockets: streams, datagrams, packets, names, options.
 *
 * SPDX-License-Identifier: MIT
 */
#include "nsys.h"

#define AF_UNIX 1
#define SOCK_DGRAM 1
#define SOCK_STREAM 2
#define SOCK_SEQPACKET 6
#define SOCK_CLOEXEC 0x80000
#define SOCK_NONBLOCK 0x100000
#define MSG_PEEK 2
#define MSG_DONTWAIT 0x80
#define MSG_NOSIGNAL 0x200
#define ENOTSOCK 95
#define EPROTOTYPE 98
#define ENOPROTOOPT 99
#define EAFNOSUPPORT 124
#define EADDRINUSE 125
#define EISCONN 133
#define ENOTCONN 134
#define ECONNREFUSED 146
#define SOCKET(type) syscall(230, AF_UNIX, type, 0, NULL, 1)

struct sockaddr_un {
	uint16_t family;
	char path[108];
};

static struct sockaddr_un at = {AF_UNIX, "/tmp/sock"}, from;
static char buf[64];

static int pair(int type, int sv[2])
{
	sv[0] = SOCKET(type);
	sv[1] = SOCKET(type);
	return syscall(231, sv);
}

static void pairs(void)
{
	int sv[2], type = 0;
	unsigned len = sizeof type;
	struct nstat sb;

	KTAP(FAILS(syscall(230, 2, SOCK_STREAM, 0, NULL, 1), EAFNOSUPPORT),
	     "there is no network", "socket(3SOCKET)");
	KTAP(FAILS(syscall(230, AF_UNIX, 4, 0, NULL, 1), EPROTOTYPE), "nor raw sockets",
	     "socket(3SOCKET)");
	KTAP_EQ(pair(SOCK_STREAM, sv), 0, "socketpair", "socketpair(3SOCKET)");
	KTAP(syscall(N_fstat, sv[0], &sb) == 0 && (sb.st_mode & S_IFMT) == 0140000,
	     "its type is S_IFSOCK", "stat(2)");
	KTAP(syscall(245, sv[0], 0xffff, 0x1008, &type, &len, 1) == 0 && type == SOCK_STREAM,
	     "SO_TYPE", "getsockopt(3SOCKET)");
	KTAP(FAILS(syscall(245, sv[0], 0xffff, 0x7777, &type, &len, 1), ENOPROTOOPT),
	     "an unknown option is ENOPROTOOPT", "getsockopt(3SOCKET)");
	KTAP(FAILS(syscall(231, sv), EISCONN), "a pair twice is EISCONN", "socketpair(3SOCKET)");
	KTAP(write(sv[0], "ab", 2) == 2 && write(sv[0], "cd", 2) == 2 &&
		     read(sv[1], buf, 9) == 4,
	     "a stream has no borders", "socket.h(3HEAD)");
	KTAP(FAILS(syscall(237, sv[1], buf, 9, MSG_DONTWAIT), EAGAIN), "MSG_DONTWAIT",
	     "recv(3SOCKET)");
	syscall(240, sv[1], "xyz", 3, 0);
	KTAP(syscall(237, sv[0], buf, 9, MSG_PEEK) == 3 && syscall(237, sv[0], buf, 9, 0) == 3,
	     "MSG_PEEK leaves it there", "recv(3SOCKET)");
	KTAP(syscall(236, sv[0], 1, 1) == 0 && read(sv[1], buf, 1) == 0,
	     "shutdown ends one direction", "shutdown(3SOCKET)");
	KTAP(FAILS(syscall(240, sv[0], "x", 1, MSG_NOSIGNAL), EPIPE),
	     "and a send after it is EPIPE; MSG_NOSIGNAL: no SIGPIPE", "send(3SOCKET)");
	close(sv[0]);
	close(sv[1]);
	pair(SOCK_SEQPACKET, sv);
	write(sv[0], "one", 3);
	write(sv[0], "three", 5);
	KTAP(read(sv[1], buf, 2) == 2 && read(sv[1], buf, 9) == 5, "a packet is one",
	     "socket.h(3HEAD)");
	close(sv[0]);
	close(sv[1]);
	KTAP(FAILS(syscall(237, 0, buf, 1, 0), ENOTSOCK), "what is no socket is ENOTSOCK",
	     "recv(3SOCKET)");
}

static void connections(void)
{
	int s = SOCKET(SOCK_STREAM), c = SOCKET(SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
	int status = 0, on = 0;
	unsigned len = sizeof from;
	struct nstat sb;

	KTAP(fcntl(c, F_GETFD, 0) == FD_CLOEXEC && fcntl(c, F_GETFL, 0) & O_NONBLOCK,
	     "SOCK_CLOEXEC and SOCK_NONBLOCK", "socket(3SOCKET)");
	fcntl(c, F_SETFL, O_RDWR);
	KTAP(FAILS(syscall(235, c, &at, sizeof at, 1), ENOENT), "connect to no name is ENOENT",
	     "connect(3SOCKET)");
	KTAP_EQ(syscall(232, s, &at, sizeof at, 1), 0, "bind", "bind(3SOCKET)");
	KTAP(nstat("/tmp/sock", &sb) == 0 && (sb.st_mode & S_IFMT) == 0140000,
	     "makes a node of the file system", "bind(3SOCKET)");
	int other = SOCKET(SOCK_STREAM);
	KTAP(FAILS(syscall(232, other, &at, sizeof at, 1), EADDRINUSE), "once",
	     "bind(3SOCKET)");
	KTAP(FAILS(syscall(232, s, &at, sizeof at, 1), EINVAL), "and a socket once",
	     "bind(3SOCKET)");
	KTAP(FAILS(syscall(235, c, &at, sizeof at, 1), ECONNREFUSED),
	     "connect before listen is ECONNREFUSED", "connect(3SOCKET)");
	KTAP_EQ(syscall(233, s, 2, 1), 0, "listen", "listen(3SOCKET)");
	len = sizeof on;
	syscall(245, s, 0xffff, 2, &on, &len, 1);
	KTAP_EQ(on, 2, "SO_ACCEPTCONN", "getsockopt(3SOCKET)");
	if (fork() == 0) {
		msleep(10);
		syscall(235, c, &at, sizeof at, 1);
		write(c, "hello", 5);
		_exit(read(c, buf, 9) == 3 ? 0 : 1);
	}
	len = sizeof from;
	int a = syscall(234, s, &from, &len, 1, 0);
	KTAP(a >= 0 && len == 2, "accept waits; the other end has no name", "accept(3SOCKET)");
	KTAP(read(a, buf, 9) == 5 && write(a, "bye", 3) == 3, "bytes go both ways",
	     "accept(3SOCKET)");
	waitpid(-1, &status, 0);
	KTAP_EQ(status, 0, "as the child sees", "connect(3SOCKET)");
	len = sizeof from;
	KTAP(syscall(244, a, &from, &len, 1) == 0 && strcmp(from.path, "/tmp/sock") == 0,
	     "getsockname", "getsockname(3SOCKET)");
	KTAP(FAILS(syscall(243, other, &from, &len, 1), ENOTCONN), "getpeername of nobody",
	     "getpeername(3SOCKET)");
	close(a);
	close(s);
	close(other);
	unlink("/tmp/sock");
}

static void datagrams(void)
{
	struct sockaddr_un mine = {AF_UNIX, "/tmp/mine"};
	int r = SOCKET(SOCK_DGRAM), w = SOCKET(SOCK_DGRAM);
	unsigned len = sizeof from;
	long tv[2] = {0, 20000};

	syscall(232, r, &at, sizeof at, 1);
	syscall(232, w, &mine, sizeof mine, 1);
	KTAP_EQ(syscall(242, w, "to you", 6, 0, &at, sizeof at), 6, "sendto", "send(3SOCKET)");
	KTAP(syscall(238, r, buf, 3, 0, &from, &len) == 3 && strcmp(from.path, "/tmp/mine") == 0,
	     "recvfrom tells who; the rest of a datagram is lost", "recv(3SOCKET)");
	KTAP(FAILS(syscall(237, r, buf, 9, MSG_DONTWAIT), EAGAIN), "it is one datagram",
	     "recv(3SOCKET)");
	KTAP(syscall(246, r, 0xffff, 0x1006, tv, sizeof tv, 1) == 0 &&
		     FAILS(read(r, buf, 1), EAGAIN),
	     "SO_RCVTIMEO", "setsockopt(3SOCKET)");
	KTAP(FAILS(syscall(237, r, buf, 9, 1), EOPNOTSUPP), "there is no MSG_OOB", "recv(3SOCKET)");
	close(r);
	close(w);
}

int main(void)
{
	ktap_start("socket");
	alarm(60);
	pairs();
	connections();
	datagrams();
	return ktap_end();
}
