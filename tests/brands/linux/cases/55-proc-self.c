/*
 * /proc/self: exe, fd, stat, comm, cmdline, maps and status agree with what the
 * process knows of itself.
 */
#include "check.h"

static char buf[65536];

static char *slurp(const char *path)
{
    int fd = open(path, O_RDONLY), n = 0, r;
    if (fd < 0)
        return NULL;
    while ((r = read(fd, buf + n, sizeof buf - 1 - n)) > 0)
        n += r;
    close(fd);
    buf[n] = 0;
    return buf;
}

int main(int argc, char **argv)
{
    char link[256], name[64];
    int pid, ppid, pgrp, sess;
    char comm[64], state;
    (void)argc;
    alarm(20);
    int n = readlink("/proc/self/exe", link, 255);
    CHECK(n > 0 && link[0] == '/', "exe: %d", n);
    CHECK(slurp("/proc/self/stat") != NULL, "stat errno %d", errno);
    CHECK(sscanf(buf, "%d (%60[^)]) %c %d %d %d", &pid, comm, &state, &ppid, &pgrp, &sess) == 6,
          "stat is %s", buf);
    CHECK(pid == getpid() && ppid == getppid() && pgrp == getpgrp() && sess == getsid(0),
          "stat has %d %d %d %d", pid, ppid, pgrp, sess);
    CHECK(state == 'R', "state %c", state);
    char *p = strrchr(buf, ')');
    int fields = 2;
    for (p++; *p; p++)
        fields += *p == ' ';
    CHECK(fields == 52, "%d fields in stat", fields);
    CHECK(slurp("/proc/self/comm") && strncmp(buf, comm, strlen(comm)) == 0, "comm %s", buf);
    CHECK(slurp("/proc/self/cmdline") && strcmp(buf, argv[0]) == 0, "cmdline %s", buf);
    snprintf(link, sizeof link, "%lx", (unsigned long)main >> 12);
    CHECK(slurp("/proc/self/maps") && strstr(buf, "[stack]") && strstr(buf, "r-xp"), "maps");
    CHECK(slurp("/proc/self/status") && strstr(buf, "\nPid:\t") && strstr(buf, "\nVmRSS:"), "status");
    int q[2];
    (void)!pipe(q);
    struct stat a, b;
    snprintf(name, sizeof name, "/proc/self/fd/%d", q[0]);
    n = readlink(name, link, 255);
    link[n > 0 ? n : 0] = 0;
    CHECK(strncmp(link, "pipe:[", 6) == 0, "fd link is %s", link);
    CHECK(stat(name, &a) == 0 && fstat(q[0], &b) == 0 && a.st_ino == b.st_ino, "fd follows");
    snprintf(name, sizeof name, "/proc/self/fd/%d", q[1]);
    int w = open(name, O_WRONLY);
    CHECK(w >= 0 && write(w, "x", 1) == 1, "reopen of a pipe errno %d", errno);
    CHECK(open("/proc/999999/stat", O_RDONLY) == -1 && errno == ENOENT, "missing pid");
    CHECK(access("/proc/self/task", F_OK) == 0, "task");
    snprintf(name, sizeof name, "/proc/self/task/%d/stat", getpid());
    CHECK(slurp(name) != NULL, "task stat errno %d", errno);
    pid_t z = fork();
    if (z == 0)
        _exit(0);
    siginfo_t si;
    waitid(P_PID, z, &si, WEXITED | WNOWAIT);
    snprintf(name, sizeof name, "/proc/%d/stat", z);
    CHECK(slurp(name) && strstr(buf, ") Z "), "zombie: %s", buf);
    snprintf(name, sizeof name, "/proc/%d/exe", z);
    CHECK(readlink(name, link, 255) == -1 && errno == ENOENT, "exe of a zombie: errno %d", errno);
    waitpid(z, NULL, 0);
    snprintf(name, sizeof name, "/proc/%d/stat", z);
    CHECK(slurp(name) == NULL && errno == ENOENT, "reaped process is still there");
    return bad;
}
