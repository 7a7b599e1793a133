/*
 * param.c - what a $ begins: parameters, commands, arithmetic.
 *
 * SPDX-License-Identifier: MIT
 */
#include <ctype.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <sys/wait.h>

#include "sh.h"

/* ---- commands ---- */

static char *read_all(int fd)
{
	struct text t = {0};
	char buf[512];
	ssize_t n;

	while ((n = read(fd, buf, sizeof buf)) > 0 || (n == -1 && errno == EINTR))
		for (ssize_t i = 0; i < n; i++)
			if (buf[i])
				put(&t, buf[i]);
	while (t.n && t.s[t.n - 1] == '\n')
		t.s[--t.n] = 0;
	return t.s ? t.s : keep_text("", 0);
}

char *command_output(const char *command)
{
	int fd[2], status;
	pid_t pid;

	if (pipe(fd) == -1 || (fflush(stdout), pid = fork()) == -1) {
		complain("command substitution", strerror(errno));
		expand_failed = 1;
		return "";
	}
	if (pid == 0) {
		become_subshell();
		close(fd[0]);
		if (fd[1] != 1) {
			dup2(fd[1], 1);
			close(fd[1]);
		}
		exit_shell(run_text(command));
	}
	close(fd[1]);
	char *out = read_all(fd[0]);

	close(fd[0]);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	last_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return out;
}

/* ---- arithmetic ---- */

static const char *at;

static void blanks(void)
{
	while (isspace((unsigned char)*at))
		at++;
}

static long expression(int level);

static long primary(void)
{
	blanks();
	if (*at == '(') {
		at++;
		long v = expression(0);

		blanks();
		at += *at == ')';
		return v;
	}
	if (*at == '-' || *at == '+' || *at == '!' || *at == '~') {
		char op = *at++;
		long v = primary();

		return op == '-' ? -v : op == '!' ? !v : op == '~' ? ~v : v;
	}
	if (isdigit((unsigned char)*at)) {
		char *end;
		long v = strtol(at, &end, 0);

		at = end;
		return v;
	}
	const char *start = at;

	while (isalnum((unsigned char)*at) || *at == '_')
		at++;
	if (at == start) {
		complain("arithmetic", "syntax error");
		expand_failed = 1;
		at += strlen(at);
		return 0;
	}
	char *name = keep_text(start, at - start);
	const char *value = get_var(name);

	blanks();
	if (*at == '=' && at[1] != '=') {
		char text[24];

		at++;
		long v = expression(0);

		snprintf(text, sizeof text, "%ld", v);
		set_var(name, text, 0);
		return v;
	}
	return value ? strtol(value, NULL, 0) : 0;
}

static const struct {
	const char *op;
	int level;
} operators[] = {
	{"||", 1}, {"&&", 2}, {"==", 6}, {"!=", 6}, {"<<", 8}, {">>", 8}, {"<=", 7}, {">=", 7},
	{"|", 3},  {"^", 4},  {"&", 5},  {"<", 7},  {">", 7},  {"+", 9},  {"-", 9},  {"*", 10},
	{"/", 10}, {"%", 10},
};

static long divide(long a, long b, char op)
{
	if (b == 0) {
		complain("arithmetic", "division by zero");
		expand_failed = 1;
		return 0;
	}
	if (b == -1)
		return op == '/' ? (long)(0 - (unsigned long)a) : 0;
	return op == '/' ? a / b : a % b;
}

static long apply(const char *op, unsigned long a, unsigned long b)
{
	switch (op[0]) {
	case '|':
		return op[1] ? a || b : a | b;
	case '&':
		return op[1] ? a && b : a & b;
	case '^':
		return a ^ b;
	case '=':
		return a == b;
	case '!':
		return a != b;
	case '<':
		return op[1] == '<' ? (long)(a << (b & 63))
				    : op[1] ? (long)a <= (long)b : (long)a < (long)b;
	case '>':
		return op[1] == '>' ? (long)a >> (b & 63)
				    : op[1] ? (long)a >= (long)b : (long)a > (long)b;
	case '+':
		return a + b;
	case '-':
		return a - b;
	case '*':
		return a * b;
	default:
		return divide(a, b, op[0]);
	}
}

static long expression(int level)
{
	long v = primary();

	for (;;) {
		size_t i = 0, n = sizeof operators / sizeof *operators;

		blanks();
		while (i < n && strncmp(at, operators[i].op, strlen(operators[i].op)) != 0)
			i++;
		if (i == n || operators[i].level <= level)
			break;
		at += strlen(operators[i].op);
		v = apply(operators[i].op, v, expression(operators[i].level));
	}
	if (level == 0 && *at == '?') {
		at++;
		long yes = expression(0);

		blanks();
		at += *at == ':';
		long no = expression(0);

		return v ? yes : no;
	}
	return v;
}

long arithmetic(const char *expr)
{
	const char *saved = at;

	at = expr;
	blanks();
	long v = *at ? expression(0) : 0;

	blanks();
	if (*at && !expand_failed) {
		complain("arithmetic", "syntax error");
		expand_failed = 1;
	}
	at = saved;
	return v;
}

/* ---- parameters ---- */

static char number[24];

static const char *as_text(long n)
{
	snprintf(number, sizeof number, "%ld", n);
	return number;
}

static const char *flags_text(void)
{
	static char text[8];

	snprintf(text, sizeof text, "%s%s%s%s%s%s", opt_errexit ? "e" : "",
		 opt_noglob ? "f" : "", interactive ? "i" : "", opt_monitor ? "m" : "",
		 opt_nounset ? "u" : "", opt_xtrace ? "x" : "");
	return text;
}

static const char *value_of(const char *name)
{
	if (isdigit((unsigned char)*name)) {
		int n = atoi(name);

		return n == 0 ? shell_name : n <= params.n ? params.args[n - 1] : NULL;
	}
	switch (*name) {
	case '#':
		return as_text(params.n);
	case '?':
		return as_text(last_status);
	case '$':
		return as_text(shell_pid);
	case '!':
		return last_background ? as_text(last_background) : NULL;
	case '-':
		return flags_text();
	default:
		return get_var(name);
	}
}

static void all_params(char which, struct field *out, int quoted)
{
	const char *ifs = get_var("IFS");

	for (int i = 0; i < params.n; i++) {
		if (i && quoted && which == '*')
			put_flagged(out, ifs ? ifs : " ", ifs ? *ifs != 0 : 1, QUOTED);
		else if (i)
			put_flagged(out, " ", 1, BREAK);
		if (quoted)
			put_flagged(out, "", 1, EMPTY);
		put_flagged(out, params.args[i], strlen(params.args[i]), quoted ? QUOTED : SPLIT);
	}
}

static void put_value(struct field *out, const char *s, size_t n, int quoted)
{
	put_flagged(out, s, n, quoted ? QUOTED : SPLIT);
}

/* ${x#p} ${x##p} ${x%p} ${x%%p} */
static void trim(const char *value, const char *op, struct field *out, int quoted)
{
	int longest = op[1] == op[0];
	char *pattern = expand_pattern(op + 1 + longest);
	size_t n = strlen(value);

	for (size_t i = 0; i <= n; i++) {
		size_t len = longest ? n - i : i;
		char *part = *op == '#' ? keep_text(value, len) : keep_text(value + n - len, len);

		if (fnmatch(pattern, part, 0) != 0)
			continue;
		put_value(out, *op == '#' ? value + len : value, n - len, quoted);
		return;
	}
	put_value(out, value, n, quoted);
}

static void unset_error(const char *name, const char *why)
{
	complain(name, why);
	expand_failed = 1;
}

/* ${name op word}: the operators - = ? + with or without a colon */
static void choose(const char *name, const char *value, const char *op, struct field *out,
		   int quoted)
{
	int colon = *op == ':';
	int there = value && (!colon || *value);
	const char *word = op + 1 + colon;
	char *text;

	switch (op[colon]) {
	case '+':
		if (there)
			expand_into(word, strlen(word), out, quoted);
		return;
	case '-':
		if (!there)
			expand_into(word, strlen(word), out, quoted);
		break;
	case '=':
		if (!there) {
			text = expand_one(word);
			set_var(name, text, 0);
			put_value(out, text, strlen(text), quoted);
		}
		break;
	case '?':
		if (!there) {
			text = expand_one(word);
			unset_error(name, *text ? text : "parameter is not set");
		}
		break;
	default:
		unset_error(name, "bad substitution");
	}
	if (there)
		put_value(out, value, strlen(value), quoted);
}

static size_t name_length(const char *p)
{
	size_t n = 0;

	if (isalpha((unsigned char)*p) || *p == '_')
		while (isalnum((unsigned char)p[n]) || p[n] == '_')
			n++;
	else if (isdigit((unsigned char)*p))
		while (isdigit((unsigned char)p[n]))
			n++;
	else if (*p && strchr("@*#?$!-", *p))
		n = 1;
	return n;
}

static void plain(const char *name, struct field *out, int quoted)
{
	const char *value = value_of(name);

	if (*name == '@' || *name == '*')
		all_params(*name, out, quoted);
	else if (value)
		put_value(out, value, strlen(value), quoted);
	else if (opt_nounset)
		unset_error(name, "parameter is not set");
}

static void braces(const char *inner, struct field *out, int quoted)
{
	if (*inner == '#' && inner[1] && name_length(inner + 1) == strlen(inner + 1)) {
		const char *value = value_of(inner + 1);
		long n = strchr("@*", inner[1]) ? params.n : value ? (long)strlen(value) : 0;

		put_value(out, as_text(n), strlen(as_text(n)), quoted);
		return;
	}
	size_t n = name_length(inner);
	char *name = keep_text(inner, n);
	const char *op = inner + n, *value = n ? value_of(name) : NULL;

	if (n == 0)
		unset_error(inner, "bad substitution");
	else if (!*op)
		plain(name, out, quoted);
	else if (*op == '#' || *op == '%')
		trim(value ? value : "", op, out, quoted);
	else {
		if ((*name == '@' || *name == '*') && params.n)
			value = expand_one("$*");
		choose(name, value ? keep_text(value, strlen(value)) : NULL, op, out, quoted);
	}
}

/* The end of balanced text that was opened; quotes hide brackets. */
static const char *closing(const char *p, char open, char close)
{
	int depth = 1;

	for (; *p; p++) {
		if (*p == '\\' && p[1]) {
			p++;
		} else if (*p == '\'' || *p == '"' || *p == '`') {
			char q = *p;

			for (p++; *p && *p != q; p++)
				if (*p == '\\' && q != '\'' && p[1])
					p++;
			if (!*p)
				break;
		} else if (*p == open) {
			depth++;
		} else if (*p == close && --depth == 0) {
			return p;
		}
	}
	return p;
}

const char *expand_dollar(const char *p, struct field *out, int quoted)
{
	const char *end;
	size_t n = name_length(++p);

	if (*p == '{') {
		end = closing(p + 1, '{', '}');
		braces(keep_text(p + 1, end - p - 1), out, quoted);
		return *end ? end + 1 : end;
	}
	if (*p == '(') {
		end = closing(p + 1, '(', ')');
		if (p[1] == '(' && end[-1] == ')') {
			char *expr = expand_here(keep_text(p + 2, end - p - 3));
			const char *text = as_text(arithmetic(expr));

			put_value(out, text, strlen(text), quoted);
		} else {
			char *got = command_output(keep_text(p + 1, end - p - 1));

			put_value(out, got, strlen(got), quoted);
		}
		return *end ? end + 1 : end;
	}
	if (n == 0) {
		put_flagged(out, "$", 1, QUOTED);
		return p;
	}
	if (isdigit((unsigned char)*p))
		n = 1;
	plain(keep_text(p, n), out, quoted);
	return p + n;
}
