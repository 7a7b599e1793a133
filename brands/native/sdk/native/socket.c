/*
 * socket.c - sockets, socket(3SOCKET) and its like.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define VERSION 1 /* SOV_DEFAULT */

int socket(int family, int type, int protocol)
{
	return syscall(SYS_so_socket, family, type, protocol, NULL, VERSION);
}

int socketpair(int family, int type, int protocol, int sv[2])
{
	int two[2] = {socket(family, type, protocol), -1};

	if (two[0] == -1)
		return -1;
	two[1] = socket(family, type, protocol);
	if (two[1] == -1 || syscall(SYS_so_socketpair, two) == -1) {
		int why = errno;

		close(two[0]);
		if (two[1] != -1)
			close(two[1]);
		errno = why;
		return -1;
	}
	sv[0] = two[0];
	sv[1] = two[1];
	return 0;
}

int bind(int fd, const struct sockaddr *name, socklen_t len)
{
	return syscall(SYS_bind, fd, name, len, VERSION);
}

int listen(int fd, int backlog)
{
	return syscall(SYS_listen, fd, backlog, VERSION);
}

int accept4(int fd, struct sockaddr *restrict name, socklen_t *restrict len, int flags)
{
	return syscall(SYS_accept, fd, name, len, VERSION, flags);
}

int accept(int fd, struct sockaddr *restrict name, socklen_t *restrict len)
{
	return accept4(fd, name, len, 0);
}

int connect(int fd, const struct sockaddr *name, socklen_t len)
{
	return syscall(SYS_connect, fd, name, len, VERSION);
}

int shutdown(int fd, int how)
{
	return syscall(SYS_shutdown, fd, how, VERSION);
}

ssize_t send(int fd, const void *buf, size_t n, int flags)
{
	return syscall(SYS_send, fd, buf, n, flags);
}

ssize_t sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *to,
	       socklen_t len)
{
	return syscall(SYS_sendto, fd, buf, n, flags, to, len);
}

ssize_t recv(int fd, void *buf, size_t n, int flags)
{
	return syscall(SYS_recv, fd, buf, n, flags);
}

ssize_t recvfrom(int fd, void *restrict buf, size_t n, int flags,
		 struct sockaddr *restrict from, socklen_t *restrict len)
{
	return syscall(SYS_recvfrom, fd, buf, n, flags, from, len);
}

int getsockname(int fd, struct sockaddr *restrict name, socklen_t *restrict len)
{
	return syscall(SYS_getsockname, fd, name, len, VERSION);
}

int getpeername(int fd, struct sockaddr *restrict name, socklen_t *restrict len)
{
	return syscall(SYS_getpeername, fd, name, len, VERSION);
}

int getsockopt(int fd, int level, int option, void *restrict value,
	       socklen_t *restrict len)
{
	return syscall(SYS_getsockopt, fd, level, option, value, len, VERSION);
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
	return syscall(SYS_setsockopt, fd, level, option, value, len, VERSION);
}
