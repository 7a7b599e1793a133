/* Descriptors and credentials in messages; datagrams, packets, abstract names; and
 * sockets that travel in a circle, which nobody can reach and which must be freed. */
#include "check.h"
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static int give(int s, int fd, const char *text)
{
    union {
        char buf[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } u;
    struct iovec iov = {(void *)text, strlen(text)};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = u.buf,
                       .msg_controllen = sizeof u.buf};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    return sendmsg(s, &m, 0);
}

static int take(int s, char *text, int size, int *fd, int flags)
{
    union {
        char buf[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } u;
    struct iovec iov = {text, size};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = u.buf,
                       .msg_controllen = sizeof u.buf};
    int n = recvmsg(s, &m, flags);
    struct cmsghdr *c = n >= 0 ? CMSG_FIRSTHDR(&m) : NULL;
    *fd = -1;
    if (c && c->cmsg_type == SCM_RIGHTS)
        memcpy(fd, CMSG_DATA(c), sizeof *fd);
    return n;
}

static void rights(void)
{
    int sv[2], p[2], fd, status;
    char buf[32];
    socketpair(AF_UNIX, SOCK_STREAM, 0, sv);
    pipe(p);
    pid_t pid = fork();
    if (pid == 0) {
        int n = take(sv[1], buf, sizeof buf, &fd, MSG_CMSG_CLOEXEC);
        if (n != 4 || fd < 0 || fcntl(fd, F_GETFD) != FD_CLOEXEC)
            _exit(1);
        _exit(write(fd, "by the child", 12) == 12 ? 0 : 2);
    }
    CHECK(give(sv[0], p[1], "take") == 4, "give: %d", errno);
    close(p[1]);
    CHECK(read(p[0], buf, sizeof buf) == 12, "through the pipe");
    waitpid(pid, &status, 0);
    CHECK(status == 0, "child %x", status);
    CHECK(read(p[0], buf, 1) == 0, "the last writer is gone");
    CHECK(give(sv[0], 77, "x") == -1 && errno == EBADF, "bad descriptor: %d", errno);
    close(p[0]);

    /* What comes with a descriptor ends the read. */
    write(sv[0], "ab", 2);
    give(sv[0], 1, "cd");
    write(sv[0], "ef", 2);
    int n = take(sv[1], buf, sizeof buf, &fd, 0);
    CHECK(n == 4 && fd >= 0, "up to the message with the file: %d", n);
    close(fd);
    CHECK(take(sv[1], buf, sizeof buf, &fd, 0) == 2 && fd == -1, "the rest");
    /* One that is not taken is closed. */
    pipe(p);
    give(sv[0], p[1], "x");
    close(p[1]);
    CHECK(read(sv[1], buf, 1) == 1 && read(p[0], buf, 1) == 0, "closed unread");
    close(p[0]);
    close(sv[0]);
    close(sv[1]);
}

static void circles(void)
{
    for (int i = 0; i < 300; i++) {
        int sv[2], p[2];
        char c;
        socketpair(AF_UNIX, SOCK_STREAM, 0, sv);
        pipe2(p, O_NONBLOCK);
        give(sv[0], p[1], "p");
        give(sv[0], sv[1], "self");
        give(sv[1], sv[0], "each other");
        close(sv[0]);
        close(sv[1]);
        close(p[1]);
        /* The next message or close of a socket finds the circle. */
        socketpair(AF_UNIX, SOCK_STREAM, 0, sv);
        close(sv[0]);
        close(sv[1]);
#ifdef __riscv /* Linux frees them later, in a work queue */
        ssize_t n = read(p[0], &c, 1);
        CHECK(n == 0, "round %d: the writer is kept: %zd, %d", i, n, errno);
#else
        (void)c;
#endif
        close(p[0]);
    }
}

static void datagrams(void)
{
    struct sockaddr_un a = {AF_UNIX, "/tmp/dgram"}, b = {AF_UNIX, "/tmp/from"}, got;
    socklen_t len = sizeof got;
    char buf[32];
    unlink(a.sun_path);
    unlink(b.sun_path);
    int s = socket(AF_UNIX, SOCK_DGRAM, 0), t = socket(AF_UNIX, SOCK_DGRAM, 0);
    bind(s, (void *)&a, sizeof a);
    bind(t, (void *)&b, sizeof b);
    CHECK(send(t, "x", 1, 0) == -1 && errno == ENOTCONN, "nowhere: %d", errno);
    CHECK(sendto(t, "one", 3, 0, (void *)&a, sizeof a) == 3, "sendto: %d", errno);
    CHECK(sendto(t, "second", 6, 0, (void *)&a, sizeof a) == 6, "again");
    CHECK(sendto(t, "", 0, 0, (void *)&a, sizeof a) == 0, "empty");
    int n = recvfrom(s, buf, sizeof buf, 0, (void *)&got, &len);
    CHECK(n == 3 && strcmp(got.sun_path, b.sun_path) == 0, "first %d from %s", n, got.sun_path);
    CHECK(recv(s, buf, 2, MSG_TRUNC) == 6, "the true length");
    CHECK(recv(s, buf, 2, MSG_DONTWAIT) == 0, "the empty one");
    CHECK(recv(s, buf, 2, MSG_DONTWAIT) == -1 && errno == EAGAIN, "no more: %d", errno);
    connect(t, (void *)&a, sizeof a);
    for (n = 0; send(t, "q", 1, MSG_DONTWAIT) == 1; n++)
        ;
    CHECK(errno == EAGAIN && n >= 10 && n <= 12, "%d datagrams wait: %d", n, errno);
    close(s);
    CHECK(send(t, "x", 1, 0) == -1 && errno == ECONNREFUSED, "gone: %d", errno);
    close(t);
    unlink(a.sun_path);
    unlink(b.sun_path);
}

static void packets(void)
{
    struct sockaddr_un a = {AF_UNIX, "\0personae"};
    socklen_t len = offsetof(struct sockaddr_un, sun_path) + 9;
    char buf[32];
    int s = socket(AF_UNIX, SOCK_SEQPACKET, 0), c = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    CHECK(bind(s, (void *)&a, len) == 0 && listen(s, 5) == 0, "abstract: %d", errno);
    int t = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(connect(t, (void *)&a, len) == -1 && errno == ECONNREFUSED, "each type has its names: %d", errno);
    CHECK(connect(c, (void *)&a, len) == 0, "connect: %d", errno);
    int d = accept(s, NULL, NULL);
    int on = 1;
    setsockopt(d, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
    CHECK(send(c, "abc", 3, 0) == 3 && send(c, "de", 2, 0) == 2, "send");
    union {
        char buf[CMSG_SPACE(sizeof(struct ucred))];
        struct cmsghdr align;
    } u;
    struct iovec iov = {buf, 2};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = u.buf,
                       .msg_controllen = sizeof u.buf};
    CHECK(recvmsg(d, &m, 0) == 2 && m.msg_flags & MSG_TRUNC, "cut: %x", m.msg_flags);
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    struct ucred who = {0};
    if (h && h->cmsg_type == SCM_CREDENTIALS)
        memcpy(&who, CMSG_DATA(h), sizeof who);
    CHECK(who.pid == getpid() && who.uid == getuid(), "credentials %d %d", who.pid, who.uid);
    CHECK(recv(d, buf, 32, 0) == 2 && memcmp(buf, "de", 2) == 0, "the next packet");
    close(c);
    CHECK(recv(d, buf, 32, 0) == 0, "the end");
    close(d);
    close(s);
    CHECK(connect(t, (void *)&a, len) == -1 && errno == ECONNREFUSED, "name gone: %d", errno);
    close(t);
}

int main(void)
{
    rights();
    circles();
    datagrams();
    packets();
    return bad;
}
