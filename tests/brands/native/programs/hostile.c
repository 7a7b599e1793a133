/*
 * Hostile use of /proc, contract files and doors: random messages, requests and
 * pointers, from the seed it is given.  Whatever happens is an errno or a signal.
 */
#include "ct.h"
#include <door.h>
#include <sys/procfs.h>

static uint64_t seed;
static char buf[4096];
static pid_t victim;
static int fds[24], nfds;

static uint64_t rnd(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return seed >> 33;
}

static uint64_t value(void)
{
	static const uint64_t odd[] = {0, 1, 2, 7, 8, 64, 4096, 0x7fffffff, 0xffffffff,
				       ~0ull, 1ull << 63, 1ull << 38, 0x10000, 255};

	switch (rnd() % 4) {
	case 0:
		return odd[rnd() % (sizeof(odd) / 8)];
	case 1:
		return (uint64_t)buf + rnd() % sizeof(buf);
	case 2:
		return rnd() % 100;
	default:
		return rnd() << 32 | rnd();
	}
}

/* what the first lwp waits for ends, on whatever lwp the signal came to */
static void on_alarm(int sig)
{
	if (syscall(164 /* lwp_self */) != 1)
		syscall(163 /* lwp_kill */, 1, sig);
}

static void server(void *cookie, char *argp, size_t size, door_desc_t *dp, unsigned n)
{
	(void)cookie, (void)argp, (void)dp, (void)n;
	door_return(rnd() % 3 ? (char *)value() : buf, rnd() % 3 ? rnd() % 8192 : value(),
		    (door_desc_t *)(rnd() % 2 ? value() : 0), rnd() % 3);
	door_return(buf, size % 64, NULL, 0);
}

static void open_one(const char *path, int flags)
{
	int fd = open(path, flags, 0);

	if (fd >= 0 && nfds < 24)
		fds[nfds++] = fd;
}

static void renew(void)
{
	static const char *names[] = {"ctl", "as", "status", "lwp/1/lwpctl", "map", "xmap",
				      "psinfo", "lwp/1/lwpstatus", "lusage", "priv"};
	char path[64];

	while (nfds)
		close(fds[--nfds]);
	if (victim > 0) {
		kill(victim, SIGKILL);
		waitpid(victim, NULL, 0);
	}
	victim = fork();
	if (victim == 0)
		for (;;)
			msleep(1 + rnd() % 20);
	for (int i = 0; i < 10; i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", victim, names[i]);
		open_one(path, i == 0 || i == 3 ? O_WRONLY : i == 1 ? O_RDWR : O_RDONLY);
	}
	open_one("/proc/self/as", O_RDONLY);
	open_one("/proc", O_RDONLY);
	open_one("/system/contract/process/template", O_RDWR);
	open_one("/system/contract/process/bundle", O_RDONLY | O_NONBLOCK);
	open_one("/system/contract/process/pbundle", O_RDONLY);
	open_one("/system/contract/process/1/status", O_RDONLY);
	open_one("/system/contract/process/latest", O_RDONLY);
	fds[nfds++] = door_create(server, NULL, rnd() & 0xd3 & ~0x10);
	fds[nfds++] = door_create(server, NULL, 0);
}

/* a run of messages of about the right form */
static size_t messages(void)
{
	size_t n = 0;

	for (int i = rnd() % 4; i >= 0; i--) {
		*(long *)(buf + n) = rnd() % 34;
		n += 8;
		for (int k = rnd() % 40; k > 0; k--, n += 8)
			*(uint64_t *)(buf + n) = value();
	}
	return n + rnd() % 8;
}

static void once(void)
{
	static const char kinds[] = "tcse";
	int fd = fds[rnd() % nfds];

	switch (rnd() % 8) {
	case 0:
	case 1:
		write(fd, buf, messages());
		break;
	case 2:
		read(fd, (void *)(rnd() % 2 ? (uint64_t)buf : value()), rnd() % 3000);
		break;
	case 3:
		lseek(fd, value(), rnd() % 3);
		break;
	case 4:
		for (int k = 0; k < 12; k++)
			((uint64_t *)buf)[k] = value();
		syscall(SYS_ioctl, fd, CTFS_IOC(kinds[rnd() % 4], rnd() % 7),
			rnd() % 3 ? (uint64_t)buf : value());
		break;
	case 5:
		for (int k = 0; k < 6; k++)
			((uint64_t *)buf)[k] = value();
		syscall(SYS_door, rnd() % 3 ? fd : (long)value(), buf, value(), value(), value(),
			DOOR_CALL);
		break;
	case 6: /* not DOOR_RETURN, in which the caller would become a server */
		syscall(SYS_door, fd, value(), value(), value(), value(), rnd() % 10);
		break;
	default:
		ct_ioctl(fd, CT_TACTIVATE, NULL);
	}
}

int main(int argc, char **argv)
{
	seed = argc > 1 ? atol(argv[1]) : 1;
	int rounds = argc > 2 ? atol(argv[2]) : 10;

	sigaction(SIGALRM, on_alarm, 0, 0);
	for (int r = 0; r < rounds; r++) {
		renew();
		for (int i = 0; i < 100; i++) {
			alarm(1);
			once();
		}
		alarm(0);
	}
	kill(victim, SIGKILL);
	return 0;
}
