/*
 * var.c - variables, functions, the shell's own state.
 *
 * SPDX-License-Identifier: MIT
 */
#include <ctype.h>

#include "sh.h"

extern char **environ;

struct var {
	struct var *next;
	char *name, *value; /* value NULL: exported or read-only, but not set */
	int exported, readonly;
};
static struct var *vars;
static struct function *functions;

struct frame params;
const char *shell_name = "sh";
int last_status;
pid_t last_background;
pid_t shell_pid;
int opt_errexit, opt_xtrace, opt_noglob, opt_nounset, opt_monitor;

int is_name(const char *s, size_t n)
{
	if (n == 0 || isdigit((unsigned char)*s))
		return 0;
	for (; n; n--, s++)
		if (!isalnum((unsigned char)*s) && *s != '_')
			return 0;
	return 1;
}

static struct var *find(const char *name)
{
	struct var *v = vars;

	while (v && strcmp(v->name, name) != 0)
		v = v->next;
	return v;
}

static struct var *find_or_make(const char *name)
{
	struct var *v = find(name), **last = &vars;

	if (v)
		return v;
	v = calloc(1, sizeof *v);
	v->name = strdup(name);
	while (*last && strcmp((*last)->name, name) < 0)
		last = &(*last)->next;
	v->next = *last;
	*last = v;
	return v;
}

const char *get_var(const char *name)
{
	struct var *v = find(name);

	return v ? v->value : NULL;
}

int set_var(const char *name, const char *value, int export_it)
{
	struct var *v = find_or_make(name);

	if (v->readonly) {
		complain(name, "is read only");
		return -1;
	}
	char *copy = strdup(value);

	free(v->value);
	v->value = copy;
	v->exported |= export_it;
	return 0;
}

int unset_var(const char *name)
{
	for (struct var **vp = &vars; *vp; vp = &(*vp)->next) {
		struct var *v = *vp;

		if (strcmp(v->name, name) != 0)
			continue;
		if (v->readonly) {
			complain(name, "is read only");
			return -1;
		}
		*vp = v->next;
		free(v->name);
		free(v->value);
		free(v);
		return 0;
	}
	return 0;
}

void export_var(const char *name)
{
	find_or_make(name)->exported = 1;
}

void readonly_var(const char *name)
{
	find_or_make(name)->readonly = 1;
}

static void show(const char *prefix, const struct var *v)
{
	printf("%s%s", prefix, v->name);
	if (v->value) {
		printf("='");
		for (const char *s = v->value; *s; s++)
			printf(*s == '\'' ? "'\\''" : "%c", *s);
		printf("'");
	}
	printf("\n");
}

void show_vars(int exported_only)
{
	for (struct var *v = vars; v; v = v->next)
		if (exported_only ? v->exported : v->value != NULL)
			show(exported_only ? "export " : "", v);
}

void import_environment(void)
{
	shell_pid = getpid();
	for (char **e = environ; e && *e; e++) {
		char *equals = strchr(*e, '=');

		if (!equals || !is_name(*e, equals - *e))
			continue;
		*equals = 0;
		set_var(*e, equals + 1, 1);
		*equals = '=';
	}
	if (!get_var("PATH"))
		set_var("PATH", "/usr/bin:/bin", 0);
	set_var("IFS", " \t\n", 0);
	if (!get_var("PS1"))
		set_var("PS1", getuid() == 0 ? "# " : "$ ", 0);
	set_var("PS2", "> ", 0);
	set_var("PS4", "+ ", 0);
}

char **environment(void)
{
	struct list l = {0};

	add(&l, NULL);
	l.n = 0;
	for (struct var *v = vars; v; v = v->next)
		if (v->exported && v->value) {
			struct text t = {0};

			puts_to(&t, v->name);
			put(&t, '=');
			puts_to(&t, v->value);
			add(&l, t.s);
		}
	return l.w;
}

/* ---- functions: their trees are copies that last ---- */

static struct list copy_list(const struct list *l)
{
	struct list out = {calloc(l->n + 1, sizeof *l->w), l->n, l->n};

	for (int i = 0; i < l->n; i++)
		out.w[i] = strdup(l->w[i]);
	return out;
}

static struct node *copy(const struct node *n)
{
	struct redir **rp;
	struct arm **ap;

	if (!n)
		return NULL;
	struct node *m = malloc(sizeof *m);

	*m = *n;
	m->a = copy(n->a);
	m->b = copy(n->b);
	m->c = copy(n->c);
	m->words = copy_list(&n->words);
	m->assigns = copy_list(&n->assigns);
	for (rp = &m->redirs; *rp; rp = &(*rp)->next) {
		struct redir *r = malloc(sizeof *r);

		*r = **rp;
		r->word = strdup(r->word);
		*rp = r;
	}
	for (ap = &m->arms; *ap; ap = &(*ap)->next) {
		struct arm *a = malloc(sizeof *a);

		*a = **ap;
		a->patterns = copy_list(&a->patterns);
		a->body = copy(a->body);
		*ap = a;
	}
	return m;
}

struct function *find_function(const char *name)
{
	struct function *f = functions;

	while (f && strcmp(f->name, name) != 0)
		f = f->next;
	return f;
}

void define_function(const char *name, struct node *body)
{
	struct function *f = find_function(name);

	if (!f) {
		f = calloc(1, sizeof *f);
		f->name = strdup(name);
		f->next = functions;
		functions = f;
	}
	f->body = copy(body); /* an old one may be running: it stays */
}

int remove_function(const char *name)
{
	for (struct function **fp = &functions; *fp; fp = &(*fp)->next)
		if (strcmp((*fp)->name, name) == 0) {
			*fp = (*fp)->next;
			return 0;
		}
	return 0;
}
