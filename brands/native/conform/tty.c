/*
 * tty - terminals on a pseudo terminal: modes, window, queues, job control.
 *
 * SPDX-License-Identifier: MIT
 */
#include "nsys.h"

#define TCGETA 0x5401
#define TCSETA 0x5402
#define TCSBRK 0x5405
#define TCXONC 0x5406
#define TCFLSH 0x5407
#define TCGETS 0x540d
#define TCSETS 0x540e
#define TCSETSF 0x5410
#define TIOCSWINSZ 0x5467
#define TIOCGWINSZ 0x5468
#define TIOCGPGRP 0x7414
#define TIOCSPGRP 0x7415
#define TIOCGSID 0x7416
#define TIOCSTI 0x7417
#define TIOCNOTTY 0x7471
#define TIOCSCTTY 0x7484
#define FIONREAD 0x4004667f
#define FIONBIO 0x8004667e
#define I_STR 0x5308
#define UNLKPT 0x5002

#define ICRNL 0400
#define OPOST 01
#define ICANON 02
#define ISIG 01
#define ECHO 010
#define TOSTOP 0400
#define VINTR 0
#define VMIN 4
#define VTIME 5
#define SIGWINCH 20
#define SIGTTIN 26
#define SIGTTOU 27

struct termios {
	unsigned iflag, oflag, cflag, lflag;
	unsigned char cc[19];
};

struct termio {
	unsigned short iflag, oflag, cflag, lflag;
	char line;
	unsigned char cc[8];
};

struct winsize {
	unsigned short row, col, x, y;
};

struct strioctl {
	int cmd, timout, len, pad;
	void *dp;
};

static char buf[64], name[32];
static int m, s; /* master and slave */
static volatile int caught;

static void on_signal(int sig)
{
	caught = sig;
}

static int ioctl(int fd, long cmd, void *arg)
{
	return syscall(N_ioctl, fd, cmd, arg);
}

static int ioctln(int fd, long cmd, long arg)
{
	return syscall(N_ioctl, fd, cmd, arg);
}

/* posix_openpt, grantpt, unlockpt, ptsname */
static void open_pty(void)
{
	struct strioctl str = {UNLKPT, 0, 0, 0, NULL};
	struct nstat sb;

	m = open("/dev/ptmx", O_RDWR | O_NOCTTY, 0);
	KTAP(m >= 0, "/dev/ptmx opens a master", "ptm(4D)");
	syscall(N_fstat, m, &sb);
	snprintf(name, sizeof name, "/dev/pts/%d", (int)(sb.st_rdev & 0xffffffff));
	KTAP(FAILS(open(name, O_RDWR | O_NOCTTY, 0), 5), "a locked slave can't be opened",
	     "unlockpt(3C)");
	KTAP_EQ(ioctl(m, I_STR, &str), 0, "UNLKPT unlocks it", "ptm(4D)");
	s = open(name, O_RDWR | O_NOCTTY, 0);
	KTAP(s >= 0, "then its name is that of the master's minor number", "ptsname(3C)");
}

static void modes(void)
{
	struct termios t, u;
	struct termio o;
	struct winsize w = {50, 132, 0, 0}, v = {0};

	KTAP(FAILS(ioctl(open("/dev/null", O_RDONLY, 0), TCGETS, &t), ENOTTY),
	     "what is no terminal is ENOTTY", "termio(4I)");
	KTAP_EQ(ioctl(s, TCGETS, &t), 0, "TCGETS", "termio(4I)");
	KTAP((t.lflag & (ICANON | ISIG | ECHO)) == (ICANON | ISIG | ECHO) && t.iflag & ICRNL,
	     "a new terminal is canonical, with signals and echo", "termio(4I)");
	KTAP(t.cc[VINTR] == 3 && t.cc[VMIN] == 4, "c_cc: INTR is ^C, EOF is ^D", "termio(4I)");
	KTAP_EQ(t.cflag & 017, 15, "B38400", "termio(4I)");
	u = t;
	u.lflag &= ~(ICANON | ECHO);
	u.cc[VMIN] = 2;
	u.cc[VTIME] = 0;
	KTAP_EQ(ioctl(s, TCSETS, &u), 0, "TCSETS", "termio(4I)");
	write(m, "a", 1);
	int n = -1;
	KTAP(ioctl(s, FIONREAD, &n) == 0 && n == 1, "FIONREAD counts typed bytes", "filio(4I)");
	int flag = 1;
	ioctl(s, FIONBIO, &flag);
	KTAP_EQ(fcntl(s, F_GETFL, 0) & O_NONBLOCK, O_NONBLOCK, "FIONBIO sets O_NONBLOCK",
		"filio(4I)");
	flag = 0;
	ioctl(s, FIONBIO, &flag);
	write(m, "bc", 2);
	KTAP(read(s, buf, 9) == 3 && memcmp(buf, "abc", 3) == 0, "MIN bytes end a read",
	     "termio(4I)");
	memset(&u, 0, sizeof u);
	ioctl(s, TCGETS, &u);
	KTAP(u.cc[VMIN] == 2 && !(u.lflag & ICANON), "TCGETS gives back what was set",
	     "termio(4I)");
	KTAP(ioctl(s, TCGETA, &o) == 0 && o.cc[VMIN] == 2 && o.lflag == (u.lflag & 0xffff),
	     "TCGETA tells the same in struct termio", "termio(4I)");
	write(m, "junk", 4);
	ioctl(s, TCSETSF, &t);
	ioctl(s, FIONREAD, &n);
	KTAP_EQ(n, 0, "TCSETSF drops the input", "termio(4I)");
	ioctl(s, TCGETS, &u);
	KTAP_EQ(u.cc[4], 4, "with ICANON the place of MIN is EOF again", "termio(4I)");
	KTAP_EQ(ioctl(s, TIOCSWINSZ, &w), 0, "TIOCSWINSZ", "termio(4I)");
	KTAP(ioctl(m, TIOCGWINSZ, &v) == 0 && v.row == 50 && v.col == 132,
	     "the master sees the size", "termio(4I)");
	KTAP(FAILS(ioctl(s, TCGETS, (void *)8), EFAULT), "TCGETS to no memory is EFAULT",
	     "ioctl(2)");
	KTAP(FAILS(ioctl(s, 0x1234, NULL), ENOTTY), "an unknown request is ENOTTY", "ioctl(2)");
}

static void lines(void)
{
	struct termios t;

	write(m, "one\rtwo", 7);
	KTAP(read(s, buf, 64) == 4 && memcmp(buf, "one\n", 4) == 0,
	     "a read gives one line, CR as NL", "termio(4I)");
	KTAP(read(m, buf, 64) == 8 && memcmp(buf, "one\r\ntwo", 8) == 0,
	     "echoed, NL as CR NL", "termio(4I)");
	write(m, "\x7f\x15ok\n", 5);
	KTAP(read(s, buf, 64) == 3 && memcmp(buf, "ok\n", 3) == 0, "ERASE and KILL edit the line",
	     "termio(4I)");
	write(m, "\x04", 1);
	KTAP_EQ(read(s, buf, 64), 0, "EOF on an empty line is 0", "termio(4I)");
	write(m, "gone\n", 5);
	KTAP_EQ(ioctln(s, TCFLSH, 0), 0, "TCFLSH of the input", "termio(4I)");
	fcntl(s, F_SETFL, O_RDWR | O_NDELAY);
	KTAP_EQ(read(s, buf, 64), 0, "then O_NDELAY reads nothing", "read(2)");
	fcntl(s, F_SETFL, O_RDWR | O_NONBLOCK);
	KTAP(FAILS(read(s, buf, 64), EAGAIN), "and O_NONBLOCK is EAGAIN", "read(2)");
	fcntl(s, F_SETFL, O_RDWR);
	KTAP(FAILS(ioctln(s, TCFLSH, 3), EINVAL), "an unknown queue is EINVAL", "termio(4I)");
	KTAP(ioctln(s, TCXONC, 0) == 0 && ioctln(s, TCXONC, 1) == 0, "TCXONC holds and lets go",
	     "termio(4I)");
	KTAP_EQ(ioctln(s, TCSBRK, 1), 0, "TCSBRK waits for the output", "termio(4I)");
	ioctln(m, TCFLSH, 2);
	ioctl(s, TCGETS, &t);
	t.oflag &= ~OPOST;
	ioctl(s, TCSETS, &t);
	while (fcntl(m, F_SETFL, O_RDWR | O_NONBLOCK), read(m, buf, 64) > 0)
		;
	fcntl(m, F_SETFL, O_RDWR);
	write(s, "x\n", 2);
	KTAP(read(m, buf, 64) == 2, "without OPOST output is as it is", "termio(4I)");
}

/* In a child that leads a session: status bits for the parent. */
static int session(void)
{
	int ok = 0, pg = -1, status = 0, pid;
	struct winsize w = {10, 20, 0, 0};

	ok |= FAILS(ioctl(s, TIOCGPGRP, &pg), ENOTTY) ? 1 : 0;
	setsid();
	ok |= FAILS(open("/dev/tty", O_RDWR, 0), ENXIO) ? 2 : 0;
	ok |= ioctln(s, TIOCSCTTY, 0) == 0 ? 4 : 0;
	ok |= ioctl(s, TIOCGPGRP, &pg) == 0 && pg == getpid() ? 8 : 0;
	ok |= ioctl(s, TIOCGSID, &pg) == 0 && pg == getpid() ? 0x10 : 0;
	ok |= open("/dev/tty", O_RDWR, 0) >= 0 ? 0x20 : 0;
	pg = 29999;
	ok |= FAILS(ioctl(s, TIOCSPGRP, &pg), EPERM) ? 0x40 : 0;
	sigaction(SIGWINCH, on_signal, 0, 0);
	ioctl(m, TIOCSWINSZ, &w);
	ok |= caught == SIGWINCH ? 0x80 : 0;
	sigaction(SIGINT, on_signal, 0, 0);
	write(m, "\x03", 1);
	ok |= caught == SIGINT ? 0x100 : 0;

	pid = fork(); /* a background job */
	if (pid == 0) {
		setpgid(0, 0);
		read(s, buf, 1);
		_exit(buf[0]);
	}
	setpgid(pid, pid);
	waitpid(pid, &status, WUNTRACED);
	ok |= WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN ? 0x200 : 0;
	ioctl(s, TIOCSPGRP, &pid);
	kill(-pid, SIGCONT);
	write(m, "g\n", 2);
	waitpid(pid, &status, 0);
	ok |= WIFEXITED(status) && WEXITSTATUS(status) == 'g' ? 0x400 : 0;

	/* now we are in the background ourselves */
	signal(SIGTTOU, SIG_IGN);
	pid = getpid();
	ok |= ioctl(s, TIOCSPGRP, &pid) == 0 ? 0x800 : 0;
	signal(SIGTTOU, SIG_DFL);
	pid = fork();
	if (pid == 0) {
		struct termios t;
		setpgid(0, 0);
		ioctl(s, TCGETS, &t);
		_exit(ioctl(s, TCSETS, &t) == 0 ? 3 : 4);
	}
	setpgid(pid, pid);
	waitpid(pid, &status, WUNTRACED);
	ok |= WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU ? 0x1000 : 0;
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	pid = fork();
	if (pid == 0) {
		uint64_t tt = SIGBIT(SIGTTIN);
		setpgid(0, 0);
		sigprocmask(SIG_BLOCK, &tt, NULL);
		_exit(FAILS(read(s, buf, 1), 5) ? 3 : 4);
	}
	waitpid(pid, &status, 0);
	ok |= WEXITSTATUS(status) == 3 ? 0x2000 : 0;
	ok |= ioctl(s, TIOCSTI, "z") == 0 ? 0x4000 : 0;
	sigaction(SIGHUP, on_signal, 0, 0);
	close(m);
	ok |= caught == SIGHUP ? 0x8000 : 0;
	ok |= read(s, buf, 1) == 0 ? 0x10000 : 0;
	ok |= FAILS(write(s, "x", 1), 5) ? 0x20000 : 0;
	return ok;
}

static const struct {
	const char *what, *cite;
} facts[] = {
	{"TIOCGPGRP of another's terminal is ENOTTY", "termio(4I)"},
	{"/dev/tty without a controlling terminal is ENXIO", "tty(4D)"},
	{"TIOCSCTTY makes it the session leader's", "termio(4I)"},
	{"with the leader's group in the foreground", "termio(4I)"},
	{"TIOCGSID tells the session", "termio(4I)"},
	{"/dev/tty is the terminal now", "tty(4D)"},
	{"TIOCSPGRP to no group of the session is EPERM", "termio(4I)"},
	{"a new window size is SIGWINCH to the foreground", "termio(4I)"},
	{"INTR is SIGINT to the foreground", "termio(4I)"},
	{"a read in the background is SIGTTIN", "termio(4I)"},
	{"continued in the foreground it reads", "termio(4I)"},
	{"TIOCSPGRP from the background passes if SIGTTOU is ignored", "termio(4I)"},
	{"a change from the background is SIGTTOU", "termio(4I)"},
	{"a background read with SIGTTIN blocked is EIO", "termio(4I)"},
	{"TIOCSTI of the own terminal", "termio(4I)"},
	{"the close of the master is SIGHUP to the leader", "ptm(4D)"},
	{"then reads of the slave are 0", "ptm(4D)"},
	{"and writes EIO", "ptm(4D)"},
};

int main(void)
{
	int status = 0, ends[2], ok = 0;

	ktap_start("tty");
	alarm(60);
	open_pty();
	modes();
	lines();
	pipe(ends);
	int pid = fork();
	if (pid == 0) {
		ok = session();
		write(ends[1], &ok, sizeof ok);
		_exit(0);
	}
	close(m);
	close(s);
	close(ends[1]);
	read(ends[0], &ok, sizeof ok);
	waitpid(pid, &status, 0);
	for (unsigned i = 0; i < sizeof facts / sizeof facts[0]; i++)
		KTAP(ok >> i & 1, facts[i].what, facts[i].cite);
	return ktap_end();
}
