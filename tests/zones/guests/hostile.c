/*
 * hostile N SEED - N zone(2) calls of root in the global zone, with arguments that are
 * right, wrong and wild by turns; what zones that come to be do is nothing.
 */
#include "tiny.h"
#include <sys/zone.h>

static uint64_t state;
static char scratch[4096];
static unsigned privs[3] = {0xffffffff, 0xff000000, 0};
static const char *names[] = {"h0", "h1", "h2", "global", "", "-x", "h/3", "h3"};
static const char *roots[] = {"/h0", "/h1", "/h2", "/", "/h0/sbin", "/none", "h3", "/init"};
static const char *texts[] = {"/sbin/init", "linux", "native", "FSS", "stay x y", "", "RT", "nosuch"};

static uint64_t rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state >> 11;
}

static long pick(const char **list)
{
	return rnd() % 8 ? (long)list[rnd() % 8] : (long)rnd() % 4096;
}

static long wild(void)
{
	switch (rnd() % 4) {
	case 0:
		return (long)rnd() % 64 - 8;
	case 1:
		return (long)scratch + (long)(rnd() % 5000);
	case 2:
		return (long)(rnd() << 13);
	default:
		return 0;
	}
}

static void create(void)
{
	zone_def d = {(char *)pick(names), (char *)pick(roots), privs, sizeof(privs), 0, 0, 0, 0, 0, 0, 0, 0, 0};

	if (rnd() % 4 == 0) {
		d.rctlbuf = (char *)wild();
		d.rctlbufsz = rnd() % 300;
	}
	if (rnd() % 8 == 0)
		((long *)&d)[rnd() % (sizeof(d) / 8)] = wild();
	zone_create_def(&d);
}

static void once(void)
{
	long id = (long)(rnd() % 24), attr = (long)(rnd() % 18);
	pid_t pid;

	switch (rnd() % 12) {
	case 0:
	case 1:
		create();
		break;
	case 2:
		zone_boot(id);
		break;
	case 3:
		if (rnd() % 2)
			zone_shutdown(id);
		else
			zone_destroy(id);
		break;
	case 4:
	case 5:
		zone_setattr(id, attr, (void *)pick(texts), rnd() % 16);
		break;
	case 6:
		zone_getattr(id, attr, (void *)wild(), rnd() % 100);
		break;
	case 7:
		pid = fork();
		if (pid == 0) {
			zone_enter(id);
			zone_shutdown(id);
			syscall(55, (long)(rnd() % 4), (long)(rnd() % 8), 0L); /* uadmin */
			_exit(0);
		}
		waitpid(pid, NULL, 0);
		break;
	case 8:
		zone_list((zoneid_t *)wild(), (unsigned *)wild());
		break;
	default:
		id = (long)(rnd() % 16);
		if (id != ZONE_ENTER) /* a child does that: who is inside may be ended */
			syscall(SYS_zone, id, wild(), wild(), wild(), wild());
	}
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 100;

	if (getzoneid() != 0 || getpid() == 1)
		for (;;)
			msleep(1000000);
	state = argc > 2 ? (uint64_t)atol(argv[2]) * 2654435761u + 1 : 88172645463325252u;
	for (int i = 0; i < 3; i++) {
		char path[16];

		snprintf(path, sizeof(path), "/h%d", i);
		mkdir(path, 0755);
		snprintf(path, sizeof(path), "/h%d/sbin", i);
		mkdir(path, 0755);
	}
	for (long i = 0; i < n; i++)
		once();
	printf("hostile: %ld calls\n", n);
	return 0;
}
