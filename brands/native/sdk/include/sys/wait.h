/*
 * sys/wait.h - waiting for children.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_WAIT_H
#define _SYS_WAIT_H

#include <signal.h>
#include <sys/procset.h>
#include <sys/siginfo.h>
#include <sys/types.h>
#define WEXITED 1
#define WTRAPPED 2
#define WSTOPPED 4
#define WUNTRACED WSTOPPED
#define WCONTINUED 8
#define WNOHANG 0100
#define WNOWAIT 0200
#define WOPTMASK (WEXITED | WTRAPPED | WSTOPPED | WCONTINUED | WNOHANG | WNOWAIT)
#define WCOREFLG 0200
#define WCONTFLG 0177777
#define WSTOPFLG 0177
#define WIFEXITED(s) (((s) & 0xff) == 0)
#define WEXITSTATUS(s) (((s) >> 8) & 0xff)
#define WIFSIGNALED(s) (((s) & 0xff) > 0 && ((s) & 0xff00) == 0)
#define WTERMSIG(s) ((s) & 0x7f)
#define WCOREDUMP(s) ((s) & WCOREFLG)
#define WIFSTOPPED(s) (((s) & 0xff) == WSTOPFLG && ((s) & 0xff00) != 0 && (s) != WCONTFLG)
#define WSTOPSIG(s) (((s) >> 8) & 0xff)
#define WIFCONTINUED(s) (((s) & WCONTFLG) == WCONTFLG)
pid_t wait(int *status);
pid_t waitpid(pid_t pid, int *status, int options);
int waitid(idtype_t type, id_t id, siginfo_t *info, int options);

#endif
