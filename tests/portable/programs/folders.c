/* Reading folders, and paths. */
#include "portable.h"

#include <dirent.h>

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list(const char *path)
{
	char *names[64];
	int n = 0;
	DIR *d = opendir(path);
	struct dirent *e;

	if (!d) {
		say("opendir %s: %s\n", path, error_name(errno));
		return;
	}
	while ((e = readdir(d)) && n < 64)
		names[n++] = strdup(e->d_name);
	closedir(d);
	qsort(names, n, sizeof *names, by_name);
	for (int i = 0; i < n; i++)
		say("%s ", names[i]);
	say("(%d)\n", n);
}

int main(void)
{
	char top[] = "/tmp/portableXXXXXX", name[32], cwd[128], real[PATH_MAX];

	if (!mkdtemp(top) || chdir(top) == -1)
		return 1;
	list(".");
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof name, "file%02d", i);
		close(open(name, O_CREAT | O_WRONLY, 0600));
	}
	mkdir("sub", 0700);
	mkdir("sub/deep", 0700);
	list(".");
	for (int i = 0; i < 40; i += 2) {
		snprintf(name, sizeof name, "file%02d", i);
		unlink(name);
	}
	list(".");
	list("sub");
	list("file01");
	list("none");
	say("chdir %s", outcome(chdir("sub/deep")));
	say(" here %d\n", strcmp(strrchr(getcwd(cwd, sizeof cwd), '/'), "/deep") == 0);
	list("../..//./sub/../sub");
	say("small: %s\n", getcwd(cwd, 3) ? "fits" : error_name(errno));
	if (symlink("../sub/deep", "../link") == -1)
		return 1;
	say("realpath %s\n", realpath("../link/../deep/.", real) ? strrchr(real, '/') : "none");
	say("realpath of nothing: %s\n", realpath("x/y", real) ? "there" : error_name(errno));
	int fd = open("..", O_RDONLY);

	say("fchdir %s", outcome(fchdir(fd)));
	say(", openat %d", openat(fd, "deep", O_RDONLY) >= 0);
	say(", mkdirat %s\n", outcome(mkdirat(fd, "more", 0700)));
	list(".");
	unlink("link");
	rmdir("more");
	rmdir("deep");
	if (chdir(top) == -1)
		return 1;
	for (int i = 1; i < 40; i += 2) {
		snprintf(name, sizeof name, "file%02d", i);
		unlink(name);
	}
	say("end %s", outcome(rmdir("sub")));
	say(" %s\n", outcome(rmdir(top)));
	return 0;
}
