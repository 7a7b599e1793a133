/* Buffers of stdio are memory: a fork has two of them. */
#include "portable.h"

static void last(void)
{
	printf("atexit last\n");
}

static void first(void)
{
	printf("atexit first\n");
}

static long size_after(const char *path, int how)
{
	FILE *f = fopen(path, "w");
	struct stat st;

	fprintf(f, "12345");
	if (how == 1)
		fflush(f);
	pid_t pid = fork();

	if (pid == 0) {
		if (how == 2)
			_exit(0); /* what is in the buffer is lost with it */
		fclose(f);
		_exit(0);
	}
	reap(pid);
	fclose(f);
	stat(path, &st);
	return st.st_size;
}

int main(void)
{
	char name[] = "/tmp/portableXXXXXX", line[64];

	close(mkstemp(name));
	setvbuf(stdout, NULL, _IOFBF, 4096);
	say("twice %ld\n", size_after(name, 0));
	say("flushed %ld\n", size_after(name, 1));
	say("_exit %ld\n", size_after(name, 2));
	printf("printed once or twice\n");
	pid_t pid = fork();

	if (pid == 0)
		exit(0);
	reap(pid);
	fflush(stdout);
	/* Reading: both go on from the same place of the buffer. */
	FILE *f = fopen(name, "w+");

	for (int i = 0; i < 5; i++)
		fprintf(f, "line %d\n", i);
	rewind(f);
	printf("parent: %s", fgets(line, sizeof line, f));
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		printf("child: %s", fgets(line, sizeof line, f));
		printf("child: %s", fgets(line, sizeof line, f));
		fflush(stdout);
		_exit(0);
	}
	reap(pid);
	printf("parent: %s", fgets(line, sizeof line, f));
	fflush(stdout);
	unlink(name);
	atexit(last);
	atexit(first);
	pid = fork();
	if (pid == 0) {
		printf("child goes\n");
		exit(0);
	}
	reap(pid);
	printf("parent goes\n");
	return 0;
}
