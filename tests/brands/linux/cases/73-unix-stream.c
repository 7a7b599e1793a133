/* Local stream sockets: pairs over a fork, ends, listeners, names, options. */
#include "check.h"
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/ioctl.h>

static void pairs(void)
{
    int sv[2], status;
    char buf[64];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == 0, "pair");
    CHECK(fcntl(sv[0], F_GETFD) == FD_CLOEXEC, "cloexec");
    pid_t pid = fork();
    if (pid == 0) {
        close(sv[0]);
        ssize_t n = read(sv[1], buf, sizeof buf);
        _exit(n == 4 && memcmp(buf, "ping", 4) == 0 && write(sv[1], "pong!", 5) == 5 ? 7 : 1);
    }
    close(sv[1]);
    CHECK(write(sv[0], "ping", 4) == 4, "write");
    CHECK(read(sv[0], buf, sizeof buf) == 5 && memcmp(buf, "pong!", 5) == 0, "read");
    CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7, "status %x", status);
    CHECK(read(sv[0], buf, sizeof buf) == 0, "the end");
    signal(SIGPIPE, SIG_IGN);
    CHECK(write(sv[0], "x", 1) == -1 && errno == EPIPE, "EPIPE, not %d", errno);
    close(sv[0]);
}

static void sigpipe(void)
{
    int sv[2], status;
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGPIPE, SIG_DFL);
        socketpair(AF_UNIX, SOCK_STREAM, 0, sv);
        close(sv[1]);
        if (send(sv[0], "x", 1, MSG_NOSIGNAL) != -1 || errno != EPIPE)
            _exit(1);
        write(sv[0], "x", 1);
        _exit(2);
    }
    waitpid(pid, &status, 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE, "SIGPIPE, not %x", status);
}

static void big(void)
{
    enum { N = 1 << 20 };
    static char out[N], in[N];
    int sv[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, sv);
    for (int i = 0; i < N; i++)
        out[i] = i * 7 + i / 251;
    pid_t pid = fork();
    if (pid == 0) {
        close(sv[1]);
        _exit(write(sv[0], out, N) == N ? 0 : 1);
    }
    close(sv[0]);
    CHECK(recv(sv[1], in, N, MSG_WAITALL) == N && memcmp(in, out, N) == 0, "a MiB");
    int status;
    waitpid(pid, &status, 0);
    CHECK(status == 0, "writer %x", status);
    close(sv[1]);
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv);
    ssize_t n, sum = 0;
    while ((n = write(sv[0], out, 4096)) > 0)
        sum += n;
    CHECK(n == -1 && errno == EAGAIN && sum >= 65536, "full after %zd: %d", sum, errno);
    struct pollfd p = {sv[0], POLLOUT, 0};
    CHECK(poll(&p, 1, 0) == 0, "a full socket is writable");
    while (read(sv[1], in, N) > 0)
        ;
    CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLOUT, "an empty one is not: %x", p.revents);
    close(sv[0]);
    close(sv[1]);
}

static void peek_and_shut(void)
{
    int sv[2], n;
    char buf[16];
    socketpair(AF_UNIX, SOCK_STREAM, 0, sv);
    write(sv[0], "abc", 3);
    write(sv[0], "def", 3);
    CHECK(ioctl(sv[1], FIONREAD, &n) == 0 && n == 6, "FIONREAD %d", n);
    CHECK(recv(sv[1], buf, 4, MSG_PEEK) == 4 && memcmp(buf, "abcd", 4) == 0, "peek");
    CHECK(recv(sv[1], buf, 2, 0) == 2 && recv(sv[1], buf, 16, 0) == 4, "joined");
    CHECK(recv(sv[1], buf, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN, "dontwait %d", errno);
    CHECK(shutdown(sv[0], SHUT_WR) == 0 && read(sv[1], buf, 1) == 0, "shutdown is the end");
    CHECK(write(sv[1], "back", 4) == 4 && read(sv[0], buf, 16) == 4, "the other way");
    struct pollfd p = {sv[1], POLLIN, 0};
    CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLIN, "poll at the end: %x", p.revents);
    write(sv[0 + 1], "lost", 4);
    close(sv[0]);
    CHECK(read(sv[1], buf, 1) == -1 && errno == ECONNRESET, "unread data resets: %d", errno);
    CHECK(read(sv[1], buf, 1) == 0, "once");
    CHECK(poll(&p, 1, 0) == 1 && p.revents == (POLLIN | POLLHUP), "hangup: %x", p.revents);
    close(sv[1]);
}

static void listener(void)
{
    struct sockaddr_un a = {AF_UNIX, "/tmp/sock"}, b;
    socklen_t len = sizeof b;
    char buf[32];
    int status, s = socket(AF_UNIX, SOCK_STREAM, 0);
    unlink(a.sun_path);
    CHECK(connect(s, (void *)&a, sizeof a) == -1 && errno == ENOENT, "no name: %d", errno);
    CHECK(listen(s, 1) == -1 && errno == EINVAL, "listen without a name: %d", errno);
    CHECK(bind(s, (void *)&a, sizeof a) == 0, "bind: %d", errno);
    struct stat st;
    CHECK(stat(a.sun_path, &st) == 0 && S_ISSOCK(st.st_mode), "the name is a socket");
    CHECK(open(a.sun_path, O_RDWR) == -1 && errno == ENXIO, "open: %d", errno);
    int t = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(bind(t, (void *)&a, sizeof a) == -1 && errno == EADDRINUSE, "twice: %d", errno);
    CHECK(connect(t, (void *)&a, sizeof a) == -1 && errno == ECONNREFUSED, "not yet: %d", errno);
    CHECK(listen(s, 1) == 0, "listen");
    pid_t pid = fork();
    if (pid == 0) {
        if (connect(t, (void *)&a, sizeof a))
            _exit(1);
        struct ucred u;
        socklen_t n = sizeof u;
        getsockopt(t, SOL_SOCKET, SO_PEERCRED, &u, &n);
        if (u.pid != getppid() || write(t, "hello", 5) != 5)
            _exit(2);
        _exit(read(t, buf, 5) == 3 ? 0 : 3);
    }
    close(t);
    int c = accept4(s, (void *)&b, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    CHECK(c >= 0 && len == 2 && b.sun_family == AF_UNIX, "accept %d, %d", c, len);
    CHECK(fcntl(c, F_GETFL) & O_NONBLOCK && fcntl(c, F_GETFD) == FD_CLOEXEC, "flags");
    struct ucred u;
    len = sizeof u;
    CHECK(getsockopt(c, SOL_SOCKET, SO_PEERCRED, &u, &len) == 0 && u.pid == pid, "peer %d", u.pid);
    len = sizeof b;
    CHECK(getsockname(c, (void *)&b, &len) == 0 && strcmp(b.sun_path, a.sun_path) == 0, "name");
    CHECK(len == 2 + strlen(a.sun_path) + 1, "length %d", len);
    struct pollfd p = {c, POLLIN, 0};
    CHECK(poll(&p, 1, 5000) == 1, "poll");
    CHECK(read(c, buf, sizeof buf) == 5, "what was sent");
    CHECK(write(c, "bye", 3) == 3, "answer");
    waitpid(pid, &status, 0);
    CHECK(status == 0, "client %x", status);
    int on, type;
    len = sizeof on;
    getsockopt(s, SOL_SOCKET, SO_ACCEPTCONN, &on, &len);
    getsockopt(s, SOL_SOCKET, SO_TYPE, &type, &len);
    CHECK(on == 1 && type == SOCK_STREAM, "options %d %d", on, type);
    t = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(connect(t, (void *)&a, sizeof a) == 0, "connected before the accept");
    close(s);
    CHECK(read(t, buf, 1) == -1 && errno == ECONNRESET, "nobody accepted: %d", errno);
    close(t);
    t = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(connect(t, (void *)&a, sizeof a) == -1 && errno == ECONNREFUSED, "gone: %d", errno);
    close(t);
    close(c);
    unlink(a.sun_path);
}

static void timeouts(void)
{
    int sv[2];
    char c;
    socketpair(AF_UNIX, SOCK_STREAM, 0, sv);
    struct timeval tv = {0, 20000};
    CHECK(setsockopt(sv[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv) == 0, "set");
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    CHECK(read(sv[0], &c, 1) == -1 && errno == EAGAIN, "timeout: %d", errno);
    clock_gettime(CLOCK_MONOTONIC, &b);
    long us = (b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000;
    CHECK(us >= 20000 && us < 200000, "after %ld us", us);
    close(sv[0]);
    close(sv[1]);
    CHECK(socket(AF_UNIX, 9, 0) == -1 && errno == ESOCKTNOSUPPORT, "type: %d", errno);
    CHECK(socket(AF_UNIX, SOCK_STREAM, 5) == -1 && errno == EPROTONOSUPPORT, "protocol: %d", errno);
    CHECK(listen(0, 1) == -1 && (errno == ENOTSOCK || errno == EBADF), "no socket: %d", errno);
}

int main(void)
{
    pairs();
    sigpipe();
    big();
    peek_and_shut();
    listener();
    timeouts();
    return bad;
}
