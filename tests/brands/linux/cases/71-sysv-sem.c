/*
 * System V semaphores: all operations or none, waiting for a value and for zero, time
 * limits, removal under a waiter, and SEM_UNDO, which a child does not inherit.
 */
#include "check.h"
#include <sys/ipc.h>
#include <sys/sem.h>

static int id;

static int op(int num, int n, int flags)
{
    struct sembuf b = {num, n, flags};
    return semop(id, &b, 1) ? errno : 0;
}

static int value(int num) { return semctl(id, num, GETVAL); }

static int status_of(pid_t pid)
{
    int st = -1;
    waitpid(pid, &st, 0);
    return st;
}

static void all_or_none(void)
{
    struct sembuf b[2] = {{0, 2, 0}, {1, -1, IPC_NOWAIT}};
    CHECK(semop(id, b, 2) == -1 && errno == EAGAIN && value(0) == 0, "half done: %d", value(0));
    b[1].sem_op = 1;
    CHECK(semop(id, b, 2) == 0 && value(0) == 2 && value(1) == 1, "not done");
    CHECK(op(0, 32767, 0) == ERANGE && op(9, 1, 0) == EFBIG, "ERANGE, EFBIG");
    CHECK(op(0, 0, IPC_NOWAIT) == EAGAIN, "zero");
    CHECK(semctl(id, 0, GETPID) == getpid(), "pid");
    unsigned short all[3] = {4, 5, 6};
    CHECK(semctl(id, 0, SETALL, all) == 0, "SETALL %d", errno);
    memset(all, 0, sizeof all);
    CHECK(semctl(id, 0, GETALL, all) == 0 && all[0] == 4 && all[2] == 6, "GETALL");
    CHECK(semctl(id, 0, SETVAL, 0) == 0 && value(0) == 0, "SETVAL");
}

static void waits(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(op(0, -3, 0));
    usleep(10000);
    CHECK(semctl(id, 0, GETNCNT) == 1 && semctl(id, 0, GETZCNT) == 0, "GETNCNT");
    op(0, 2, 0);
    usleep(10000);
    CHECK(value(0) == 2, "taken too early");
    op(0, 1, 0);
    CHECK(status_of(pid) == 0 && value(0) == 0, "did not go on");
    op(0, 1, 0);
    pid = fork();
    if (pid == 0)
        _exit(op(0, 0, 0));
    usleep(10000);
    CHECK(semctl(id, 0, GETZCNT) == 1, "GETZCNT");
    op(0, -1, 0);
    CHECK(status_of(pid) == 0, "zero is not seen");
    struct timespec ts = {0, 20000000}, a, b;
    struct sembuf s = {0, -1, 0};
    clock_gettime(CLOCK_MONOTONIC, &a);
    CHECK(semtimedop(id, &s, 1, &ts) == -1 && errno == EAGAIN, "no time limit: %d", errno);
    clock_gettime(CLOCK_MONOTONIC, &b);
    long ns = (b.tv_sec - a.tv_sec) * 1000000000 + b.tv_nsec - a.tv_nsec;
    CHECK(ns >= 20000000 && ns < 40000000, "%ld ns", ns);
}

static void handler(int sig) { (void)sig; }

static void interrupted(void)
{
    struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &sa, NULL);
    pid_t pid = fork();
    if (pid == 0)
        _exit(op(0, -1, 0));
    usleep(10000);
    kill(pid, SIGUSR1);
    CHECK(status_of(pid) == EINTR << 8, "semop is never restarted");
    CHECK(semctl(id, 0, GETNCNT) == 0, "a waiter is left");
}

static void undo(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        op(0, 5, SEM_UNDO);
        op(0, -2, SEM_UNDO);
        if (fork() == 0)
            _exit(0); /* does not inherit it */
        wait(NULL);
        _exit(value(0));
    }
    CHECK(status_of(pid) == 3 << 8, "undone by a child");
    CHECK(value(0) == 0, "not undone: %d", value(0));
    semctl(id, 0, SETVAL, 7);
    pid = fork();
    if (pid == 0) {
        op(0, -7, SEM_UNDO);
        raise(SIGKILL);
    }
    status_of(pid);
    CHECK(value(0) == 7, "a killed one's: %d", value(0));
    pid = fork();
    if (pid == 0) {
        op(0, -7, SEM_UNDO);
        semctl(id, 0, SETVAL, 1);
        _exit(0);
    }
    status_of(pid);
    CHECK(value(0) == 1, "SETVAL forgets it: %d", value(0));
}

int main(void)
{
    struct semid_ds ds;
    alarm(30);
    id = semget(0x99, 3, IPC_CREAT | 0600);
    CHECK(id >= 0 && semget(0x99, 4, 0) == -1 && errno == EINVAL, "semget %d", errno);
    CHECK(semget(0x99, 0, 0) == id, "by its key");
    CHECK(semctl(id, 0, IPC_STAT, &ds) == 0 && ds.sem_nsems == 3 && ds.sem_otime == 0, "STAT");
    all_or_none();
    waits();
    interrupted();
    undo();
    CHECK(semctl(id, 0, IPC_STAT, &ds) == 0 && ds.sem_otime != 0, "otime");
    semctl(id, 0, SETVAL, 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(op(0, -1, 0));
    usleep(10000);
    CHECK(semctl(id, 0, IPC_RMID) == 0, "RMID");
    CHECK(status_of(pid) == EIDRM << 8 && op(0, 1, 0) == EINVAL, "removed under a waiter");
    return bad;
}
