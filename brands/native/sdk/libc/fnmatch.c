/*
 * fnmatch.c - patterns of the shell: * ? [...], [!...], a-z, [:class:], \.
 *
 * SPDX-License-Identifier: MIT
 */
#include <ctype.h>
#include <fnmatch.h>
#include <string.h>

static const struct {
	const char *name;
	int (*test)(int);
} classes[] = {
	{"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank}, {"cntrl", iscntrl},
	{"digit", isdigit}, {"graph", isgraph}, {"lower", islower}, {"print", isprint},
	{"punct", ispunct}, {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit},
};

/* [:name:] at p; the character after it, or NULL if it is none. */
static const char *class(const char *p, int c, int *hit)
{
	for (unsigned i = 0; i < sizeof classes / sizeof *classes; i++) {
		size_t n = strlen(classes[i].name);

		if (strncmp(p + 2, classes[i].name, n) == 0 &&
		    strncmp(p + 2 + n, ":]", 2) == 0) {
			*hit |= classes[i].test(c) != 0;
			return p + n + 4;
		}
	}
	return NULL;
}

/* The set that begins at p; what follows it, or NULL if it never ends. */
static const char *set(const char *p, int c, int flags, int *hit)
{
	int negate = p[1] == '!' || p[1] == '^', first = 1;
	const char *after;

	*hit = 0;
	for (p += 1 + negate; *p && (first || *p != ']'); first = 0) {
		if (p[0] == '[' && p[1] == ':' && (after = class(p, c, hit))) {
			p = after;
			continue;
		}
		if (*p == '\\' && !(flags & FNM_NOESCAPE) && p[1])
			p++;
		unsigned char from = *p++, to = from;

		if (*p == '-' && p[1] && p[1] != ']') {
			to = p[1];
			p += 2;
		}
		*hit |= from <= c && c <= to;
	}
	*hit ^= negate;
	return *p == ']' ? p + 1 : NULL;
}

static int match(const char *p, const char *s, const char *start, int flags)
{
	for (;; s++) {
		int c = (unsigned char)*s, hit;
		int slash = c == '/' && flags & FNM_PATHNAME;
		int head = s == start || (flags & FNM_PATHNAME && s[-1] == '/');
		int dot = c == '.' && flags & FNM_PERIOD && head;
		const char *after;

		switch (*p) {
		case 0:
			return c ? FNM_NOMATCH : 0;
		case '*':
			if (dot)
				return FNM_NOMATCH;
			while (*p == '*')
				p++;
			for (;; s++) {
				if (match(p, s, start, flags) == 0)
					return 0;
				if (!*s || (*s == '/' && flags & FNM_PATHNAME))
					return FNM_NOMATCH;
			}
		case '?':
			if (!c || slash || dot)
				return FNM_NOMATCH;
			p++;
			break;
		case '[':
			after = set(p, c, flags, &hit);
			if (after) {
				if (!c || slash || dot || !hit)
					return FNM_NOMATCH;
				p = after;
				break;
			}
			if (c != '[')
				return FNM_NOMATCH;
			p++;
			break;
		case '\\':
			if (!(flags & FNM_NOESCAPE) && p[1])
				p++;
			/* fallthrough */
		default:
			if (*p++ != *s)
				return FNM_NOMATCH;
		}
	}
}

int fnmatch(const char *pattern, const char *s, int flags)
{
	return match(pattern, s, s, flags);
}
