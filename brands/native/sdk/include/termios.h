/*
 * termios.h - terminals.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _TERMIOS_H
#define _TERMIOS_H

#include <sys/termios.h>
speed_t cfgetospeed(const struct termios *t);
int cfsetospeed(struct termios *t, speed_t speed);
void cfmakeraw(struct termios *t);
int tcgetattr(int fd, struct termios *t);
int tcsetattr(int fd, int when, const struct termios *t);
int tcdrain(int fd);
int tcflush(int fd, int queue);
int tcflow(int fd, int action);
int tcsendbreak(int fd, int duration);
pid_t tcgetsid(int fd);

#endif
