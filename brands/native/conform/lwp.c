/*
 * lwp - lwp_create(2), lwp_exit, lwp_wait, lwp_detach, lwp_suspend, lwp_continue, lwp_kill,
 * lwp_park: the threads under the threads.
 *
 * SPDX-License-Identifier: MIT
 */
#include "lwpx.h"

static volatile int runs, go, hits, parked, result;
static volatile long count;

static void once(void)
{
	runs++;
	lwp_end();
}

static void spin(void)
{
	while (!go) {
		count++;
		sched_yield();
	}
	lwp_end();
}

static void park(void)
{
	parked = 1;
	result = syscall(N_lwp_park, 0, NULL, 0) == 0 ? 1 : -errno;
	lwp_end();
}

static void handler(int sig)
{
	(void)sig;
	hits = syscall(N_lwp_self);
}

static int moves(void)
{
	long was = count;

	msleep(1);
	return count != was;
}

static void making(void)
{
	int id, other;

	KTAP_EQ(syscall(N_lwp_self), 1, "the first lwp is number 1", "_lwp_self(2)");
	id = lwp_start(once, 0);
	KTAP_EQ(id, 2, "the next is 2", "_lwp_create(2)");
	KTAP_EQ(lwp_join(id), 2, "wait for it by number", "_lwp_wait(2)");
	KTAP_EQ(runs, 1, "it ran", "_lwp_create(2)");
	KTAP_EQ(lwp_join(id), -ESRCH, "once only", "_lwp_wait(2)");
	other = lwp_start(once, 0);
	KTAP_EQ(other, 3, "a number is not used again", "_lwp_create(2)");
	KTAP_EQ(lwp_join(0), other, "0 waits for any", "_lwp_wait(2)");
	KTAP_EQ(lwp_join(1), -E_DEADLK, "not for oneself", "_lwp_wait(2)");
	KTAP_EQ(lwp_join(0), -E_DEADLK, "nor if nobody else is there", "_lwp_wait(2)");
	KTAP_EQ(lwp_join(77), -ESRCH, "nor for a number without lwp", "_lwp_wait(2)");
	KTAP(lwp_start(once, 1) == -1 && errno == EINVAL, "unknown flag", "_lwp_create(2)");
	KTAP(fails(syscall(N_lwp_create, 8, 0, 0), EFAULT), "bad context", "_lwp_create(2)");
	id = lwp_start(once, LWP_DETACHED);
	while (runs < 3)
		sched_yield();
	KTAP_EQ(lwp_join(0), -E_DEADLK, "nobody waits for a detached one", "_lwp_create(2)");
	id = lwp_start(spin, 0);
	KTAP_EQ(syscall(N_lwp_detach, id), 0, "detach", "_lwp_detach(2)");
	KTAP(fails(syscall(N_lwp_detach, id), EINVAL), "once", "_lwp_detach(2)");
	KTAP_EQ(lwp_join(id), -EINVAL, "then it can't be waited for", "_lwp_wait(2)");
	go = 1;
	while (lwp_exists(id))
		sched_yield();
	go = 0;
}

static void suspending(void)
{
	int id = lwp_start(spin, LWP_SUSPENDED);
	pid_t pid;

	KTAP(!moves(), "made suspended it does not run", "_lwp_create(2)");
	KTAP_EQ(syscall(N_lwp_continue, id), 0, "continue", "_lwp_continue(2)");
	KTAP(moves(), "and it runs", "_lwp_continue(2)");
	KTAP_EQ(syscall(N_lwp_suspend, id), 0, "suspend", "_lwp_suspend(2)");
	KTAP(!moves(), "and it stands", "_lwp_suspend(2)");
	KTAP(fails(syscall(N_lwp_suspend, 1), E_DEADLK), "not the last that runs", "_lwp_suspend(2)");
	KTAP(fails(syscall(N_lwp_suspend, 77), ESRCH), "not one that is not", "_lwp_suspend(2)");
	KTAP(fails(syscall(N_lwp_continue, 77), ESRCH), "nor continue it", "_lwp_continue(2)");
	pid = fork();
	if (pid == 0) {
		int mine = lwp_start(spin, LWP_SUSPENDED);
		if (mine > 0)
			lwp_end(); /* only the suspended one is left */
	}
	msleep(1);
	kill(pid, SIGKILL);
	KTAP_EQ(reap(pid), 1000 + SIGKILL, "SIGKILL ends a suspended process", "kill(2)");
	go = 1;
	syscall(N_lwp_continue, id);
	KTAP_EQ(lwp_join(id), id, "it ends", "_lwp_wait(2)");
	go = 0;
}

static void signals(void)
{
	uint64_t block = SIGBIT(SIGUSR1);
	int id = lwp_start(spin, 0);

	signal(SIGUSR1, handler);
	syscall(N_lwp_kill, id, SIGUSR1);
	while (!hits)
		sched_yield();
	KTAP_EQ(hits, id, "lwp_kill is for that lwp", "_lwp_kill(2)");
	hits = 0;
	sigprocmask(SIG_BLOCK, &block, NULL);
	kill(getpid(), SIGUSR1);
	while (!hits)
		sched_yield();
	KTAP_EQ(hits, id, "a signal goes to a lwp that does not block it", "signal.h(3HEAD)");
	sigprocmask(SIG_UNBLOCK, &block, NULL);
	KTAP(fails(syscall(N_lwp_kill, id, 200), EINVAL), "there is no signal 200", "_lwp_kill(2)");
	KTAP(fails(syscall(N_lwp_kill, 77, 0), ESRCH), "there is no lwp 77", "_lwp_kill(2)");
	go = 1;
	lwp_join(id);
	go = 0;
}

static void parking(void)
{
	struct timespec ts = {0, 1000000};
	int id = lwp_start(park, 0);

	while (!parked)
		sched_yield();
	msleep(1);
	KTAP_EQ(result, 0, "park waits", "lwp_park (syscall 77)");
	KTAP(fails(syscall(N_lwp_park, 0, &ts, 0), E_TIME), "until a time", "lwp_park (syscall 77)");
	KTAP_EQ(syscall(N_lwp_park, 1, id), 0, "unpark", "lwp_park (syscall 77)");
	KTAP_EQ(lwp_join(id), id, "wakes it", "lwp_park (syscall 77)");
	KTAP_EQ(result, 1, "with success", "lwp_park (syscall 77)");
	KTAP(fails(syscall(N_lwp_park, 1, 77), ESRCH), "nobody to unpark", "lwp_park (syscall 77)");
	syscall(N_lwp_park, 1, 1);
	KTAP_EQ(syscall(N_lwp_park, 0, NULL, 0), 0, "an unpark before is kept", "lwp_park (syscall 77)");
	KTAP(fails(syscall(N_lwp_park, 9), EINVAL), "no subcode 9", "lwp_park (syscall 77)");
}

static void ends(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		lwp_start(spin, 0);
		_exit(6);
	}
	KTAP_EQ(reap(pid), 6, "exit ends all lwps", "exit(2)");
	pid = fork();
	if (pid == 0) {
		lwp_start(spin, LWP_DAEMON | LWP_DETACHED);
		lwp_end();
	}
	KTAP_EQ(reap(pid), 0, "daemons keep no process alive", "_lwp_create(2)");
	pid = fork();
	if (pid == 0) {
		int id = lwp_start(once, LWP_SUSPENDED);
		syscall(N_lwp_continue, id);
		lwp_end(); /* the last of the two ends the process */
	}
	KTAP_EQ(reap(pid), 0, "the last lwp ends the process", "_lwp_exit(2)");
	pid = fork();
	if (pid == 0) {
		lwp_start(spin, 0);
		kill(getpid(), SIGTERM);
		for (;;)
			msleep(1000);
	}
	KTAP_EQ(reap(pid), 1000 + SIGTERM, "a fatal signal ends all of them", "signal.h(3HEAD)");
}

int main(void)
{
	alarm(600);
	ktap_start("lwp");
	making();
	suspending();
	signals();
	parking();
	ends();
	return ktap_end();
}
