/* What a handler is told: who sent it, why, where. */
#include "portable.h"

static siginfo_t got;
static volatile sig_atomic_t calls;
static sigjmp_buf back;

static void note(int sig, siginfo_t *info, void *context)
{
	calls += sig == info->si_signo && context != NULL;
	got = *info;
}

static void fault(int sig, siginfo_t *info, void *context)
{
	note(sig, info, context);
	siglongjmp(back, 1);
}

static void install(int sig, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};

	sigemptyset(&act.sa_mask);
	sigaction(sig, &act, NULL);
}

int main(void)
{
	install(SIGUSR1, note);
	install(SIGCHLD, note);
	install(SIGSEGV, fault);
	kill(getpid(), SIGUSR1);
	say("kill: %d code %d pid %d uid %d\n", (int)calls, got.si_code == SI_USER,
	    got.si_pid == getpid(), got.si_uid == getuid());
	union sigval value = {.sival_int = 4711};

	sigqueue(getpid(), SIGUSR1, value);
	say("sigqueue: %d code %d value %d\n", (int)calls, got.si_code == SI_QUEUE,
	    got.si_value.sival_int);
	pid_t parent = getpid(), pid = fork();

	if (pid == 0) {
		_exit(getppid() == parent ? 21 : 22);
	}
	siginfo_t info;

	while (waitid(P_PID, pid, &info, WEXITED | WNOWAIT) == -1)
		;
	while (calls < 3)
		pause_ms(1);
	say("child: %d code %d pid %d status %d\n", (int)calls, got.si_code == CLD_EXITED,
	    got.si_pid == pid, got.si_status);
	reap(pid);
	pid = fork();
	if (pid == 0) {
		raise(SIGKILL);
		_exit(0);
	}
	reap(pid);
	while (calls < 4)
		pause_ms(1);
	say("killed: code %d status %s\n", got.si_code == CLD_KILLED,
	    signal_name(got.si_status));
	char *page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANON, -1, 0);

	if (sigsetjmp(back, 1) == 0)
		page[4100] = 1;
	say("read only: address %d code %d\n", got.si_addr == page + 4100,
	    got.si_code == SEGV_ACCERR);
	munmap(page, 8192);
	if (sigsetjmp(back, 1) == 0)
		page[5] = 1;
	say("not mapped: address %d code %d\n", got.si_addr == page + 5,
	    got.si_code == SEGV_MAPERR);
	sigset_t mask;

	sigprocmask(SIG_BLOCK, NULL, &mask);
	say("mask restored: %d, calls %d\n", !sigismember(&mask, SIGSEGV), (int)calls);
	return 0;
}
