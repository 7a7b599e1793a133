/*
 * builtin.c - commands of the shell itself; others are in jobs.c, output.c, test.c and
 * trap.c.
 *
 * SPDX-License-Identifier: MIT
 */
#include <ctype.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/times.h>

#include "sh.h"

/* ---- control ---- */

static int number(char **argv, int fallback)
{
	return argv[1] ? atoi(argv[1]) : fallback;
}

static int b_exit(char **argv)
{
	exit_shell(number(argv, last_status));
}

static int b_return(char **argv)
{
	flow = F_RETURN;
	return number(argv, last_status);
}

static int leave(char **argv, enum flow how)
{
	if (loop_depth) {
		flow = how;
		flow_depth = number(argv, 1);
		if (flow_depth > loop_depth)
			flow_depth = loop_depth;
	}
	return 0;
}

static int b_break(char **argv)
{
	return leave(argv, F_BREAK);
}

static int b_continue(char **argv)
{
	return leave(argv, F_CONTINUE);
}

static int b_colon(char **argv)
{
	(void)argv; /* expanded, and that was it */
	return 0;
}

static int b_false(char **argv)
{
	(void)argv;
	return 1;
}

static int b_eval(char **argv)
{
	struct text t = {0};

	for (int i = 1; argv[i]; i++) {
		if (i > 1)
			put(&t, ' ');
		puts_to(&t, argv[i]);
	}
	return t.s ? run_text(t.s) : 0;
}

static int b_exec(char **argv)
{
	if (argv[1])
		exec_program(argv + 1);
	return 0; /* only its redirections */
}

static char *read_file(const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	char *text;
	ssize_t n;

	if (fd == -1 || fstat(fd, &st) == -1)
		return NULL;
	text = keep(st.st_size + 1);
	n = read(fd, text, st.st_size);
	close(fd);
	return n == -1 ? NULL : text;
}

static int b_dot(char **argv)
{
	char *text = argv[1] ? read_file(argv[1]) : NULL;

	if (!text) {
		complain(argv[1] ? argv[1] : ".", argv[1] ? strerror(errno) : "no file");
		return 1;
	}
	int status = run_text(text);

	if (flow == F_RETURN)
		flow = F_NONE;
	return status;
}

static int b_command(char **argv)
{
	if (argv[1] && strcmp(argv[1], "-v") == 0 && argv[2]) {
		int special;

		if (find_function(argv[2]) || find_builtin(argv[2], &special)) {
			printf("%s\n", argv[2]);
			return 0;
		}
		const char *path = get_var("PATH");
		char full[1024];

		while (path && *path) {
			size_t n = strcspn(path, ":");

			snprintf(full, sizeof full, "%.*s/%s", (int)n, path, argv[2]);
			if (access(full, X_OK) == 0) {
				printf("%s\n", full);
				return 0;
			}
			path += n + (path[n] == ':');
		}
		return 1;
	}
	if (!argv[1])
		return 0;
	int special;
	builtin_fn *fn = find_builtin(argv[1], &special);

	if (fn)
		return fn(argv + 1);
	struct job *j = job_new("");

	if (job_fork(j, 1) == 0)
		exec_program(argv + 1);
	return job_wait(j);
}

/* ---- variables ---- */

static int declare(char **argv, void (*mark)(const char *), int exported)
{
	int failed = 0;

	if (!argv[1] || strcmp(argv[1], "-p") == 0)
		show_vars(exported);
	for (int i = 1; argv[i]; i++) {
		char *equals = strchr(argv[i], '=');
		size_t n = equals ? (size_t)(equals - argv[i]) : strlen(argv[i]);

		if (strcmp(argv[i], "-p") == 0)
			continue;
		if (!is_name(argv[i], n)) {
			complain(argv[i], "is not a name");
			failed = 1;
			continue;
		}
		char *name = keep_text(argv[i], n);

		if (equals && set_var(name, equals + 1, 0) == -1)
			failed = 1;
		mark(name);
	}
	return failed;
}

static int b_export(char **argv)
{
	return declare(argv, export_var, 1);
}

static int b_readonly(char **argv)
{
	return declare(argv, readonly_var, 0);
}

static int b_unset(char **argv)
{
	int failed = 0, functions = argv[1] && strcmp(argv[1], "-f") == 0;
	int skip = functions || (argv[1] && strcmp(argv[1], "-v") == 0);

	for (int i = 1 + skip; argv[i]; i++)
		if (functions)
			remove_function(argv[i]);
		else
			failed |= unset_var(argv[i]) == -1;
	return failed;
}

static int set_option(char letter, int on)
{
	switch (letter) {
	case 'e':
		opt_errexit = on;
		break;
	case 'x':
		opt_xtrace = on;
		break;
	case 'f':
		opt_noglob = on;
		break;
	case 'u':
		opt_nounset = on;
		break;
	default:
		return -1;
	}
	return 0;
}

static void set_params(char **args)
{
	struct frame f = {NULL, 0};

	while (args[f.n])
		f.n++;
	f.args = calloc(f.n + 1, sizeof *f.args);
	for (int i = 0; i < f.n; i++)
		f.args[i] = strdup(args[i]);
	params = f;
}

static int b_set(char **argv)
{
	int i = 1;

	if (!argv[1])
		show_vars(0);
	for (; argv[i] && (argv[i][0] == '-' || argv[i][0] == '+') && argv[i][1]; i++) {
		if (strcmp(argv[i], "--") == 0) {
			set_params(argv + i + 1);
			return 0;
		}
		for (const char *p = argv[i] + 1; *p; p++)
			if (set_option(*p, argv[i][0] == '-') == -1) {
				complain(argv[i], "bad option");
				return 2;
			}
	}
	if (argv[i])
		set_params(argv + i);
	return 0;
}

static int b_shift(char **argv)
{
	int n = number(argv, 1);

	if (n < 0 || n > params.n) {
		complain("shift", "not so many arguments");
		return 1;
	}
	params.args += n;
	params.n -= n;
	return 0;
}

/* One line, a backslash goes on in the next one unless -r. */
static char *read_line(int raw, int *status)
{
	struct text t = {0};
	char c = 0;

	put(&t, 0);
	t.n = 0;
	*status = 0;
	for (;;) {
		ssize_t n = read(0, &c, 1);

		if (n == -1 && errno == EINTR) {
			run_traps();
			continue;
		}
		if (n <= 0) {
			*status = 1;
			break;
		}
		if (c == '\\' && !raw) {
			if (read(0, &c, 1) == 1 && c != '\n')
				put(&t, c);
			continue;
		}
		if (c == '\n')
			break;
		put(&t, c);
	}
	t.s[t.n] = 0;
	return t.s;
}

static int b_read(char **argv)
{
	int raw = argv[1] && strcmp(argv[1], "-r") == 0, status;
	char **names = argv + 1 + raw, *line = read_line(raw, &status);
	const char *ifs = get_var("IFS");

	if (!ifs)
		ifs = " \t\n";
	line += strspn(line, ifs);
	for (; *names; names++) {
		size_t n = names[1] ? strcspn(line, ifs) : strlen(line);
		char *rest = line + n;

		while (!names[1] && n && strchr(ifs, line[n - 1]) &&
		       isspace((unsigned char)line[n - 1]))
			n--;
		if (set_var(*names, keep_text(line, n), 0) == -1)
			return 1;
		line = rest + strspn(rest, ifs);
	}
	return status;
}

/* ---- files ---- */

static int b_cd(char **argv)
{
	const char *to = argv[1] ? argv[1] : get_var("HOME");
	char cwd[1024];

	if (to && strcmp(to, "-") == 0) {
		to = get_var("OLDPWD");
		if (to)
			printf("%s\n", to);
	}
	if (!to) {
		complain("cd", "nowhere to go");
		return 1;
	}
	if (chdir(to) == -1) {
		complain(to, strerror(errno));
		return 1;
	}
	set_var("OLDPWD", get_var("PWD") ? get_var("PWD") : "", 0);
	if (getcwd(cwd, sizeof cwd))
		set_var("PWD", cwd, 0);
	return 0;
}

static int b_pwd(char **argv)
{
	char cwd[1024];

	(void)argv;
	if (!getcwd(cwd, sizeof cwd)) {
		complain("pwd", strerror(errno));
		return 1;
	}
	printf("%s\n", cwd);
	return 0;
}

static int b_umask(char **argv)
{
	if (argv[1]) {
		umask(strtol(argv[1], NULL, 8));
		return 0;
	}
	mode_t mask = umask(0);

	umask(mask);
	printf("%04o\n", (unsigned)mask);
	return 0;
}

static int b_times(char **argv)
{
	struct tms t;
	long tick = sysconf(_SC_CLK_TCK);

	(void)argv;
	times(&t);
	printf("%ldm%ld.%02lds %ldm%ld.%02lds\n", t.tms_utime / tick / 60,
	       t.tms_utime / tick % 60, t.tms_utime % tick, t.tms_stime / tick / 60,
	       t.tms_stime / tick % 60, t.tms_stime % tick);
	printf("%ldm%ld.%02lds %ldm%ld.%02lds\n", t.tms_cutime / tick / 60,
	       t.tms_cutime / tick % 60, t.tms_cutime % tick, t.tms_cstime / tick / 60,
	       t.tms_cstime / tick % 60, t.tms_cstime % tick);
	return 0;
}

static const struct {
	const char *name;
	builtin_fn *fn;
	int special; /* its assignments last */
} table[] = {
	{":", b_colon, 1},	   {".", b_dot, 1},	    {"break", b_break, 1},
	{"continue", b_continue, 1}, {"eval", b_eval, 1},     {"exec", b_exec, 1},
	{"exit", b_exit, 1},	   {"export", b_export, 1}, {"readonly", b_readonly, 1},
	{"return", b_return, 1},   {"set", b_set, 1},	    {"shift", b_shift, 1},
	{"times", b_times, 1},	   {"trap", builtin_trap, 1},	    {"unset", b_unset, 1},
	{"[", builtin_test, 0},	   {"bg", builtin_bg, 0},   {"cd", b_cd, 0},
	{"command", b_command, 0}, {"echo", builtin_echo, 0},	    {"false", b_false, 0},
	{"fg", builtin_fg, 0},	   {"jobs", builtin_jobs, 0}, {"kill", builtin_kill, 0},
	{"printf", builtin_printf, 0},   {"pwd", b_pwd, 0},	    {"read", b_read, 0},
	{"test", builtin_test, 0}, {"true", b_colon, 0},    {"umask", b_umask, 0},
	{"wait", builtin_wait, 0},
};

builtin_fn *find_builtin(const char *name, int *special)
{
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (strcmp(table[i].name, name) == 0) {
			*special = table[i].special;
			return table[i].fn;
		}
	return NULL;
}
