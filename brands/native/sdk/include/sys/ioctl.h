/*
 * sys/ioctl.h - ioctl().
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_IOCTL_H
#define _SYS_IOCTL_H

#include <sys/termios.h>
int ioctl(int fd, int request, ...);

#endif
