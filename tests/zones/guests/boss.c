/*
 * boss - the init of the global zone: it sees the processes of the others, and its
 * signals reach them, by their names in each brand.
 */
#include "tiny.h"

static int slurp(const char *zone, const char *file, char *text, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/zones/%s/root/%s", zone, file);
	for (int i = 0; i < 2000; i++, msleep(1)) {
		int fd = open(path, O_RDONLY, 0);

		if (fd != -1) {
			ssize_t n = read(fd, text, size - 1);

			close(fd);
			text[n > 0 ? n : 0] = 0;
			return 1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	char text[256];
	pid_t pids[8];

	for (int i = 1; i < argc; i++) {
		if (!slurp(argv[i], "ready", text, sizeof(text)))
			return 1;
		pids[i] = atol(text);
	}
	for (int i = 1; i < argc; i++) {
		int seen = kill(pids[i], 0) == 0;
		int group = syscall(39, 4L, (long)pids[i]) > 0; /* getpgid */
		int shm = syscall(52, 3L, 0x70656572L, 0L, 0L) != -1; /* the zone's key */

		kill(pids[i], SIGUSR1);
		if (!slurp(argv[i], "saw", text, sizeof(text)))
			return 1;
		printf("%s: seen %d group %d shm %d: %s\n", argv[i], seen, group, shm, text);
	}
	return 0;
}
