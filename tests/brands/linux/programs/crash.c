/* Crashes as it is told: by which signal, with threads, with a limit on the core. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int global = 4711;
char *heap;
volatile int waiting;

__attribute__((noinline)) void deepest(int depth)
{
    int marker = depth * 10;
    if (depth > 0)
        deepest(depth - 1);
    else
        *(volatile int *)(long)(0xdead000 + marker) = 1;
    __asm__ volatile("" ::"r"(marker));
}

static void *waiter(void *arg)
{
    (void)arg;
    waiting = 1;
    for (;;)
        pause();
    return NULL;
}

int main(int argc, char **argv)
{
    struct rlimit rl = {argc > 2 ? atol(argv[2]) : 0, RLIM_INFINITY};
    int st;
    if (strcmp(argv[1], "self") == 0) {
        rl.rlim_cur = RLIM_INFINITY;
        setrlimit(RLIMIT_CORE, &rl);
        pthread_t t;
        heap = strcpy(malloc(100), "on the heap");
        char *big = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        strcpy(big + (1 << 19), "in the middle");
        pthread_create(&t, NULL, waiter, NULL);
        while (!waiting)
            usleep(100);
        global = 42;
        deepest(3);
    }
    pid_t pid = fork();
    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &rl);
        raise(atoi(argv[1]));
        _exit(0);
    }
    waitpid(pid, &st, 0);
    printf("%d %d\n", WTERMSIG(st), !!WCOREDUMP(st));
    return 0;
}
