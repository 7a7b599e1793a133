/* memory.c - sbrk: growing, shrinking, what is cut off, what is left. */
#include "user.h"

static int in_child(int n)
{
	int status = 0;
	char *end;

	if (fork() == 0) {
		end = sbrk(n);
		if (end == (char *)-1)
			exit(1);
		*(volatile char *)(end - 8) = 1; /* is it still there? */
		exit(0);
	}
	wait(&status);
	return status;
}

int main(void)
{
	char *a, *b, *old;
	int fd, status;
	long total;

	cite("kernel/sysproc.c, kernel/vm.c");
	a = sbrk(0);
	check(((uint64)a & (PGSIZE - 1)) == 0, "memory ends at a page, above the stack");
	for (int i = 0; i < 1000; i++) {
		b = sbrk(1);
		if (b != a + i)
			break;
		*b = 1;
	}
	check(sbrk(0) == a + 1000, "byte by byte");
	b = sbrk(3 * PGSIZE);
	check(b == a + 1000 && b[2 * PGSIZE] == 0, "new memory is zero");
	b[2 * PGSIZE] = 9;
	sbrk(-3 * PGSIZE);
	check(sbrk(0) == a + 1000, "and back");
	sbrk(3 * PGSIZE);
	check_eq(b[2 * PGSIZE], 0, "what was given back is zero again");
	old = sbrk(0);
	check(sbrk(-0x7fffffff) == old && sbrk(0) == old, "more than all is nothing");
	check_eq(in_child(-2 * PGSIZE), -1, "what is cut off is gone");
	if (fork() == 0) {
		sbrk(-(int)(uint64)sbrk(0));
		exit(0); /* there is no text any more */
	}
	wait(&status);
	check_eq(status, -1, "a program can give away its own text");
	check_eq((long)sbrk(0x7fffffff), -1, "more than there is");
	check(sbrk(0) == old, "changes nothing");
	if (fork() == 0) {
		total = 0;
		while (sbrk(1 << 20) != (char *)-1)
			total++;
		exit(total > 4 ? 0 : 1);
	}
	wait(&status);
	check_eq(status, 0, "until none is left: -1, and the process lives");
	b = sbrk(PGSIZE);
	check(b != (char *)-1, "its memory comes back");
	fd = open("mem", O_CREATE | O_RDWR);
	check_eq(write(fd, b, PGSIZE), PGSIZE, "fresh memory can be written from");
	close(fd);
	fd = open("mem", O_RDONLY);
	check_eq(read(fd, sbrk(PGSIZE), PGSIZE), PGSIZE, "and read into");
	close(fd);
	fd = open("mem", O_RDONLY);
	check_eq(read(fd, sbrk(0) + PGSIZE, 10), -1, "but not beyond the end");
	check_eq(read(fd, (void *)0, 10), -1, "nor over the text");
	unlink("mem");
	return done();
}
