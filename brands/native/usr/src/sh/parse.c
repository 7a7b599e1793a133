/*
 * parse.c - tokens to a tree, by recursive descent (the grammar of sh(1)).
 *
 * SPDX-License-Identifier: MIT
 */
#include "sh.h"

int syntax_error;

static struct node *list(void);
static struct node *and_or(void);

static struct node *make(enum kind kind, struct node *a, struct node *b)
{
	struct node *n = keep(sizeof *n);

	n->kind = kind;
	n->a = a;
	n->b = b;
	return n;
}

static struct node *fail(void)
{
	static const char *const names[] = {
		"word", "newline", "end of input", "&&", "||", "|", "&", ";", ";;", "(", ")", "<",
		">", ">>", "<<", "<<-", "<&", ">&", "<>", ">|",
	};

	if (!syntax_error) {
		enum token t = peek_token();

		complain("syntax error at", t == T_WORD ? token_text : names[t]);
	}
	syntax_error = 1;
	return NULL;
}

static int is_word(const char *text)
{
	return peek_token() == T_WORD && strcmp(token_text, text) == 0;
}

static int accept_word(const char *text)
{
	if (!is_word(text))
		return 0;
	next_token();
	return 1;
}

static void expect_word(const char *text)
{
	if (!accept_word(text))
		fail();
}

static void newlines(void)
{
	while (peek_token() == T_NEWLINE)
		next_token();
}

/* Words that end a list. */
static int at_end_of_list(void)
{
	static const char *const ends[] = {"then", "else", "elif", "fi", "do", "done", "esac",
					   "}"};
	enum token t = peek_token();

	if (t != T_WORD)
		return t == T_END || t == T_RPAREN || t == T_DSEMI;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (is_word(ends[i]))
			return 1;
	return 0;
}

/* ---- redirections and simple commands ---- */

static int is_redir(enum token t)
{
	return t >= T_LESS;
}

static void redir(struct node *n)
{
	struct redir *r = keep(sizeof *r), **last = &n->redirs;

	r->op = next_token();
	r->fd = token_fd;
	if (r->fd < 0)
		r->fd = r->op == T_LESS || r->op == T_DLESS || r->op == T_DLESSDASH ||
				r->op == T_LESSAND || r->op == T_LESSGREAT ? 0 : 1;
	if (peek_token() != T_WORD) {
		fail();
		return;
	}
	next_token();
	r->word = token_text;
	if (r->op == T_DLESS || r->op == T_DLESSDASH)
		want_here(r, r->op == T_DLESSDASH);
	while (*last)
		last = &(*last)->next;
	*last = r;
}

static int is_assignment(const char *word)
{
	const char *equals = strchr(word, '=');

	return equals && is_name(word, equals - word);
}

static struct node *command(void);

static struct node *function(char *name)
{
	struct node *n = make(N_FUNC, NULL, NULL);

	next_token();
	if (next_token() != T_RPAREN || !is_name(name, strlen(name)))
		return fail();
	newlines();
	add(&n->words, name);
	n->a = command();
	return n->a ? n : fail();
}

static struct node *simple(void)
{
	struct node *n = make(N_SIMPLE, NULL, NULL);

	for (;;) {
		enum token t = peek_token();

		if (is_redir(t)) {
			redir(n);
		} else if (t == T_WORD) {
			next_token();
			add(n->words.n || !is_assignment(token_text) ? &n->words : &n->assigns,
			    token_text);
		} else if (t == T_LPAREN && n->words.n == 1 && !n->assigns.n && !n->redirs) {
			return function(n->words.w[0]);
		} else {
			break;
		}
		if (syntax_error)
			return NULL;
	}
	return n->words.n || n->assigns.n || n->redirs ? n : fail();
}

/* ---- compound commands ---- */

static struct node *body(const char *open, const char *close)
{
	expect_word(open);
	struct node *n = list();

	expect_word(close);
	return n;
}

static struct node *if_clause(void)
{
	struct node *n = make(N_IF, list(), NULL);

	expect_word("then");
	n->b = list();
	if (accept_word("elif"))
		n->c = if_clause();
	else {
		if (accept_word("else"))
			n->c = list();
		expect_word("fi");
	}
	return n;
}

static struct node *for_clause(void)
{
	struct node *n = make(N_FOR, NULL, NULL);

	if (next_token() != T_WORD || !is_name(token_text, strlen(token_text)))
		return fail();
	char *name = token_text;

	newlines();
	n->has_in = accept_word("in");
	add(&n->assigns, name);
	while (n->has_in && peek_token() == T_WORD) {
		next_token();
		add(&n->words, token_text);
	}
	if (peek_token() == T_SEMI)
		next_token();
	newlines();
	n->a = body("do", "done");
	return n;
}

static struct node *case_clause(void)
{
	struct node *n = make(N_CASE, NULL, NULL);
	struct arm **last = &n->arms;

	if (next_token() != T_WORD)
		return fail();
	add(&n->words, token_text);
	newlines();
	expect_word("in");
	newlines();
	while (!syntax_error && !is_word("esac")) {
		struct arm *arm = keep(sizeof *arm);
		enum token t = next_token();

		if (t == T_LPAREN)
			t = next_token();
		for (;; t = next_token()) {
			if (t != T_WORD)
				return fail();
			add(&arm->patterns, token_text);
			t = next_token();
			if (t == T_RPAREN)
				break;
			if (t != T_PIPE)
				return fail();
		}
		newlines();
		arm->body = at_end_of_list() ? NULL : list();
		if (peek_token() == T_DSEMI)
			next_token();
		newlines();
		*last = arm;
		last = &arm->next;
	}
	expect_word("esac");
	return n;
}

static struct node *compound(void)
{
	struct node *n = NULL;

	if (peek_token() == T_LPAREN) {
		next_token();
		n = make(N_SUB, list(), NULL);
		if (next_token() != T_RPAREN)
			return fail();
	} else if (is_word("{")) {
		n = make(N_GROUP, body("{", "}"), NULL);
	} else if (accept_word("if")) {
		n = if_clause();
	} else if (is_word("while") || is_word("until")) {
		n = make(is_word("while") ? N_WHILE : N_UNTIL, NULL, NULL);
		next_token();
		n->a = list();
		n->b = body("do", "done");
	} else if (accept_word("for")) {
		n = for_clause();
	} else if (accept_word("case")) {
		n = case_clause();
	}
	return n;
}

static struct node *command(void)
{
	struct node *n = compound();

	if (syntax_error)
		return NULL;
	if (!n)
		return simple();
	while (is_redir(peek_token()) && !syntax_error)
		redir(n);
	return n;
}

/* ---- lists ---- */

static struct node *pipeline(void)
{
	int not = accept_word("!");
	struct node *n = command();

	while (n && !syntax_error && peek_token() == T_PIPE) {
		next_token();
		newlines();
		n = make(N_PIPE, n, command());
		if (!n->b)
			return NULL;
	}
	return n && not ? make(N_NOT, n, NULL) : n;
}

static struct node *and_or(void)
{
	struct node *n = pipeline();

	while (n && !syntax_error && (peek_token() == T_AND || peek_token() == T_OR)) {
		enum kind kind = next_token() == T_AND ? N_AND : N_OR;

		newlines();
		n = make(kind, n, pipeline());
		if (!n->b)
			return NULL;
	}
	return n;
}

/* Commands to a word that ends them, with ; & and newlines between. */
static struct node *list(void)
{
	struct node *all = NULL;

	newlines();
	do {
		struct node *n = and_or();

		if (!n || syntax_error)
			return fail();
		enum token t = peek_token();

		if (t == T_AMP)
			n = make(N_BACK, n, NULL);
		all = all ? make(N_SEQ, all, n) : n;
		if (t != T_AMP && t != T_SEMI && t != T_NEWLINE)
			break;
		next_token();
		newlines();
	} while (!at_end_of_list());
	return all;
}

/* A line of commands.  *end: there is nothing more. */
struct node *parse_command(int *end)
{
	struct node *all = NULL;

	syntax_error = 0;
	continued = 0;
	newlines();
	if (peek_token() == T_END) {
		*end = 1;
		return NULL;
	}
	continued = 1;
	for (;;) {
		struct node *n = and_or();

		if (!n || syntax_error)
			return fail();
		enum token t = peek_token();

		if (t == T_AMP)
			n = make(N_BACK, n, NULL);
		all = all ? make(N_SEQ, all, n) : n;
		if (t == T_AMP || t == T_SEMI) {
			next_token();
			t = peek_token();
		} else if (t != T_NEWLINE && t != T_END) {
			return fail();
		}
		if (t == T_NEWLINE || t == T_END) {
			if (t == T_NEWLINE)
				next_token();
			return all;
		}
	}
}
