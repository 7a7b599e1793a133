/* Offset and status flags are shared after fork, descriptor flags are not. */
#include "case.h"

int main(void)
{
    const char *name = "/tmp/offsets";
    char c = 0;
    int st = 0, fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    alarm(20);
    if (fd < 0)
        return 2;
    unlink(name);
    write(fd, "abcdef", 6);
    lseek(fd, 0, SEEK_SET);
    pid_t pid = fork();
    if (pid == 0) {
        read(fd, &c, 1);
        fcntl(fd, F_SETFL, O_APPEND);
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        close(2);
        _exit(c != 'a');
    }
    waitpid(pid, &st, 0);
    CHECK(st == 0, "child read the wrong byte");
    CHECK(lseek(fd, 0, SEEK_CUR) == 1, "offset not shared: %ld", lseek(fd, 0, SEEK_CUR));
    CHECK(fcntl(fd, F_GETFL, 0) & O_APPEND, "status flags not shared");
    CHECK((fcntl(fd, F_GETFL, 0) & 3) == O_RDWR, "access mode 0x%x", fcntl(fd, F_GETFL, 0));
    CHECK(fcntl(fd, F_GETFD, 0) == 0, "close-on-exec leaked to the parent");
    int d = dup(fd);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    CHECK(fcntl(d, F_GETFD, 0) == 0, "dup shares close-on-exec");
    return bad;
}
