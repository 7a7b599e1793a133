/*
 * schedctl - the bytes that the kernel shares with a lwp, and preemption put off.  It
 * spins for as long as the kernel puts up with it, which is many instructions.
 *
 * SPDX-License-Identifier: MIT
 */
#include <sys/schedctl.h>

#include "lwpx.h"

static volatile int go, parked;

static void spin(void)
{
	while (!go)
		sched_yield();
	lwp_end();
}

#define SCHEDCTL "schedctl (syscall 206)"

static sc_shared_t *volatile theirs;

static sc_shared_t *slot(void)
{
	return (sc_shared_t *)syscall(206);
}

static void sleeper(void)
{
	theirs = slot();
	parked = 1;
	syscall(N_lwp_park, 0, NULL, 0);
	lwp_end();
}

static int readable(const void *p)
{
	int fds[2], n;

	pipe(fds);
	n = write(fds[1], p, 1);
	close(fds[0]);
	close(fds[1]);
	return n == 1;
}

static void shared(void)
{
	sc_shared_t *mine = slot(), *old;
	pid_t pid;
	int id;

	KTAP((long)mine > 0 && mine == slot(), "one slot, at one place", SCHEDCTL);
	KTAP_EQ(mine->sc_state, SC_ONPROC, "who looks is on a CPU", SCHEDCTL);
	KTAP_EQ(mine->sc_preemptctl.sc_nopreempt, 0, "it starts at zero", SCHEDCTL);
	parked = 0;
	id = lwp_start(sleeper, 0);
	while (!parked)
		sched_yield();
	msleep(1);
	old = theirs;
	KTAP(old != mine, "each lwp has its own", SCHEDCTL);
	KTAP_EQ(old->sc_state, SC_SLEEP, "a sleeper is seen to sleep", SCHEDCTL);
	pid = fork();
	if (pid == 0)
		_exit(readable(mine) ? 1 : slot()->sc_state == SC_ONPROC ? 7 : 2);
	KTAP_EQ(reap(pid), 7, "a child has none until it asks", SCHEDCTL);
	pid = vfork();
	if (pid == 0) {
		sc_shared_t *own = slot();

		_exit(own != mine && own != old && readable(mine) ? 8 : 1);
	}
	KTAP_EQ(reap(pid), 8, "a child of vfork leaves its parent's alone", SCHEDCTL);
	KTAP(slot() == mine && readable(mine), "which has it afterwards", SCHEDCTL);
	syscall(N_lwp_park, 1, id);
	lwp_join(id);
	KTAP_EQ(old->sc_state, SC_FREE, "the slot of one that ended is free", SCHEDCTL);
	parked = 0;
	id = lwp_start(sleeper, 0);
	while (!parked)
		sched_yield();
	KTAP(theirs == old, "and goes to the next", SCHEDCTL);
	msleep(1);
	syscall(N_lwp_park, 1, id);
	lwp_join(id);
}

static void unpreempted(void)
{
	sc_public_t *ctl = &slot()->sc_preemptctl;
	long spins;
	int id;

	go = 0;
	id = lwp_start(spin, 0);
	msleep(1);
	ctl->sc_nopreempt = 1;
	for (spins = 0; spins < 1000000000 && !ctl->sc_yield; spins++)
		;
	KTAP_EQ(ctl->sc_yield, 1, "who is kept on its CPU is told to yield", SCHEDCTL);
	sched_yield();
	KTAP_EQ(ctl->sc_yield, 0, "a yield settles that", "yield(2)");
	ctl->sc_nopreempt = 1;
	for (spins = 0; spins < 1000000000 && ctl->sc_nopreempt; spins++)
		;
	KTAP_EQ(ctl->sc_nopreempt, 0, "the kernel takes it back after a while", SCHEDCTL);
	go = 1;
	KTAP_EQ(lwp_join(id), id, "others run then", SCHEDCTL);
}

int main(void)
{
	ktap_start("schedctl");
	shared();
	unpreempted();
	return ktap_end();
}
