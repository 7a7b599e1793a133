/* execs.c - exec: arguments, what is kept, what fails. */
#include "user.h"

static char many[1200];

static int run(const char *path, char **argv)
{
	int status = 0;

	if (fork() == 0) {
		exec(path, argv);
		exit(99);
	}
	wait(&status);
	return status;
}

int main(int argc, char **argv)
{
	char *args[40] = { "count", "two", "three", 0 };
	char *self = argv[0];
	int fd, pid, status;

	if (strcmp(self, "count") == 0)
		return argc;
	if (strcmp(self, "fd") == 0) {
		puts("kept\n");
		exit(((uint64)argv & 15) == 0 && argv[1] == 0 ? 5 : 6);
	}
	cite("kernel/exec.c");
	check_eq(run(self, args), 3, "main gets argc; its result is the status");
	pid = fork();
	if (pid == 0) {
		close(1);
		fd = open("out", O_CREATE | O_RDWR);
		args[0] = "fd";
		args[1] = 0;
		exec(self, args);
		exit(98);
	}
	wait(&status);
	check_eq(status, 5, "argv is aligned to 16 and ends with 0");
	fd = open("out", O_RDONLY);
	check_eq(read(fd, many, 5), 5, "descriptors are kept");
	close(fd);
	unlink("out");
	check_eq(exec("/none", args), -1, "no such program: the caller lives on");
	fd = open("junk", O_CREATE | O_WRONLY);
	write(fd, "this is no program", 18);
	close(fd);
	check_eq(exec("junk", args), -1, "no program at all");
	unlink("junk");
	check_eq(exec("/", args), -1, "a directory");
	for (int i = 1; i < 31; i++)
		args[i] = "x";
	args[31] = 0;
	cite("kernel/exec.c");
	check_eq(run(self, args), 31, "31 arguments");
	args[31] = "x";
	args[32] = 0;
	check_eq(exec(self, args), -1, "32 are too many");
	memset(many, 'a', sizeof(many) - 1);
	for (int i = 0; i < 4; i++)
		args[i] = many;
	args[4] = 0;
	check_eq(exec(self, args), -1, "more than a page of arguments");
	check_eq(exec(self, (char **)0x3fffffff000), -1, "argv out of nowhere");
	args[1] = (char *)0x3fffffff000;
	check_eq(exec(self, args), -1, "an argument out of nowhere");
	memset(many, '/', 200);
	many[200] = 0;
	check_eq(exec(many, args), -1, "a path above 128 bytes");
	return done();
}
