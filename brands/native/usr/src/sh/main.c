/*
 * main.c - sh [-eufx] [-c COMMAND [NAME [ARG...]] | -s | FILE [ARG...]]
 *
 * SPDX-License-Identifier: MIT
 */
#include <fcntl.h>

#include "sh.h"

static void arguments(char **argv)
{
	params.args = argv;
	for (params.n = 0; argv[params.n];)
		params.n++;
}

static void loop(struct source *s)
{
	int end = 0;

	source_push(s);
	while (!end) {
		void *mark = keep_mark();
		struct node *n = parse_command(&end);

		if (syntax_error) {
			last_status = 2;
			if (!interactive)
				break;
			lex_reset();
			end = 0;
		} else if (n) {
			run(n);
		}
		flow = F_NONE;
		expand_failed = 0;
		keep_back(mark);
		run_traps();
	}
	if (interactive)
		fprintf(stderr, "\n");
	exit_shell(last_status);
}

static void ignore(int sig)
{
	struct sigaction act = {.sa_handler = SIG_IGN};

	sigaction(sig, &act, NULL);
}

/* At a prompt ^C only ends the line. */
static void begin_interactive(void)
{
	interactive = 1;
	opt_monitor = 1;
	ignore(SIGINT);
	ignore(SIGQUIT);
	ignore(SIGTERM);
	jobs_init();
}

int main(int argc, char **argv)
{
	struct source s = {.fd = 0};
	const char *command = NULL;
	int c, from_input = 0;

	import_environment();
	while ((c = getopt(argc, argv, "c:eufixs")) != -1)
		switch (c) {
		case 'c':
			command = optarg;
			break;
		case 'e':
			opt_errexit = 1;
			break;
		case 'u':
			opt_nounset = 1;
			break;
		case 'f':
			opt_noglob = 1;
			break;
		case 'x':
			opt_xtrace = 1;
			break;
		case 'i':
			interactive = 1;
			break;
		case 's':
			from_input = 1;
			break;
		default:
			return 2;
		}
	argv += optind;
	if (command) {
		if (*argv)
			shell_name = *argv++;
		arguments(argv);
		last_status = run_text(command);
		exit_shell(last_status);
	}
	if (*argv && !from_input) {
		shell_name = *argv++;
		s.fd = open(shell_name, O_RDONLY);
		if (s.fd == -1) {
			complain(shell_name, strerror(errno));
			return 127;
		}
		int moved = fcntl(s.fd, F_DUPFD_CLOEXEC, 40);

		close(s.fd);
		s.fd = moved;
		interactive = 0;
	} else if (isatty(0) && isatty(2)) {
		begin_interactive();
	}
	arguments(argv);
	loop(&s);
}
