/*
 * redir.c - redirections, for good or with a way back.
 *
 * SPDX-License-Identifier: MIT
 */
#include <fcntl.h>

#include "sh.h"

static int here_file(const char *text)
{
	char name[] = "/tmp/shXXXXXX";
	int fd = mkstemp(name);
	size_t n = strlen(text);

	if (fd == -1)
		return -1;
	unlink(name);
	if (write(fd, text, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

static int open_redir(const struct redir *r, const char *word)
{
	switch (r->op) {
	case T_LESS:
		return open(word, O_RDONLY);
	case T_GREAT:
	case T_CLOBBER:
		return open(word, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	case T_DGREAT:
		return open(word, O_WRONLY | O_CREAT | O_APPEND, 0666);
	case T_LESSGREAT:
		return open(word, O_RDWR | O_CREAT, 0666);
	case T_DLESS:
	case T_DLESSDASH:
		return here_file(word);
	default: /* <& and >& */
		if (word[0] < '0' || word[0] > '9' || word[1]) {
			errno = EBADF;
			return -1;
		}
		return fcntl(word[0] - '0', F_DUPFD, 10);
	}
}

static void save(int fd, struct undo **undo)
{
	struct undo *u = keep(sizeof *u);

	u->fd = fd;
	u->copy = fcntl(fd, F_DUPFD_CLOEXEC, 20);
	u->next = *undo;
	*undo = u;
}

int apply_redirs(struct redir *r, struct undo **undo)
{
	fflush(stdout);
	for (; r; r = r->next) {
		int here = r->op == T_DLESS || r->op == T_DLESSDASH;
		char *word = !here ? expand_one(r->word) : r->literal ? r->word
								      : expand_here(r->word);

		if (expand_failed)
			return -1;
		if (undo)
			save(r->fd, undo);
		if ((r->op == T_LESSAND || r->op == T_GREATAND) && strcmp(word, "-") == 0) {
			close(r->fd);
			continue;
		}
		int fd = open_redir(r, word);

		if (fd == -1) {
			complain(here ? "here-document" : word, strerror(errno));
			return -1;
		}
		if (fd != r->fd) {
			dup2(fd, r->fd);
			close(fd);
		}
	}
	return 0;
}

void undo_redirs(struct undo *u)
{
	fflush(stdout);
	for (; u; u = u->next) {
		if (u->copy == -1) {
			close(u->fd);
		} else {
			dup2(u->copy, u->fd);
			close(u->copy);
		}
	}
}
