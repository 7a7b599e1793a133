/*
 * sys/socket.h - sockets; the only family is AF_UNIX.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_SOCKET_H
#define _SYS_SOCKET_H

#include <sys/types.h>

#ifndef _SOCKLEN_T
#define _SOCKLEN_T
typedef uint32_t socklen_t;
#endif
typedef uint16_t sa_family_t;

struct sockaddr {
	sa_family_t sa_family;
	char sa_data[14];
};

#define AF_UNSPEC 0
#define AF_UNIX 1
#define PF_UNIX AF_UNIX
#define SOCK_DGRAM 1
#define SOCK_STREAM 2
#define SOCK_SEQPACKET 6
#define SOCK_CLOEXEC 0x80000
#define SOCK_NONBLOCK 0x100000
#define SOL_SOCKET 0xffff
#define SO_ACCEPTCONN 0x2
#define SO_SNDBUF 0x1001
#define SO_SNDTIMEO 0x1005
#define SO_RCVTIMEO 0x1006
#define SO_ERROR 0x1007
#define SO_TYPE 0x1008
#define SO_DOMAIN 0x100c
#define MSG_PEEK 0x2
#define MSG_DONTWAIT 0x80
#define MSG_NOSIGNAL 0x200
#define SHUT_RD 0
#define SHUT_WR 1
#define SHUT_RDWR 2

int socket(int family, int type, int protocol);
int socketpair(int family, int type, int protocol, int sv[2]);
int bind(int fd, const struct sockaddr *name, socklen_t len);
int listen(int fd, int backlog);
int accept(int fd, struct sockaddr *restrict name, socklen_t *restrict len);
int accept4(int fd, struct sockaddr *restrict name, socklen_t *restrict len, int flags);
int connect(int fd, const struct sockaddr *name, socklen_t len);
int shutdown(int fd, int how);
ssize_t send(int fd, const void *buf, size_t n, int flags);
ssize_t sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *to,
	       socklen_t len);
ssize_t recv(int fd, void *buf, size_t n, int flags);
ssize_t recvfrom(int fd, void *restrict buf, size_t n, int flags,
		 struct sockaddr *restrict from, socklen_t *restrict len);
int getsockname(int fd, struct sockaddr *restrict name, socklen_t *restrict len);
int getpeername(int fd, struct sockaddr *restrict name, socklen_t *restrict len);
int getsockopt(int fd, int level, int option, void *restrict value,
	       socklen_t *restrict len);
int setsockopt(int fd, int level, int option, const void *value, socklen_t len);

#endif
