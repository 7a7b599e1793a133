/* Prints pid and zone of every process that /proc shows. */
#include "tiny.h"
#include <sys/procfs.h>

int main(void)
{
	static char buf[8192];
	int dir = open("/proc", O_RDONLY, 0);
	long n;

	while ((n = syscall(81 /* getdents */, dir, buf, sizeof(buf))) > 0)
		for (char *at = buf; at < buf + n; at += *(unsigned short *)(at + 16)) {
			char path[300], *name = at + 18;
			psinfo_t ps;
			int fd;

			if (name[0] < '0' || name[0] > '9')
				continue;
			snprintf(path, sizeof(path), "/proc/%s/psinfo", name);
			fd = open(path, O_RDONLY, 0);
			if (read(fd, &ps, sizeof(ps)) != sizeof(ps))
				return 1;
			close(fd);
			printf("%d %d %s\n", ps.pr_pid, ps.pr_zoneid, ps.pr_fname);
		}
	return 0;
}
