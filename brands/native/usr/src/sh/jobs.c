/*
 * jobs.c - pipelines as jobs: process groups, waiting, the terminal.
 *
 * With job control each job is a process group of its own, and the one in the
 * foreground has the terminal.
 *
 * SPDX-License-Identifier: MIT
 */
#include <fcntl.h>
#include <sys/wait.h>
#include <termios.h>

#include "sh.h"

static struct job *jobs;
static int terminal = -1;
static struct termios modes;
static pid_t shell_group;

void jobs_init(void)
{
	if (!opt_monitor)
		return;
	terminal = fcntl(0, F_DUPFD_CLOEXEC, 30);
	while (tcgetpgrp(terminal) != getpgrp())
		kill(0, SIGTTIN); /* until somebody puts us in the foreground */
	signal(SIGTSTP, SIG_IGN);
	signal(SIGTTIN, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
	setpgid(0, 0); /* fails when it leads a session: then it leads its group, too */
	shell_group = getpgrp();
	tcsetpgrp(terminal, shell_group);
	tcgetattr(terminal, &modes);
}

struct job *job_new(const char *text)
{
	struct job *j = calloc(1, sizeof *j);

	for (struct job *k = jobs; k; k = k->next)
		if (k->id >= j->id)
			j->id = k->id;
	j->id++;
	j->text = strdup(text);
	j->next = jobs;
	jobs = j;
	return j;
}

static void forget(struct job *j)
{
	struct job **jp = &jobs;

	while (*jp && *jp != j)
		jp = &(*jp)->next;
	if (*jp)
		*jp = j->next;
	free(j->text);
	free(j->pids);
	free(j);
}

static void default_signals(int foreground)
{
	static const int sigs[] = {SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU};

	for (int i = 0; i < (opt_monitor ? 5 : interactive && foreground ? 2 : 0); i++)
		signal(sigs[i], SIG_DFL);
}

pid_t job_fork(struct job *j, int foreground)
{
	fflush(stdout);
	pid_t pid = fork();

	if (pid == -1) {
		complain("fork", strerror(errno));
		exit_shell(1);
	}
	if (opt_monitor && !in_subshell) {
		pid_t self = pid ? pid : getpid();

		if (!j->group)
			j->group = self;
		setpgid(self, j->group);
		if (foreground)
			tcsetpgrp(terminal, j->group);
	}
	if (pid == 0) {
		default_signals(foreground);
		traps_in_child();
		return 0;
	}
	j->pids = realloc(j->pids, (j->n + 1) * sizeof *j->pids);
	j->pids[j->n++] = pid;
	j->running++;
	j->last = pid;
	return pid;
}

static int code_of(int status)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	return 128 + (WIFSTOPPED(status) ? WSTOPSIG(status) : WTERMSIG(status));
}

/* What a wait has told; the job that it is about. */
static struct job *note(pid_t pid, int status)
{
	for (struct job *j = jobs; j; j = j->next)
		for (int i = 0; i < j->n; i++) {
			if (j->pids[i] != pid)
				continue;
			if (WIFSTOPPED(status)) {
				j->stopped = 1;
				j->told = 0;
			} else if (WIFCONTINUED(status)) {
				j->stopped = 0;
				return j;
			} else {
				j->running--;
				j->pids[i] = -1;
			}
			if (pid == j->last)
				j->status = status;
			return j;
		}
	return NULL;
}

static void ended_by(int status)
{
	if (!WIFSIGNALED(status) || WTERMSIG(status) == SIGPIPE)
		return;
	if (WTERMSIG(status) != SIGINT)
		fprintf(stderr, "%s%s\n", strsignal(WTERMSIG(status)),
			WCOREDUMP(status) ? " - core dumped" : "");
	else if (interactive)
		fprintf(stderr, "\n");
}

/* Wait for a job in the foreground. */
int job_wait(struct job *j)
{
	int status;

	while (j->running && !j->stopped) {
		pid_t pid = waitpid(-1, &status, opt_monitor ? WUNTRACED : 0);

		if (pid == -1 && errno != EINTR) {
			j->running = 0; /* somebody else had it */
			break;
		}
		if (pid > 0)
			note(pid, status);
	}
	if (opt_monitor && !in_subshell) {
		tcsetpgrp(terminal, shell_group);
		if (j->stopped || WIFSIGNALED(j->status))
			tcsetattr(terminal, TCSADRAIN, &modes);
	}
	int code = code_of(j->status);

	if (j->stopped) {
		fprintf(stderr, "\n[%d]\tStopped\t%s\n", j->id, j->text);
		j->told = 1;
		return code;
	}
	ended_by(j->status);
	forget(j);
	return code;
}

static void gather(int options)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | options)) > 0)
		note(pid, status);
}

static const char *state(const struct job *j)
{
	if (j->running)
		return j->stopped ? "Stopped" : "Running";
	return WIFSIGNALED(j->status) ? strsignal(WTERMSIG(j->status)) : "Done";
}

/* Before a prompt: what has changed in the background. */
void job_notify(void)
{
	struct job *next;

	gather(WUNTRACED | WCONTINUED);
	for (struct job *j = jobs; j; j = next) {
		next = j->next;
		if (j->running && !(j->stopped && !j->told))
			continue;
		fprintf(stderr, "[%d]\t%s\t%s\n", j->id, state(j), j->text);
		j->told = 1;
		if (!j->running)
			forget(j);
	}
}

/* ---- a command in words ---- */

static void describe(const struct node *n, struct text *t)
{
	static const char *const between[] = {[N_PIPE] = " | ", [N_AND] = " && ",
					      [N_OR] = " || ", [N_SEQ] = "; "};
	static const char *const names[] = {[N_IF] = "if", [N_WHILE] = "while",
					    [N_UNTIL] = "until", [N_FOR] = "for",
					    [N_CASE] = "case", [N_FUNC] = "function"};

	switch (n->kind) {
	case N_SIMPLE:
		for (int i = 0; i < n->assigns.n + n->words.n; i++) {
			if (i)
				put(t, ' ');
			puts_to(t, i < n->assigns.n ? n->assigns.w[i]
						    : n->words.w[i - n->assigns.n]);
		}
		break;
	case N_PIPE:
	case N_AND:
	case N_OR:
	case N_SEQ:
		describe(n->a, t);
		puts_to(t, between[n->kind]);
		describe(n->b, t);
		break;
	case N_NOT:
	case N_BACK:
	case N_SUB:
	case N_GROUP:
		puts_to(t, n->kind == N_NOT ? "! " : n->kind == N_SUB ? "( " : "");
		describe(n->a, t);
		puts_to(t, n->kind == N_BACK ? " &" : n->kind == N_SUB ? " )" : "");
		break;
	default:
		puts_to(t, names[n->kind]);
		puts_to(t, " ...");
	}
}

char *node_text(const struct node *n)
{
	struct text t = {0};

	describe(n, &t);
	return t.s ? t.s : keep_text("", 0);
}

/* ---- built-in commands ---- */

/* %n, %%, a process id, or the latest job without a name. */
static struct job *find(const char *name)
{
	for (struct job *j = jobs; j; j = j->next) {
		if (!name || strcmp(name, "%%") == 0 || strcmp(name, "%+") == 0)
			return j;
		if (*name == '%' ? atoi(name + 1) == j->id : atoi(name) == j->last)
			return j;
	}
	return NULL;
}

int builtin_jobs(char **argv)
{
	(void)argv; /* jobs has no operands here */
	gather(WUNTRACED | WCONTINUED);
	for (int id = 1; id < 1000; id++)
		for (struct job *j = jobs, *next; j; j = next) {
			next = j->next;
			if (j->id != id)
				continue;
			printf("[%d]\t%s\t%s\n", j->id, state(j), j->text);
			j->told = 1;
			if (!j->running)
				forget(j);
		}
	return 0;
}

static struct job *resume(char **argv, int foreground)
{
	struct job *j = find(argv[1]);

	if (!j || !j->group) {
		complain(argv[0], j ? "no job control" : "no such job");
		return NULL;
	}
	if (foreground) {
		fprintf(stderr, "%s\n", j->text);
		tcsetpgrp(terminal, j->group);
	} else {
		fprintf(stderr, "[%d]\t%s &\n", j->id, j->text);
	}
	j->stopped = 0;
	kill(-j->group, SIGCONT);
	return j;
}

int builtin_fg(char **argv)
{
	struct job *j = resume(argv, 1);

	return j ? job_wait(j) : 1;
}

int builtin_bg(char **argv)
{
	return resume(argv, 0) ? 0 : 1;
}

static int wait_for(struct job *j)
{
	int status;

	while (j->running && !j->stopped) {
		pid_t pid = waitpid(-1, &status, opt_monitor ? WUNTRACED : 0);

		if (pid == -1) {
			if (errno == EINTR) {
				run_traps();
				continue;
			}
			break;
		}
		note(pid, status);
	}
	int code = code_of(j->status);

	if (!j->running)
		forget(j);
	return code;
}

int builtin_wait(char **argv)
{
	int status = 0;

	for (int i = 1; argv[i]; i++) {
		struct job *j = find(argv[i]);

		status = j ? wait_for(j) : 127;
	}
	while (!argv[1] && jobs)
		wait_for(jobs);
	return status;
}

static int send(const char *who, int sig)
{
	struct job *j = *who == '%' ? find(who) : NULL;
	char *end;
	long pid = *who == '%' ? 0 : strtol(who, &end, 10);
	int r;

	if (*who == '%' ? !j : *end || end == who) {
		complain(who, "no such job or process");
		return 1;
	}
	if (!j)
		r = kill(pid, sig);
	else
		r = kill(j->group ? -j->group : j->last, sig);
	if (r == -1)
		complain(who, strerror(errno));
	return r != 0;
}

int builtin_kill(char **argv)
{
	int sig = SIGTERM, failed = 0;

	argv++;
	if (*argv && **argv == '-' && strcmp(*argv, "--") != 0) {
		const char *name = *argv + 1;

		argv++;
		if (strcmp(name, "s") == 0 && *argv)
			name = *argv++;
		if (strncmp(name, "SIG", 3) == 0)
			name += 3;
		if (str2sig(name, &sig) == -1) {
			complain(name, "bad signal");
			return 1;
		}
	} else if (*argv && strcmp(*argv, "--") == 0) {
		argv++;
	}
	if (!*argv) {
		complain("kill", "usage: kill [-SIGNAL] PID|%JOB...");
		return 2;
	}
	for (; *argv; argv++)
		failed |= send(*argv, sig);
	return failed;
}
