/*
 * util.c - memory and messages.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sh.h"

struct block {
	struct block *below;
	char data[] __attribute__((aligned(16)));
};
static struct block *top;

void *keep(size_t n)
{
	struct block *b = calloc(1, sizeof *b + n);

	if (!b) {
		complain("memory", strerror(errno));
		_exit(2);
	}
	b->below = top;
	top = b;
	return b->data;
}

void *keep_mark(void)
{
	return top;
}

void keep_back(void *mark)
{
	while (top != mark) {
		struct block *below = top->below;

		free(top);
		top = below;
	}
}

char *keep_text(const char *s, size_t n)
{
	char *copy = keep(n + 1);

	memcpy(copy, s, n);
	return copy;
}

void put(struct text *t, char c)
{
	if (t->n + 2 > t->room) {
		char *more = keep(t->room = t->room * 2 + 32);

		if (t->n)
			memcpy(more, t->s, t->n);
		t->s = more;
	}
	t->s[t->n++] = c;
	t->s[t->n] = 0;
}

void puts_to(struct text *t, const char *s)
{
	while (*s)
		put(t, *s++);
}

void add(struct list *l, char *word)
{
	if (l->n + 2 > l->room) {
		char **more = keep((l->room = l->room * 2 + 8) * sizeof *more);

		if (l->n)
			memcpy(more, l->w, l->n * sizeof *more);
		l->w = more;
	}
	l->w[l->n++] = word;
	l->w[l->n] = NULL;
}

void complain(const char *what, const char *why)
{
	fflush(stdout);
	fprintf(stderr, "sh: %s: %s\n", what, why);
}
