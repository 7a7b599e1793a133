/* setjmp and sigsetjmp: values, registers, masks, out of handlers. */
#include "portable.h"

static jmp_buf plain;
static sigjmp_buf with_mask;
static volatile sig_atomic_t n;

static void thrower(int depth, int value)
{
	if (depth)
		thrower(depth - 1, value);
	else
		longjmp(plain, value);
}

static void out(int sig)
{
	(void)sig;
	n++;
	siglongjmp(with_mask, n);
}

static int blocked(void)
{
	sigset_t mask;

	sigprocmask(SIG_BLOCK, NULL, &mask);
	return sigismember(&mask, SIGUSR1);
}

static double work(double x)
{
	double a = x * 1.5, b = x + 2.25, c = a * b;
	volatile int turns = 0;

	if (setjmp(plain) < 3) {
		turns++;
		thrower(5, turns);
	}
	return a + b + c + turns;
}

int main(void)
{
	int r = setjmp(plain);

	if (r == 0)
		thrower(10, 42);
	say("setjmp %d\n", r);
	r = setjmp(plain);
	if (r == 0)
		thrower(0, 0); /* 0 becomes 1 */
	say("setjmp %d\n", r);
	say("floating point %.4f\n", work(3.5));
	catch(SIGUSR1, out, 0);
	for (int i = 0; i < 3; i++) {
		r = sigsetjmp(with_mask, 1);
		if (r == 0)
			raise(SIGUSR1);
		say("sigsetjmp %d, blocked %d\n", r, blocked());
	}
	r = sigsetjmp(with_mask, 0);
	if (r == 0)
		raise(SIGUSR1);
	say("without mask %d, blocked %d\n", r, blocked());
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* In a child the buffers lead to the child's own stack. */
	r = setjmp(plain);
	if (r == 0) {
		pid_t pid = fork();

		if (pid == 0)
			longjmp(plain, 7);
		say_status("child", reap(pid));
	} else {
		_exit(r);
	}
	return 0;
}
