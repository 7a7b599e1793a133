/* FORK-50: the child of a thread has one thread, whose id is the pid of the child. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int bad;

static void *idle(void *arg)
{
    (void)arg;
    pause();
    return NULL;
}

static void *forks(void *arg)
{
    int st = -1;
    (void)arg;
    if (syscall(SYS_gettid) == getpid())
        bad = 1;
    pid_t pid = fork();
    if (pid == 0) {
        char line[64];
        int threads = 0;
        FILE *f = fopen("/proc/self/status", "r");
        while (fgets(line, sizeof line, f))
            if (sscanf(line, "Threads: %d", &threads) == 1)
                break;
        _exit((syscall(SYS_gettid) != getpid()) * 2 + (threads != 1));
    }
    if (waitpid(pid, &st, 0) != pid || st != 0) {
        dprintf(1, "wrong: child's status %#x\n", st);
        bad = 1;
    }
    return NULL;
}

int main(void)
{
    pthread_t a, b;
    alarm(60);
    pthread_create(&a, NULL, idle, NULL);
    pthread_create(&b, NULL, forks, NULL);
    pthread_join(b, NULL);
    return bad;
}
