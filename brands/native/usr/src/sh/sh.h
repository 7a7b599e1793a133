/*
 * sh.h - a small shell: what its parts know of each other.
 *
 *	lex.c      input and tokens
 *	parse.c    tokens to a tree
 *	expand.c   words to fields: quotes, parameters, commands, splitting, names
 *	param.c    ${...} and $((...))
 *	exec.c     running the tree;  redir.c: redirections
 *	jobs.c     pipelines as jobs, waiting, the terminal
 *	builtin.c  built-in commands, also in test.c, output.c and trap.c
 *	var.c      variables, arguments;  util.c: memory, messages
 *
 * Memory of trees and words comes from a stack of blocks that is cut back after each
 * command.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SH_H
#define SH_H

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* ---- util.c ---- */

void *keep(size_t n); /* until keep_back() */
char *keep_text(const char *s, size_t n);
void *keep_mark(void);
void keep_back(void *mark);
void complain(const char *what, const char *why); /* sh: what: why */

struct text { /* grows */
	char *s;
	size_t n, room;
};
void put(struct text *t, char c);
void puts_to(struct text *t, const char *s);

struct list { /* of words, ends with NULL */
	char **w;
	int n, room;
};
void add(struct list *l, char *word);

/* ---- lex.c ---- */

enum token {
	T_WORD, T_NEWLINE, T_END, T_AND, T_OR, T_PIPE, T_AMP, T_SEMI, T_DSEMI, T_LPAREN,
	T_RPAREN, T_LESS, T_GREAT, T_DGREAT, T_DLESS, T_DLESSDASH, T_LESSAND, T_GREATAND,
	T_LESSGREAT, T_CLOBBER,
};

struct source { /* where text comes from */
	struct source *up;
	const char *text; /* a string, or what was read of a descriptor */
	size_t at, n;
	int fd; /* -1: a string */
	int is_script; /* a file: errors of syntax end it */
};

void source_push(struct source *s);
void source_pop(struct source *s);
enum token next_token(void);
enum token peek_token(void);
extern char *token_text;
extern int token_fd; /* the number before a redirection, or -1 */
extern int interactive;
extern int continued; /* in the middle of a command: the other prompt */
void lex_reset(void);
struct redir;
void want_here(struct redir *r, int tabs);

/* ---- parse.c ---- */

enum kind { N_SIMPLE, N_PIPE, N_NOT, N_AND, N_OR, N_SEQ, N_BACK, N_SUB, N_GROUP, N_IF,
	    N_WHILE, N_UNTIL, N_FOR, N_CASE, N_FUNC };

struct redir {
	struct redir *next;
	enum token op;
	int fd;
	char *word; /* of a here-document: its text */
	int literal; /* a here-document that is not expanded */
};

struct arm { /* of case */
	struct arm *next;
	struct list patterns;
	struct node *body;
};

struct node {
	enum kind kind;
	struct node *a, *b, *c;
	struct list words, assigns;
	struct redir *redirs;
	struct arm *arms;
	int has_in; /* for NAME in */
};

/* A complete command; NULL at the end or after an error (*status is 2 then). */
struct node *parse_command(int *end);
extern int syntax_error;

/* ---- var.c ---- */

const char *get_var(const char *name);
int set_var(const char *name, const char *value, int export_it);
int unset_var(const char *name);
void export_var(const char *name);
void readonly_var(const char *name);
void show_vars(int exported_only);
void import_environment(void);
char **environment(void);
int is_name(const char *s, size_t n);

struct frame { /* positional parameters */
	char **args; /* args[0] is $1 */
	int n;
};
extern struct frame params;
extern const char *shell_name; /* $0 */
extern int last_status;
extern pid_t last_background, shell_pid; /* shell_pid: that of $$, in subshells too */
extern int opt_errexit, opt_xtrace, opt_noglob, opt_nounset, opt_monitor;

struct function {
	struct function *next;
	char *name;
	struct node *body;
};
struct function *find_function(const char *name);
void define_function(const char *name, struct node *body);
int remove_function(const char *name);

/* ---- expand.c, param.c ---- */

struct field { /* text with what is known of each character */
	struct text s, f;
};
#define QUOTED 1
#define SPLIT 2 /* out of an expansion without quotes */
#define EMPTY 4 /* no character: here were quotes */
#define BREAK 8 /* no character: a new field, of "$@" */
void put_flagged(struct field *out, const char *s, size_t n, int flag);
const char *expand_dollar(const char *p, struct field *out, int quoted);
void expand_into(const char *word, size_t n, struct field *out, int in_quotes);
struct list expand_words(const struct list *words);
char *expand_one(const char *word); /* to one field, no names of files */
char *expand_pattern(const char *word); /* quoted characters get a backslash */
char *expand_here(const char *text);
char *command_output(const char *command);
long arithmetic(const char *expr);
extern int expand_failed;

/* ---- exec.c, redir.c ---- */

enum flow { F_NONE, F_BREAK, F_CONTINUE, F_RETURN };
extern enum flow flow;
extern int flow_depth, loop_depth, in_subshell;
int run(struct node *n); /* the status */
int run_text(const char *text);
struct undo {
	struct undo *next;
	int fd, copy;
};
int apply_redirs(struct redir *r, struct undo **undo); /* undo NULL: for good */
void undo_redirs(struct undo *u);
void exec_program(char **argv) __attribute__((noreturn));
void become_subshell(void);

/* ---- jobs.c ---- */

struct job {
	struct job *next;
	int id, n, running, stopped, told;
	pid_t group;
	int status;
	pid_t last;
	pid_t *pids;
	char *text;
};
void jobs_init(void);
struct job *job_new(const char *text);
pid_t job_fork(struct job *j, int foreground); /* 0 in the child */
int job_wait(struct job *j); /* in the foreground; the status */
void job_notify(void);
char *node_text(const struct node *n);
int builtin_jobs(char **argv), builtin_fg(char **argv), builtin_bg(char **argv),
	builtin_wait(char **argv), builtin_kill(char **argv);

/* ---- builtin.c, output.c, test.c, trap.c ---- */

typedef int builtin_fn(char **argv);
builtin_fn *find_builtin(const char *name, int *special);
int builtin_test(char **argv), builtin_echo(char **argv), builtin_printf(char **argv),
	builtin_trap(char **argv);
void run_traps(void);
void exit_shell(int status) __attribute__((noreturn));
void traps_in_child(void);

#endif
