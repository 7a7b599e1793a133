/* Data first, then end of file once the last write end anywhere is closed. */
#include "case.h"

int main(void)
{
    int p[2], go[2];
    char b[8];
    alarm(20);
    if (pipe(p) || pipe(go))
        return 2;
    pid_t pid = fork();
    if (pid == 0) {
        close(go[1]);
        read(go[0], b, 1);
        write(p[1], "end", 3);
        _exit(0);
    }
    write(p[1], "ab", 2);
    close(p[1]);
    CHECK(read(p[0], b, 8) == 2, "buffered data lost");
    fcntl(p[0], F_SETFL, O_NONBLOCK);
    CHECK(read(p[0], b, 8) == -1 && errno == EAGAIN, "EOF though the child can write");
    fcntl(p[0], F_SETFL, 0);
    close(go[1]);
    CHECK(read(p[0], b, 8) == 3, "child's last data lost");
    CHECK(read(p[0], b, 8) == 0, "no end of file, errno %d", errno);
    CHECK(read(p[0], b, 8) == 0, "end of file is not sticky");
    waitpid(pid, NULL, 0);
    return bad;
}
