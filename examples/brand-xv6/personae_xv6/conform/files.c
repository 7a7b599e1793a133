/* files.c - open, read, write, dup, pipe, link, unlink, mkdir, mknod, fstat. */
#include "user.h"

static char buf[8192];

static int make(const char *path, const char *text)
{
	int fd = open(path, O_CREATE | O_RDWR | O_TRUNC);
	int n = write(fd, text, strlen(text));

	close(fd);
	return n;
}

static int in_dir(const char *dir, const char *name)
{
	struct dirent de;
	int fd = open(dir, O_RDONLY);
	int found = 0;

	while (read(fd, &de, sizeof(de)) == sizeof(de))
		if (de.inum && strcmp(de.name, name) == 0)
			found = de.inum;
	close(fd);
	return found;
}

static void descriptors(void)
{
	int fds[2], fd, n;
	char c;

	fd = dup(1);
	check_eq(fd, 3, "dup gives the lowest");
	check_eq(close(fd), 0, "close");
	check_eq(close(fd), -1, "close twice");
	for (n = 0; dup(0) >= 0; n++)
		;
	check_eq(n, 13, "a process has 16 descriptors");
	check_eq(pipe(fds), -1, "a pipe needs two");
	for (fd = 3; fd < 16; fd++)
		close(fd);
	check_eq(pipe(fds), 0, "pipe");
	check_eq(pipe((int *)0x3fffffff000), -1, "a pipe that can't be told");
	check_eq(dup(1), 5, "leaves no descriptor behind");
	close(5);
	if (fork() == 0) {
		close(fds[0]);
		write(fds[1], "hello", 5);
		exit(0);
	}
	close(fds[1]);
	n = 0;
	while (read(fds[0], &c, 1) == 1)
		buf[n++] = c;
	check(n == 5 && buf[0] == 'h' && buf[4] == 'o', "bytes through a pipe, then the end");
	wait(0);
	close(fds[0]);
	pipe(fds);
	close(fds[0]);
	check_eq(write(fds[1], "x", 1), -1, "nobody reads: -1, and no signal");
	close(fds[1]);
	check_eq(read(99, &c, 1), -1, "read from no descriptor");
	check_eq(read(-1, &c, 1), -1, "nor from a negative one");
}

static void regular(void)
{
	struct stat st;
	int fd;

	check_eq(open("none", O_RDONLY), -1, "open of what is not there");
	check_eq(make("one", "abcdef"), 6, "write returns what it wrote");
	fd = open("one", O_RDONLY);
	check_eq(write(fd, "x", 1), -1, "not open for writing");
	check_eq(read(fd, buf, sizeof(buf)), 6, "read up to the end");
	check_eq(read(fd, buf, 1), 0, "then 0");
	check_eq(fstat(fd, &st), 0, "fstat");
	check(st.type == T_FILE && st.nlink == 1 && st.size == 6, "type, links, size");
	close(fd);
	fd = open("one", O_WRONLY);
	check_eq(read(fd, buf, 1), -1, "not open for reading");
	close(fd);
	fd = open("one", O_RDONLY | O_TRUNC);
	fstat(fd, &st);
	check_eq(st.size, 0, "O_TRUNC empties it, even for a reader");
	close(fd);
	fd = open("one", O_WRONLY);
	write(fd, "abcd", 4);
	close(open("one", O_WRONLY | O_TRUNC));
	check_eq(write(fd, "x", 1), -1, "behind the end is no place to write");
	close(fd);
	fd = open("big", O_CREATE | O_WRONLY);
	for (int i = 0; i < 33; i++)
		if (write(fd, buf, sizeof(buf)) != sizeof(buf))
			break;
	check_eq(write(fd, buf, sizeof(buf)), -1, "a file has at most 268 KiB");
	check_eq(write(fd, buf, -1), -1, "a negative count");
	close(fd);
	unlink("big");
	check_eq(link("one", "two"), 0, "link");
	fd = open("two", O_RDWR);
	fstat(fd, &st);
	check_eq(st.nlink, 2, "two names");
	check_eq(link("one", "two"), -1, "link to a name that is taken");
	check_eq(unlink("one"), 0, "unlink one");
	check_eq(open("one", O_RDONLY), -1, "it is gone");
	check_eq(unlink("two"), 0, "and the other");
	check_eq(write(fd, "still", 5), 5, "an open file lives on");
	close(fd);
	check_eq(unlink("two"), -1, "unlink of what is not there");
	make("longnameof15chr", "x");
	fd = open("longnameof15chX", O_RDONLY);
	check(fd >= 0, "names are cut to 14 bytes");
	close(fd);
	unlink("longnameof15ch");
}

static void directories(void)
{
	struct dirent de;
	struct stat st;
	int fd, slot = 0, hole = 0;

	check_eq(mkdir("d"), 0, "mkdir");
	check_eq(mkdir("d"), -1, "mkdir twice");
	check_eq(open("d", O_RDWR), -1, "a directory is not written");
	check_eq(open("d", O_CREATE | O_RDONLY), -1, "nor made by open");
	fd = open("d", O_RDONLY);
	fstat(fd, &st);
	check(st.type == T_DIR && st.size == 32, "two entries: . and ..");
	check(read(fd, &de, 16) == 16 && strcmp(de.name, ".") == 0, "the first is .");
	check_eq(de.inum, (ushort)st.ino, "with the directory's own number");
	check(read(fd, &de, 16) == 16 && strcmp(de.name, "..") == 0, "the second is ..");
	check_eq(read(fd, &de, 16), 0, "then the end");
	make("d/a", "1");
	make("d/b", "2");
	check(read(fd, &de, 16) == 16 && strcmp(de.name, "a") == 0, "what comes is appended");
	close(fd);
	fd = open("d", O_RDONLY);
	read(fd, buf, 32);
	unlink("d/a");
	while (read(fd, &de, 16) == 16) {
		slot++;
		if (de.inum == 0)
			hole++;
	}
	close(fd);
	check(slot + hole >= 1, "what goes meanwhile moves nothing");
	check_eq(in_dir("d", "b") != 0, 1, "the other name is there");
	check_eq(unlink("d"), -1, "a directory with entries stays");
	check_eq(unlink("d/."), -1, ". can't be removed");
	check_eq(unlink("d/.."), -1, "nor ..");
	check_eq(link("d", "e"), -1, "nor linked a directory");
	check_eq(chdir("d"), 0, "chdir");
	check_eq(chdir("b"), -1, "not into a file");
	check_eq(open("b", O_RDONLY) >= 0, 1, "relative paths");
	check_eq(open("../d/./b", O_RDONLY) >= 0, 1, "with dots");
	check_eq(chdir("/"), 0, "back to the root");
	check_eq(chdir(".."), 0, ".. of the root is the root");
	unlink("d/b");
	check_eq(unlink("d"), 0, "unlink removes an empty directory");
	check_eq(unlink("/"), -1, "the root has no name");
	check_eq(mkdir(""), -1, "nor has the empty path");
	check_eq(chdir(""), 0, "but it is here");
}

static void devices(void)
{
	struct stat st;
	int fd;

	check_eq(mknod("dev5", 5, 0), 0, "mknod");
	check_eq(mknod("dev5", 5, 0), -1, "mknod twice");
	fd = open("dev5", O_RDWR);
	check(fd >= 0, "a device without a driver opens");
	check_eq(read(fd, buf, 1), -1, "and can't be read");
	check_eq(write(fd, buf, 1), -1, "nor written");
	fstat(fd, &st);
	check_eq(st.type, T_DEVICE, "its type");
	close(fd);
	unlink("dev5");
	mknod("dev99", 99, 0);
	check_eq(open("dev99", O_RDWR), -1, "there are ten devices");
	unlink("dev99");
}

int main(void)
{
	cite("kernel/sysfile.c, kernel/pipe.c");
	descriptors();
	cite("kernel/sysfile.c, kernel/file.c");
	regular();
	cite("kernel/sysfile.c, kernel/fs.c");
	directories();
	cite("kernel/sysfile.c, kernel/file.c");
	devices();
	return done();
}
