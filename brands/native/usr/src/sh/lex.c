/*
 * lex.c - input and tokens.  A word is kept as it stands, with its quotes.
 *
 * SPDX-License-Identifier: MIT
 */
#include "sh.h"

#define LINE 512

char *token_text;
int token_fd = -1, interactive, continued;
static struct source *now;
static enum token ahead;
static int have_ahead, saved_fd;
static char *saved_text;

struct here {
	struct here *next;
	struct redir *redir;
	int tabs;
};
static struct here *wanted;

void source_push(struct source *s)
{
	s->up = now;
	now = s;
	have_ahead = 0;
}

void source_pop(struct source *s)
{
	now = s->up;
	have_ahead = 0;
	if (s->fd >= 0)
		free((char *)s->text);
}

void lex_reset(void)
{
	have_ahead = 0;
	wanted = NULL;
	if (now->fd >= 0)
		now->at = now->n;
}

/*
 * A line of the descriptor.  Only of a terminal more than a byte is read at once: what
 * follows the line may be meant for the command in it.
 */
static int refill(void)
{
	char *line = (char *)now->text;
	size_t n = 0, room = line ? LINE : 0;
	ssize_t got;

	if (interactive && !now->up) {
		const char *prompt = get_var(continued ? "PS2" : "PS1");

		job_notify();
		fprintf(stderr, "%s", prompt ? prompt : "");
	}
	do {
		if (n + 1 >= room) {
			room = room < LINE ? LINE : room * 2;
			line = realloc(line, room);
		}
		got = read(now->fd, line + n, interactive ? room - n - 1 : 1);
		if (got == -1 && errno == EINTR) {
			run_traps();
			got = 1;
			continue;
		}
		n += got > 0 ? got : 0;
	} while (got > 0 && (n == 0 || line[n - 1] != '\n'));
	now->text = line;
	now->at = 0;
	now->n = n;
	return n > 0;
}

static int get(void)
{
	if (now->at >= now->n && (now->fd < 0 || !refill()))
		return EOF;
	return (unsigned char)now->text[now->at++];
}

static void unget(int c)
{
	if (c != EOF)
		now->at--;
}

static int look(void)
{
	int c = get();

	unget(c);
	return c;
}

/* ---- words ---- */

static void word_until(struct text *t, int close);

/* What follows a $ or stands in back quotes or quotes, up to its end. */
static void quoted(struct text *t, int c)
{
	int next;

	put(t, c);
	switch (c) {
	case '\'':
		while ((next = get()) != EOF) {
			put(t, next);
			if (next == '\'')
				return;
		}
		break;
	case '"':
	case '`':
		while ((next = get()) != EOF) {
			if (next == '\\') {
				put(t, next);
				next = get();
				put(t, next);
			} else if (next == '$' && c == '"') {
				quoted(t, next);
			} else if (next == '`' && c == '"') {
				quoted(t, next);
			} else {
				put(t, next);
				if (next == c)
					return;
			}
		}
		break;
	default: /* $ */
		next = look();
		if (next == '(' || next == '{') {
			put(t, get());
			word_until(t, next == '(' ? ')' : '}');
		}
		return;
	}
	syntax_error = 1;
}

/* Balanced text to a closing bracket; quotes in it are left alone. */
static void word_until(struct text *t, int close)
{
	int open = close == ')' ? '(' : '{', depth = 1, c;

	while (depth && (c = get()) != EOF) {
		if (c == '\\') {
			put(t, c);
			c = get();
			put(t, c);
		} else if (c == '\'' || c == '"' || c == '`' || c == '$') {
			quoted(t, c);
		} else {
			depth += (c == open) - (c == close);
			put(t, c);
		}
	}
	if (depth)
		syntax_error = 1;
}

static enum token word(int c)
{
	struct text t = {0};

	for (;; c = get()) {
		if (c == EOF || strchr(" \t\n;&|<>()", c)) {
			unget(c);
			break;
		}
		if (c == '\\') {
			c = get();
			if (c == '\n')
				continue;
			put(&t, '\\');
			if (c != EOF)
				put(&t, c);
		} else if (strchr("'\"`$", c)) {
			quoted(&t, c);
		} else {
			put(&t, c);
		}
	}
	token_text = t.s ? t.s : keep_text("", 0);
	return T_WORD;
}

/* ---- here-documents ---- */

void want_here(struct redir *r, int tabs)
{
	struct here *h = keep(sizeof *h), **last = &wanted;

	h->redir = r;
	h->tabs = tabs;
	while (*last)
		last = &(*last)->next;
	*last = h;
}

/* The delimiter without quotes; whether it had some. */
static char *plain(const char *word, int *had_quotes)
{
	struct text t = {0};

	put(&t, 0);
	t.n = 0;
	for (; *word; word++)
		if (strchr("'\"\\", *word))
			*had_quotes = 1;
		else
			put(&t, *word);
	return t.s;
}

static void read_here(struct here *h)
{
	char *end = plain(h->redir->word, &h->redir->literal);
	struct text body = {0};
	int c = 0;

	put(&body, 0);
	body.n = 0;
	body.s[0] = 0;
	while (c != EOF) {
		size_t start = body.n;

		while (h->tabs && look() == '\t')
			get();
		while ((c = get()) != EOF && c != '\n')
			put(&body, c);
		if (strcmp(body.s + start, end) == 0) {
			body.n = start;
			body.s[start] = 0;
			break;
		}
		if (c == '\n' || body.n > start)
			put(&body, '\n');
	}
	h->redir->word = body.s;
}

static enum token newline(void)
{
	struct here *h = wanted;

	wanted = NULL;
	for (; h; h = h->next)
		read_here(h);
	return T_NEWLINE;
}

/* ---- tokens ---- */

static enum token either(int second, enum token yes, enum token no)
{
	if (look() != second)
		return no;
	get();
	return yes;
}

static enum token less(void)
{
	if (look() == '<') {
		get();
		return either('-', T_DLESSDASH, T_DLESS);
	}
	if (look() == '>') {
		get();
		return T_LESSGREAT;
	}
	return either('&', T_LESSAND, T_LESS);
}

static enum token great(void)
{
	if (look() == '|') {
		get();
		return T_CLOBBER;
	}
	if (look() == '>') {
		get();
		return T_DGREAT;
	}
	return either('&', T_GREATAND, T_GREAT);
}

static int blank(void)
{
	int c;

	for (;;) {
		c = get();
		if (c == '\\' && look() == '\n') {
			get();
			continue;
		}
		if (c == '#')
			while (c != '\n' && c != EOF)
				c = get();
		if (c != ' ' && c != '\t')
			return c;
	}
}

static enum token scan(void)
{
	int c = blank();

	token_fd = -1;
	if (c >= '0' && c <= '9' && (look() == '<' || look() == '>')) {
		token_fd = c - '0';
		c = get();
	}
	switch (c) {
	case EOF:
		return T_END;
	case '\n':
		return newline();
	case ';':
		return either(';', T_DSEMI, T_SEMI);
	case '&':
		return either('&', T_AND, T_AMP);
	case '|':
		return either('|', T_OR, T_PIPE);
	case '(':
		return T_LPAREN;
	case ')':
		return T_RPAREN;
	case '<':
		return less();
	case '>':
		return great();
	default:
		return word(c);
	}
}

enum token peek_token(void)
{
	if (!have_ahead) {
		ahead = scan();
		have_ahead = 1;
		saved_text = token_text;
		saved_fd = token_fd;
	}
	token_text = saved_text;
	token_fd = saved_fd;
	return ahead;
}

enum token next_token(void)
{
	enum token t = peek_token();

	have_ahead = 0;
	return t;
}
