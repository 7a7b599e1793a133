/* An exec that fails leaves the process as it was. */
#include "portable.h"

static volatile int caught;

static void count(int sig)
{
	(void)sig;
	caught++;
}

static void try(const char *what, const char *path)
{
	char *args[] = {"x", NULL};

	execv(path, args);
	say("%s: %s\n", what, error_name(errno));
}

int main(void)
{
	char folder[] = "/tmp/portableXXXXXX", path[80], loop[80];

	if (!mkdtemp(folder))
		return 1;
	catch(SIGUSR1, count, 0);
	try("not there", "/no/such/program");
	try("empty path", "");
	try("a folder", folder);
	snprintf(path, sizeof path, "%s/file", folder);
	int fd = open(path, O_CREAT | O_WRONLY, 0644);

	if (write(fd, "no program\n", 11) != 11)
		return 1;
	close(fd);
	chmod(path, 0644);
	try("no x bit", path);
	chmod(path, 0755);
	try("no program", path);
	strcat(path, "/below");
	try("below a file", path);
	snprintf(loop, sizeof loop, "%s/loop", folder);
	if (symlink(loop, loop) == -1)
		return 1;
	try("a loop of links", loop);
	char longest[4200];

	memset(longest, 'a', sizeof longest);
	longest[sizeof longest - 1] = 0;
	try("a name too long", longest);
	raise(SIGUSR1);
	say("the handler is there: %d\n", caught);
	/* A child that could not exec tells its parent. */
	pid_t pid = fork();

	if (pid == 0) {
		try("child", "/no/such/program");
		_exit(127);
	}
	say_status("child", reap(pid));
	unlink(loop);
	path[strlen(path) - 6] = 0;
	unlink(path);
	say("clean: %s\n", outcome(rmdir(folder)));
	return 0;
}
