/*
 * test.c - test and [ .
 *
 * SPDX-License-Identifier: MIT
 */
#include <sys/stat.h>

#include "sh.h"

static char **arg, **end;
static int bad;

static int expression(void);

static int file_test(char op, const char *name)
{
	struct stat st;

	if (op == 'h' || op == 'L')
		return lstat(name, &st) == 0 && S_ISLNK(st.st_mode);
	if (strchr("rwx", op))
		return access(name, op == 'r' ? R_OK : op == 'w' ? W_OK : X_OK) == 0;
	if (stat(name, &st) == -1)
		return 0;
	switch (op) {
	case 'd':
		return S_ISDIR(st.st_mode);
	case 'f':
		return S_ISREG(st.st_mode);
	case 'p':
		return S_ISFIFO(st.st_mode);
	case 'c':
		return S_ISCHR(st.st_mode);
	case 'b':
		return S_ISBLK(st.st_mode);
	case 's':
		return st.st_size > 0;
	default: /* e */
		return 1;
	}
}

static int unary(char op, const char *operand)
{
	switch (op) {
	case 'n':
		return *operand != 0;
	case 'z':
		return *operand == 0;
	case 't':
		return isatty(atoi(operand));
	default:
		return file_test(op, operand);
	}
}

static long number(const char *s)
{
	char *stop;
	long n = strtol(s, &stop, 10);

	if (stop == s || *stop) {
		complain(s, "not a number");
		bad = 1;
	}
	return n;
}

/* -1: it is no operator */
static int binary(const char *a, const char *op, const char *b)
{
	static const char *const names[] = {"-eq", "-ne", "-lt", "-le", "-gt", "-ge"};
	struct stat s, t;

	if (strcmp(op, "=") == 0 || strcmp(op, "==") == 0)
		return strcmp(a, b) == 0;
	if (strcmp(op, "!=") == 0)
		return strcmp(a, b) != 0;
	if (strcmp(op, "-ef") == 0)
		return stat(a, &s) == 0 && stat(b, &t) == 0 && s.st_dev == t.st_dev &&
		       s.st_ino == t.st_ino;
	for (int i = 0; i < 6; i++) {
		if (strcmp(op, names[i]) != 0)
			continue;
		long x = number(a), y = number(b);
		int results[] = {x == y, x != y, x < y, x <= y, x > y, x >= y};

		return results[i];
	}
	return -1;
}

static int primary(void)
{
	int r;

	if (arg >= end) {
		bad = 1;
		return 0;
	}
	if (end - arg >= 3 && (r = binary(arg[0], arg[1], arg[2])) != -1) {
		arg += 3;
		return r;
	}
	if (strcmp(*arg, "!") == 0 && end - arg > 1) {
		arg++;
		return !primary();
	}
	if (strcmp(*arg, "(") == 0 && end - arg > 1) {
		arg++;
		r = expression();
		if (arg >= end || strcmp(*arg, ")") != 0)
			bad = 1;
		arg++;
		return r;
	}
	if (arg[0][0] == '-' && arg[0][1] && !arg[0][2] && end - arg > 1 &&
	    strchr("bcdefhLnprstwxz", arg[0][1])) {
		arg += 2;
		return unary(arg[-2][1], arg[-1]);
	}
	return *(*arg++) != 0;
}

static int conjunction(void)
{
	int r = primary();

	while (arg < end && strcmp(*arg, "-a") == 0) {
		arg++;
		r &= primary();
	}
	return r;
}

static int expression(void)
{
	int r = conjunction();

	while (arg < end && strcmp(*arg, "-o") == 0) {
		arg++;
		r |= conjunction();
	}
	return r;
}

/* 0 true, 1 false, 2 no expression */
int builtin_test(char **argv)
{
	int n = 0;

	while (argv[n])
		n++;
	if (strcmp(argv[0], "[") == 0 && strcmp(argv[--n], "]") != 0) {
		complain("[", "] is missing");
		return 2;
	}
	arg = argv + 1;
	end = argv + n;
	bad = 0;
	if (arg >= end)
		return 1;
	int r = expression();

	if (bad || arg != end) {
		if (!bad)
			complain("test", "syntax error");
		return 2;
	}
	return !r;
}
