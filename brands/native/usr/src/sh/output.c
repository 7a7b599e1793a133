/*
 * output.c - echo and printf.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sh.h"

int builtin_echo(char **argv)
{
	int newline = !(argv[1] && strcmp(argv[1], "-n") == 0);

	for (int i = 2 - newline; argv[i]; i++)
		printf("%s%s", i > 2 - newline ? " " : "", argv[i]);
	if (newline)
		putchar('\n');
	return 0;
}

static int escape(const char **p)
{
	static const char letters[] = "abfnrtv\\", values[] = "\a\b\f\n\r\t\v\\";
	const char *at = strchr(letters, **p);
	int c = 0;

	if (**p && at) {
		++*p;
		return values[at - letters];
	}
	if (**p < '0' || **p > '7')
		return '\\';
	for (int i = 0; i < 4 && **p >= '0' && **p <= '7'; i++)
		c = c * 8 + *(*p)++ - '0';
	return c;
}

/* One pass over the format; the arguments that are left. */
static char **format(const char *p, char **args)
{
	char spec[32];

	while (*p) {
		if (*p == '\\') {
			p++;
			putchar(escape(&p));
			continue;
		}
		if (*p != '%' || p[1] == '%') {
			p += *p == '%';
			putchar(*p++);
			continue;
		}
		size_t n = 1 + strspn(p + 1, "-+ #0123456789.");
		char conv = p[n];
		const char *arg = *args ? *args++ : "";

		if (n > 24 || !conv)
			break;
		snprintf(spec, sizeof spec, "%.*s%s%c", (int)n, p,
			 strchr("diouxX", conv) ? "l" : "", conv);
		if (strchr("diouxX", conv))
			printf(spec, *arg == '\'' || *arg == '"' ? (long)arg[1] : strtol(arg, NULL, 0));
		else if (strchr("feEgG", conv))
			printf(spec, strtod(arg, NULL));
		else if (conv == 's')
			printf(spec, arg);
		else if (conv == 'c')
			printf("%.1s", arg);
		else if (conv == 'b')
			while (*arg) {
				int c = *arg++;

				putchar(c == '\\' ? escape(&arg) : c);
			}
		p += n + 1;
	}
	return args;
}

int builtin_printf(char **argv)
{
	char **args = argv + 2;

	if (!argv[1]) {
		complain("printf", "usage: printf FORMAT [ARGUMENT...]");
		return 2;
	}
	do {
		char **rest = format(argv[1], args);

		if (rest == args)
			break;
		args = rest;
	} while (*args);
	return 0;
}
