/* Where vfork of the two systems differs: one source, run by both brands. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile long count, early, late;
static volatile int kept, stop;
static volatile int *shared;

static void handler(int sig)
{
	(void)sig;
}

static void *spin(void *arg)
{
	while (!stop)
		count++;
	return arg;
}

static void nap(void)
{
	struct timespec ts = {0, 5000000};

	nanosleep(&ts, NULL);
}

int main(void)
{
	pthread_t t;
	pid_t pid;
	struct sigaction sa = {.sa_handler = handler}, now;
	int st;

	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sigaction(SIGUSR1, &sa, NULL);
	pid = vfork();
	if (pid == 0) {
		sigaction(SIGUSR1, NULL, &now);
		kept = now.sa_handler == handler;
		_exit(0);
	}
	waitpid(pid, &st, 0);
	printf("handlers in the child: %s\n", kept ? "kept" : "default");

	pthread_create(&t, NULL, spin, NULL);
	while (count == 0)
		nap();
	pid = vfork();
	if (pid == 0) {
		early = count;
		nap();
		late = count;
		_exit(0);
	}
	waitpid(pid, &st, 0);
	printf("other threads of the parent: %s\n", late == early ? "stand" : "run");
	stop = 1;
	pthread_join(t, NULL);

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		pid_t parent = getpid();
		if (vfork() == 0) {
			kill(parent, SIGKILL);
			nap();
			*shared = 1;
			_exit(0);
		}
		_exit(1);
	}
	waitpid(pid, &st, 0);
	printf("SIGKILL of the parent: %s\n", *shared ? "after the child" : "at once");
	return WTERMSIG(st) != SIGKILL;
}
