/* family.c - a parent and a child that sleep for a year, for listings. */
#include "user.h"

int main(void)
{
	fork();
	sleep(0x7fffffff);
	return 0;
}
