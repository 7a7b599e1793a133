/*
 * exec.c - running the tree.
 *
 * SPDX-License-Identifier: MIT
 */
#include <fcntl.h>
#include <fnmatch.h>
#include <sys/wait.h>

#include "sh.h"

enum flow flow;
int flow_depth, loop_depth, in_subshell;
static int no_errexit; /* in a condition */
static int replace; /* this process has one command to run: it becomes the program */

/* ---- programs ---- */

static void try_exec(const char *path, char **argv, char **env)
{
	int n = 0;

	execve(path, argv, env);
	if (errno != ENOEXEC)
		return;
	while (argv[n])
		n++;
	char *script[n + 2];

	script[0] = "sh";
	script[1] = (char *)path;
	for (int i = 1; i <= n; i++)
		script[i + 1] = argv[i];
	execve("/bin/sh", script, env);
}

void exec_program(char **argv)
{
	const char *path = get_var("PATH");
	char **env = environment(), full[1024];
	int error = ENOENT;

	if (strchr(argv[0], '/')) {
		try_exec(argv[0], argv, env);
		error = errno;
	} else {
		while (path && *path) {
			size_t n = strcspn(path, ":");

			snprintf(full, sizeof full, "%.*s%s%s", (int)n, path, n ? "/" : "", argv[0]);
			try_exec(full, argv, env);
			if (errno != ENOENT && errno != ENOTDIR)
				error = errno;
			path += n + (path[n] == ':');
		}
	}
	complain(argv[0], error == ENOENT ? "not found" : strerror(error));
	_exit(error == ENOENT ? 127 : 126);
}

void become_subshell(void)
{
	in_subshell++;
	interactive = 0;
	opt_monitor = 0;
	loop_depth = 0;
	traps_in_child();
}

/* ---- simple commands ---- */

static int assign(const struct list *assigns, int export_it, struct list *old)
{
	for (int i = 0; i < assigns->n; i++) {
		char *equals = strchr(assigns->w[i], '=');
		char *name = keep_text(assigns->w[i], equals - assigns->w[i]);
		char *value = expand_one(equals + 1);

		if (expand_failed)
			return -1;
		if (old) {
			const char *was = get_var(name);

			add(old, name);
			add(old, was ? keep_text(was, strlen(was)) : NULL);
		}
		if (set_var(name, value, export_it) == -1)
			return -1;
	}
	return 0;
}

static void unassign(struct list *old)
{
	for (int i = old->n - 2; i >= 0; i -= 2)
		if (old->w[i + 1])
			set_var(old->w[i], old->w[i + 1], 0);
		else
			unset_var(old->w[i]);
}

static int call(struct function *f, char **argv)
{
	struct frame saved = params;
	int depth = loop_depth;

	params.args = argv + 1;
	for (params.n = 0; params.args[params.n];)
		params.n++;
	loop_depth = 0;
	int status = run(f->body);

	if (flow == F_RETURN)
		flow = F_NONE;
	loop_depth = depth;
	params = saved;
	return status;
}

static int in_shell(struct node *n, char **argv, struct function *f, builtin_fn *fn,
		    int special)
{
	struct undo *undo = NULL;
	struct list old = {0};
	int lasting = special && argv[0] && strcmp(argv[0], "exec") == 0;
	int status = 1;

	if (apply_redirs(n->redirs, lasting ? NULL : &undo) == 0 &&
	    assign(&n->assigns, !special, special ? NULL : &old) == 0)
		status = f ? call(f, argv) : fn ? fn(argv) : last_status;
	fflush(stdout);
	if (!special)
		unassign(&old);
	undo_redirs(undo);
	return status;
}

static int external(struct node *n, char **argv)
{
	struct job *j = replace ? NULL : job_new(opt_monitor ? node_text(n) : "");

	if (replace || job_fork(j, 1) == 0) {
		if (apply_redirs(n->redirs, NULL) == -1 || assign(&n->assigns, 1, NULL) == -1)
			_exit(1);
		exec_program(argv);
	}
	return job_wait(j);
}

static void trace(char **argv)
{
	fprintf(stderr, "%s", get_var("PS4") ? get_var("PS4") : "");
	for (int i = 0; argv[i]; i++)
		fprintf(stderr, "%s%s", i ? " " : "", argv[i]);
	fprintf(stderr, "\n");
}

static int run_simple(struct node *n)
{
	int special = 1;

	expand_failed = 0;
	last_status = n->words.n ? last_status : 0;
	int last = replace;

	replace = 0; /* not for what is substituted */
	struct list words = expand_words(&n->words);

	replace = last;
	if (expand_failed) {
		if (!interactive)
			exit_shell(1);
		return 1;
	}
	if (opt_xtrace && words.n)
		trace(words.w);
	if (words.n == 0)
		return in_shell(n, words.w, NULL, NULL, 1);
	struct function *f = find_function(words.w[0]);
	builtin_fn *fn = f ? NULL : find_builtin(words.w[0], &special);

	if (f)
		special = 0;
	if (f || fn) {
		replace = 0; /* more may follow in it */
		return in_shell(n, words.w, f, fn, special);
	}
	return external(n, words.w);
}

/* ---- pipelines, background, subshells ---- */

static int run_pipe(struct node *n)
{
	struct job *j = job_new(opt_monitor ? node_text(n) : "");
	struct node *parts[64];
	int count = 0, in = -1, fd[2] = {-1, -1};

	for (; n->kind == N_PIPE && count < 63; n = n->a)
		parts[count++] = n->b;
	parts[count++] = n;
	while (count--) {
		if (count && pipe(fd) == -1) {
			complain("pipe", strerror(errno));
			return 1;
		}
		if (job_fork(j, 1) == 0) {
			become_subshell();
			if (in != -1) {
				dup2(in, 0);
				close(in);
			}
			if (count) {
				close(fd[0]);
				dup2(fd[1], 1);
				close(fd[1]);
			}
			replace = parts[count]->kind == N_SIMPLE;
			exit_shell(run(parts[count]));
		}
		if (in != -1)
			close(in);
		if (count)
			close(fd[1]);
		in = fd[0];
	}
	return job_wait(j);
}

static int run_apart(struct node *n, int foreground)
{
	struct job *j = job_new(opt_monitor || !foreground ? node_text(n) : "");
	pid_t pid = job_fork(j, foreground);

	if (pid == 0) {
		become_subshell();
		if (!foreground && !j->group) {
			int null = open("/dev/null", O_RDONLY);

			dup2(null, 0);
			close(null);
			signal(SIGINT, SIG_IGN);
			signal(SIGQUIT, SIG_IGN);
		}
		if (n->kind == N_SUB && foreground)
			n = n->a; /* its redirections are in force */
		replace = n->kind == N_SIMPLE;
		exit_shell(run(n));
	}
	if (foreground)
		return job_wait(j);
	last_background = pid;
	if (interactive)
		fprintf(stderr, "[%d]\t%d\n", j->id, (int)pid);
	return 0;
}

/* ---- control ---- */

static int condition(struct node *n)
{
	no_errexit++;
	int status = run(n);

	no_errexit--;
	return status;
}

/* Whether a loop goes on after its body. */
static int loop_goes_on(void)
{
	if (flow == F_NONE)
		return 1;
	if (flow == F_RETURN)
		return 0;
	if (--flow_depth > 0)
		return 0;
	int goes_on = flow == F_CONTINUE;

	flow = F_NONE;
	return goes_on;
}

static int run_while(struct node *n)
{
	int status = 0;

	loop_depth++;
	for (;;) {
		int met = condition(n->a) == 0;

		if (flow == F_NONE) {
			if (met != (n->kind == N_WHILE))
				break;
			status = run(n->b);
		}
		if (!loop_goes_on())
			break;
	}
	loop_depth--;
	return status;
}

static int run_for(struct node *n)
{
	struct list words = n->has_in ? expand_words(&n->words) : (struct list){0};
	int status = 0;

	if (!n->has_in)
		for (int i = 0; i < params.n; i++)
			add(&words, params.args[i]);
	loop_depth++;
	for (int i = 0; i < words.n; i++) {
		set_var(n->assigns.w[0], words.w[i], 0);
		status = run(n->a);
		if (!loop_goes_on())
			break;
	}
	loop_depth--;
	return status;
}

static int run_case(struct node *n)
{
	char *word = expand_one(n->words.w[0]);

	for (struct arm *arm = n->arms; arm; arm = arm->next)
		for (int i = 0; i < arm->patterns.n; i++)
			if (fnmatch(expand_pattern(arm->patterns.w[i]), word, 0) == 0)
				return arm->body ? run(arm->body) : 0;
	return 0;
}

static int dispatch(struct node *n)
{
	int status;

	switch (n->kind) {
	case N_SIMPLE:
		return run_simple(n);
	case N_PIPE:
		return run_pipe(n);
	case N_NOT:
		return condition(n->a) == 0;
	case N_AND:
		status = condition(n->a);
		return status == 0 && flow == F_NONE ? run(n->b) : status;
	case N_OR:
		status = condition(n->a);
		return status != 0 && flow == F_NONE ? run(n->b) : status;
	case N_SEQ:
		status = run(n->a);
		return flow == F_NONE ? run(n->b) : status;
	case N_BACK:
		return run_apart(n->a, 0);
	case N_SUB:
		return run_apart(n, 1);
	case N_GROUP:
		return run(n->a);
	case N_IF:
		if (condition(n->a) == 0)
			return flow == F_NONE ? run(n->b) : last_status;
		return n->c && flow == F_NONE ? run(n->c) : 0;
	case N_WHILE:
	case N_UNTIL:
		return run_while(n);
	case N_FOR:
		return run_for(n);
	case N_CASE:
		return run_case(n);
	default:
		define_function(n->words.w[0], n->a);
		return 0;
	}
}

int run(struct node *n)
{
	struct undo *undo = NULL;
	void *mark = keep_mark();
	int status = 1;

	if (!n)
		return last_status;
	int outer = n->redirs && n->kind != N_SIMPLE;

	if (!outer || apply_redirs(n->redirs, &undo) == 0)
		status = dispatch(n);
	if (outer)
		undo_redirs(undo);
	last_status = status;
	keep_back(mark);
	run_traps();
	if (status && opt_errexit && !no_errexit && flow == F_NONE &&
	    (n->kind == N_SIMPLE || n->kind == N_PIPE || n->kind == N_SUB))
		exit_shell(status);
	return status;
}

int run_text(const char *text)
{
	struct source s = {.text = text, .n = strlen(text), .fd = -1};
	int end = 0, status = 0;

	source_push(&s);
	while (!end && flow == F_NONE) {
		struct node *n = parse_command(&end);

		if (syntax_error) {
			status = 2;
			break;
		}
		if (n)
			status = run(n);
	}
	source_pop(&s);
	return status;
}
