/* Two processes take turns, by signals only. */
#include "portable.h"

static volatile sig_atomic_t usr1, usr2;

static void count(int sig)
{
	if (sig == SIGUSR1)
		usr1++;
	else
		usr2++;
}

int main(void)
{
	sigset_t block, wait_mask, now;
	int *turns = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANON, -1, 0);

	catch(SIGUSR1, count, 0);
	catch(SIGUSR2, count, 0);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigaddset(&block, SIGUSR2);
	sigprocmask(SIG_BLOCK, &block, &wait_mask);
	pid_t parent = getpid(), pid = fork();

	if (pid == 0) {
		for (int i = 0; i < 10; i++) {
			while (usr1 <= i)
				sigsuspend(&wait_mask);
			turns[0] = turns[0] * 3 + 1;
			kill(parent, SIGUSR2);
		}
		_exit(usr1);
	}
	for (int i = 0; i < 10; i++) {
		turns[0] = turns[0] * 2;
		kill(pid, SIGUSR1);
		while (usr2 <= i)
			sigsuspend(&wait_mask);
	}
	say("turns %d\n", turns[0]);
	say_status("child", reap(pid));
	raise(SIGUSR1);
	say("blocked: %d\n", (int)usr1);
	int r = sigsuspend(&wait_mask);

	say("sigsuspend %d %s, handler ran %d\n", r, error_name(errno), (int)usr1);
	sigprocmask(SIG_BLOCK, NULL, &now);
	say("mask is back: %d\n", sigismember(&now, SIGUSR1));
	/* sigwait takes what is blocked. */
	int sig = 0;

	raise(SIGUSR2);
	say("sigwait %d", sigwait(&block, &sig));
	say(" %s, handler ran %d\n", signal_name(sig), (int)usr2);
	pid = fork();
	if (pid == 0) {
		pause_ms(10);
		kill(parent, SIGUSR1);
		_exit(0);
	}
	say("sigwait %d", sigwait(&block, &sig));
	say(" %s\n", signal_name(sig));
	say_status("child", reap(pid));
	return 0;
}
