/*
 * trap.c - traps, and the end of the shell.
 *
 * SPDX-License-Identifier: MIT
 */
#include <ctype.h>

#include "sh.h"

static char *traps[NSIG];
static volatile sig_atomic_t caught[NSIG], any_caught;
static int in_trap;

static void on_signal(int sig)
{
	caught[sig] = any_caught = 1;
}

void run_traps(void)
{
	if (!any_caught || in_trap)
		return;
	any_caught = 0;
	in_trap = 1;
	for (int sig = 1; sig < NSIG; sig++)
		if (caught[sig]) {
			int status = last_status;

			caught[sig] = 0;
			if (traps[sig] && *traps[sig])
				run_text(traps[sig]);
			last_status = status;
		}
	in_trap = 0;
}

/* What is trapped is default in a child; what is ignored stays so. */
void traps_in_child(void)
{
	for (int sig = 0; sig < NSIG; sig++)
		if (traps[sig] && (sig == 0 || *traps[sig])) {
			traps[sig] = NULL;
			if (sig)
				signal(sig, SIG_DFL);
		}
}

void exit_shell(int status)
{
	char *trap = traps[0];

	traps[0] = NULL;
	last_status = status;
	if (trap && *trap)
		run_text(trap);
	fflush(stdout);
	_exit(status & 0xff);
}

static int set_trap(const char *name, const char *action)
{
	int sig;

	if (strncmp(name, "SIG", 3) == 0)
		name += 3;
	if (str2sig(name, &sig) == -1) {
		complain(name, "bad trap");
		return 1;
	}
	traps[sig] = action ? strdup(action) : NULL;
	if (sig) {
		struct sigaction act = {.sa_handler = !action  ? SIG_DFL
						      : *action ? on_signal
								: SIG_IGN};

		sigaction(sig, &act, NULL);
	}
	return 0;
}

int builtin_trap(char **argv)
{
	int failed = 0;
	char name[SIG2STR_MAX];

	for (int sig = 0; !argv[1] && sig < NSIG; sig++)
		if (traps[sig] && sig2str(sig, name) == 0)
			printf("trap -- '%s' %s\n", traps[sig], name);
	if (!argv[1])
		return 0;
	int reset = strcmp(argv[1], "-") == 0 || (isdigit((unsigned char)*argv[1]));

	for (int i = reset && *argv[1] != '-' ? 1 : 2; argv[i]; i++)
		failed |= set_trap(argv[i], reset ? NULL : argv[1]);
	return failed;
}
