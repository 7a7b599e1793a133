/*
 * sys/termios.h - terminals (sys/termios.h of illumos).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_TERMIOS_H
#define _SYS_TERMIOS_H

#include <sys/types.h>
#define NCCS 19
typedef unsigned tcflag_t;
typedef unsigned char cc_t;
typedef unsigned speed_t;
struct termios {
	tcflag_t c_iflag, c_oflag, c_cflag, c_lflag;
	cc_t c_cc[NCCS];
};
struct winsize {
	unsigned short ws_row, ws_col, ws_xpixel, ws_ypixel;
};
#define _POSIX_VDISABLE 0
#define VINTR 0
#define VQUIT 1
#define VERASE 2
#define VKILL 3
#define VEOF 4
#define VEOL 5
#define VEOL2 6
#define VMIN 4
#define VTIME 5
#define VSWTCH 7
#define VSTART 8
#define VSTOP 9
#define VSUSP 10
#define VDSUSP 11
#define VREPRINT 12
#define VDISCARD 13
#define VWERASE 14
#define VLNEXT 15
#define IGNBRK 0000001
#define BRKINT 0000002
#define IGNPAR 0000004
#define PARMRK 0000010
#define INPCK 0000020
#define ISTRIP 0000040
#define INLCR 0000100
#define IGNCR 0000200
#define ICRNL 0000400
#define IUCLC 0001000
#define IXON 0002000
#define IXANY 0004000
#define IXOFF 0010000
#define IMAXBEL 0020000
#define OPOST 0000001
#define OLCUC 0000002
#define ONLCR 0000004
#define OCRNL 0000010
#define ONOCR 0000020
#define ONLRET 0000040
#define TABDLY 0014000
#define XTABS 0014000
#define CBAUD 0000017
#define CSIZE 0000060
#define CS5 0
#define CS6 0000020
#define CS7 0000040
#define CS8 0000060
#define CSTOPB 0000100
#define CREAD 0000200
#define PARENB 0000400
#define PARODD 0001000
#define HUPCL 0002000
#define CLOCAL 0004000
#define ISIG 0000001
#define ICANON 0000002
#define XCASE 0000004
#define ECHO 0000010
#define ECHOE 0000020
#define ECHOK 0000040
#define ECHONL 0000100
#define NOFLSH 0000200
#define TOSTOP 0000400
#define ECHOCTL 0001000
#define ECHOPRT 0002000
#define ECHOKE 0004000
#define IEXTEN 0100000
#define B0 0
#define B9600 13
#define B38400 15
#define _TIOC ('T' << 8)
#define TCSBRK (_TIOC | 5)
#define TCXONC (_TIOC | 6)
#define TCFLSH (_TIOC | 7)
#define TCGETS (_TIOC | 13)
#define TCSETS (_TIOC | 14)
#define TCSETSW (_TIOC | 15)
#define TCSETSF (_TIOC | 16)
#define TCSANOW TCSETS
#define TCSADRAIN TCSETSW
#define TCSAFLUSH TCSETSF
#define TCIFLUSH 0
#define TCOFLUSH 1
#define TCIOFLUSH 2
#define TCOOFF 0
#define TCOON 1
#define TCIOFF 2
#define TCION 3
#define TIOCSWINSZ (_TIOC | 103)
#define TIOCGWINSZ (_TIOC | 104)
#define _tIOC ('t' << 8)
#define TIOCGPGRP (_tIOC | 20)
#define TIOCSPGRP (_tIOC | 21)
#define TIOCGSID (_tIOC | 22)
#define TIOCSTI (_tIOC | 23)
#define TIOCNOTTY (_tIOC | 113)
#define TIOCSCTTY (_tIOC | 132)
#define FIONREAD (('f' << 8) | 127)

#endif
