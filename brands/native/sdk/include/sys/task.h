/*
 * sys/task.h - tasks and projects.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_TASK_H
#define _SYS_TASK_H

#include <sys/types.h>
#define TASK_NORMAL 0
#define TASK_FINAL 1
taskid_t settaskid(projid_t project, unsigned flags);
taskid_t gettaskid(void);
projid_t getprojid(void);

#endif
