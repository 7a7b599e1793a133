/*
 * CLONE_FS alone shares directory and umask, CLONE_FILES alone the descriptors; the
 * end of the child leaves them to the parent, and exec stops sharing descriptors.
 */
#include "check.h"

int main(int argc, char **argv)
{
    char cwd[256];
    int st = 0;
    alarm(20);
    if (argc > 1)
        return fcntl(100, F_GETFD) < 0 ? 3 : 4;
    CHECK(chdir("/") == 0, "chdir /");
    umask(022);
    pid_t pid = raw_clone(CLONE_FS | SIGCHLD, NULL, NULL, NULL);
    if (pid == 0) {
        umask(077);
        _exit(chdir("/tmp") != 0);
    }
    CHECK(pid > 0, "clone(FS) errno %d", errno);
    CHECK(waitpid(pid, &st, 0) == pid && st == 0, "child of FS: %#x", st);
    CHECK(getcwd(cwd, sizeof cwd) && strcmp(cwd, "/tmp") == 0, "cwd is %s", cwd);
    CHECK(umask(022) == 077, "umask was not shared");
    pid = raw_clone(CLONE_FS | SIGCHLD, NULL, NULL, NULL);
    if (pid == 0) {
        unshare(CLONE_FS);
        _exit(chdir("/") != 0);
    }
    waitpid(pid, &st, 0);
    CHECK(getcwd(cwd, sizeof cwd) && strcmp(cwd, "/tmp") == 0, "unshare: cwd is %s", cwd);

    int extra = dup(1);
    pid = raw_clone(CLONE_FILES | SIGCHLD, NULL, NULL, NULL);
    if (pid == 0) {
        close(extra);
        _exit(dup2(1, 50) != 50);
    }
    CHECK(pid > 0, "clone(FILES) errno %d", errno);
    CHECK(waitpid(pid, &st, 0) == pid && st == 0, "child of FILES: %#x", st);
    CHECK(fcntl(50, F_GETFD) == 0, "descriptor of the child is not there");
    CHECK(fcntl(extra, F_GETFD) < 0 && errno == EBADF, "close of the child did not count");
    CHECK(fcntl(1, F_GETFD) == 0, "the child's end closed the parent's descriptors");

    dup2(1, 100);
    fcntl(100, F_SETFD, FD_CLOEXEC);
    pid = raw_clone(CLONE_FILES | SIGCHLD, NULL, NULL, NULL);
    if (pid == 0) {
        char *av[] = {argv[0], "again", NULL};
        execv("/proc/self/exe", av);
        _exit(9);
    }
    waitpid(pid, &st, 0);
    CHECK(WEXITSTATUS(st) == 3, "exec of a sharing child: %#x", st);
    CHECK(fcntl(100, F_GETFD) == FD_CLOEXEC, "exec of the child closed here");
    return bad;
}
