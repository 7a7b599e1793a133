/*
 * expand.c - words to fields.  Each character carries where it came from, so that
 * splitting and names of files touch only what they may.
 *
 * SPDX-License-Identifier: MIT
 */
#include <ctype.h>
#include <dirent.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include "sh.h"

int expand_failed;

void put_flagged(struct field *out, const char *s, size_t n, int flag)
{
	for (; n; n--, s++) {
		put(&out->s, *s);
		put(&out->f, flag);
	}
}

static void mark(struct field *out, int flag)
{
	put_flagged(out, "?", 1, flag);
}

static const char *single(const char *p, struct field *out)
{
	const char *end = strchr(p, '\'');

	mark(out, EMPTY);
	if (!end)
		end = p + strlen(p);
	put_flagged(out, p, end - p, QUOTED);
	return *end ? end + 1 : end;
}

/* Between back quotes a backslash quotes $ ` and itself. */
static const char *back_quotes(const char *p, struct field *out, int quoted)
{
	struct text t = {0};

	for (; *p && *p != '`'; p++) {
		if (*p == '\\' && p[1] && strchr("$`\\", p[1]))
			p++;
		put(&t, *p);
	}
	const char *got = command_output(t.s ? t.s : "");

	put_flagged(out, got, strlen(got), quoted ? QUOTED : SPLIT);
	return *p ? p + 1 : p;
}

static const char *double_quotes(const char *p, struct field *out)
{
	mark(out, EMPTY);
	while (*p && *p != '"') {
		if (*p == '\\' && p[1] && strchr("$`\"\\\n", p[1])) {
			if (p[1] != '\n')
				put_flagged(out, p + 1, 1, QUOTED);
			p += 2;
		} else if (*p == '$') {
			p = expand_dollar(p, out, 1);
		} else if (*p == '`') {
			p = back_quotes(p + 1, out, 1);
		} else {
			put_flagged(out, p++, 1, QUOTED);
		}
	}
	return *p ? p + 1 : p;
}

static const char *tilde(const char *p, struct field *out)
{
	const char *home = get_var("HOME");

	if ((p[1] && p[1] != '/' && p[1] != ':') || !home) {
		put_flagged(out, p, 1, 0);
		return p + 1;
	}
	put_flagged(out, home, strlen(home), QUOTED);
	return p + 1;
}

/* in_quotes: the word stands in double quotes (of ${x-word} or a here-document). */
void expand_into(const char *word, size_t n, struct field *out, int in_quotes)
{
	const char *p = word = keep_text(word, n);

	if (*p == '~' && !in_quotes)
		p = tilde(p, out);
	while (*p) {
		if (*p == '\\' && p[1] && (!in_quotes || strchr("$`\\\n", p[1]))) {
			if (p[1] != '\n')
				put_flagged(out, p + 1, 1, QUOTED);
			p += 2;
		} else if (*p == '\'' && !in_quotes) {
			p = single(p + 1, out);
		} else if (*p == '"' && in_quotes != 2) {
			p = double_quotes(p + 1, out);
		} else if (*p == '$') {
			p = expand_dollar(p, out, in_quotes);
		} else if (*p == '`') {
			p = back_quotes(p + 1, out, in_quotes);
		} else {
			put_flagged(out, p++, 1, in_quotes ? QUOTED : 0);
		}
	}
}

/* ---- names of files ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int has_pattern(const char *s, size_t n)
{
	for (; n; n--, s++) {
		if (*s == '\\' && n > 1) {
			s++;
			n--;
		} else if (strchr("*?[", *s)) {
			return 1;
		}
	}
	return 0;
}

static char *join(const char *a, const char *b, int slash)
{
	struct text t = {0};

	puts_to(&t, a);
	puts_to(&t, b);
	if (slash)
		put(&t, '/');
	return t.s ? t.s : keep_text("", 0);
}

/* Without the backslashes that quote. */
static char *unquote(const char *s, size_t n)
{
	struct text t = {0};

	for (; n; n--, s++) {
		if (*s == '\\' && n > 1) {
			s++;
			n--;
		}
		put(&t, *s);
	}
	return t.s ? t.s : keep_text("", 0);
}

static void glob(const char *base, const char *pattern, struct list *out)
{
	size_t n = 0;
	struct stat st;

	while (*pattern == '/') {
		base = join(base, "/", 0);
		pattern++;
	}
	while (pattern[n] && pattern[n] != '/')
		n += pattern[n] == '\\' && pattern[n + 1] ? 2 : 1;
	if (n == 0) {
		add(out, (char *)base);
		return;
	}
	const char *rest = pattern + n;

	if (!has_pattern(pattern, n)) {
		char *name = join(base, unquote(pattern, n), 0);

		if (lstat(name, &st) == 0)
			glob(name, rest, out);
		return;
	}
	DIR *d = opendir(*base ? base : ".");
	char *part = keep_text(pattern, n);
	struct list names = {0};
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (fnmatch(part, e->d_name, FNM_PERIOD) == 0)
			add(&names, keep_text(e->d_name, strlen(e->d_name)));
	if (d)
		closedir(d);
	if (names.n)
		qsort(names.w, names.n, sizeof *names.w, by_name);
	for (int i = 0; i < names.n; i++) {
		char *name = join(base, names.w[i], 0);

		if (!*rest || (stat(name, &st) == 0 && S_ISDIR(st.st_mode)))
			glob(name, rest, out);
	}
}

/* ---- fields ---- */

/* The characters from..to as plain text, or as a pattern with backslashes. */
static char *field_text(const struct field *x, size_t from, size_t to, int pattern)
{
	struct text t = {0};

	for (size_t i = from; i < to; i++) {
		if (x->f.s[i] & (EMPTY | BREAK))
			continue;
		if (pattern && (x->f.s[i] & QUOTED) && strchr("*?[]!-\\", x->s.s[i]))
			put(&t, '\\');
		put(&t, x->s.s[i]);
	}
	return t.s ? t.s : keep_text("", 0);
}

static void emit(const struct field *x, size_t from, size_t to, struct list *out)
{
	char *pattern = field_text(x, from, to, 1);
	int before = out->n;

	if (!opt_noglob && has_pattern(pattern, strlen(pattern)))
		glob("", pattern, out);
	if (out->n == before)
		add(out, field_text(x, from, to, 0));
}

static int is_separator(const struct field *x, size_t i, const char *ifs)
{
	return x->f.s[i] & BREAK || ((x->f.s[i] & SPLIT) && strchr(ifs, x->s.s[i]));
}

static int is_space(const struct field *x, size_t i, const char *ifs)
{
	return is_separator(x, i, ifs) && !(x->f.s[i] & BREAK) &&
	       isspace((unsigned char)x->s.s[i]);
}

/* White space of IFS separates however much there is; another character each time. */
static void split(const struct field *x, struct list *out)
{
	const char *ifs = get_var("IFS");
	size_t i = 0, n = x->s.n;

	if (!ifs)
		ifs = " \t\n";
	while (i < n && is_space(x, i, ifs))
		i++;
	while (i < n) {
		size_t start = i;

		while (i < n && !is_separator(x, i, ifs))
			i++;
		emit(x, start, i, out);
		while (i < n && is_space(x, i, ifs))
			i++;
		if (i < n && is_separator(x, i, ifs)) {
			int is_break = x->f.s[i] & BREAK;

			i++;
			while (!is_break && i < n && is_space(x, i, ifs))
				i++;
			if (is_break && i == n)
				emit(x, i, i, out);
		}
	}
}

struct list expand_words(const struct list *words)
{
	struct list out = {0};

	add(&out, NULL);
	out.n = 0;
	for (int i = 0; i < words->n && !expand_failed; i++) {
		struct field x = {{0}, {0}};

		expand_into(words->w[i], strlen(words->w[i]), &x, 0);
		if (strcmp(words->w[i], "\"$@\"") == 0 && params.n == 0)
			continue; /* no arguments: no field */
		split(&x, &out);
	}
	return out;
}

char *expand_one(const char *word)
{
	struct field x = {{0}, {0}};

	expand_into(word, strlen(word), &x, 0);
	for (size_t i = 0; i < x.s.n; i++)
		if (x.f.s[i] & BREAK) {
			x.f.s[i] = QUOTED;
			x.s.s[i] = ' ';
		}
	return field_text(&x, 0, x.s.n, 0);
}

char *expand_pattern(const char *word)
{
	struct field x = {{0}, {0}};

	expand_into(word, strlen(word), &x, 0);
	return field_text(&x, 0, x.s.n, 1);
}

char *expand_here(const char *text)
{
	struct field x = {{0}, {0}};

	expand_into(text, strlen(text), &x, 2);
	return field_text(&x, 0, x.s.n, 0);
}
