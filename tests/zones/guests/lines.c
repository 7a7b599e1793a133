/*
 * lines - answer each line of input, byte by byte as it comes; end with it.
 */
#include "tiny.h"

int main(void)
{
	char line[80];
	int n = 0;

	while (read(0, line + n, 1) == 1)
		if (line[n] == '\n' || n == 78) {
			line[n] = 0;
			printf("got %s\n", line);
			n = 0;
		} else
			n++;
	printf("end\n");
	return 3;
}
