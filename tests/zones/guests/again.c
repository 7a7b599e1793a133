/*
 * again - an init that reboots its zone once: the second time it is told so, and stays.
 */
#include "tiny.h"

int main(int argc, char **argv)
{
	int fd = open("/once", O_RDONLY, 0);

	printf("again: %s, %d\n", argc > 1 ? argv[1] : "first", fd != -1);
	if (fd == -1) {
		open("/once", O_WRONLY | O_CREAT, 0644);
		syscall(55, 1L, 0L, "second"); /* uadmin(A_REBOOT) */
		return 1;
	}
	for (;;)
		msleep(1000000);
}
