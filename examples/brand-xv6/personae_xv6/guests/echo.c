/* echo.c - print the arguments, one space between them. */
#include "user.h"

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		puts(argv[i]);
		puts(i + 1 < argc ? " " : "\n");
	}
	return argc;
}
