/* Buffered files: modes, seeking, lines, pushing back, positions, memory. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
	char name[] = "/tmp/sdkXXXXXX", buf[4096], *line = NULL;
	size_t size = 0;
	int fd = mkstemp(name), c;
	FILE *f;
	struct stat st;

	printf("%d %d\n", fd >= 0, strcmp(name + 8, "XXXXXX") != 0);
	f = fdopen(fd, "w+");
	for (int i = 0; i < 2000; i++)
		fprintf(f, "line %d\n", i);
	printf("%ld ", ftell(f));
	rewind(f);
	printf("%s", fgets(buf, sizeof buf, f));
	ssize_t len = getline(&line, &size, f);

	printf("%zd %s", len, line);
	printf("%ld\n", ftell(f));
	fseek(f, -10, SEEK_END);
	printf("%s", fgets(buf, sizeof buf, f));
	c = fgetc(f);
	printf("%d %d %d\n", c, feof(f) != 0, ferror(f));
	fseek(f, 0, SEEK_SET);
	printf("%d ", feof(f));
	c = fgetc(f);
	ungetc('L', f);
	fgets(buf, 5, f);
	printf("%c %s", c, buf);
	printf(" %ld\n", ftell(f));
	fseek(f, 3, SEEK_SET);
	fputs("XY", f);
	fflush(f);
	rewind(f);
	printf("%s", fgets(buf, sizeof buf, f));
	fclose(f);
	f = fopen(name, "a");
	fprintf(f, "appended\n");
	fclose(f);
	stat(name, &st);
	printf("%ld %o\n", (long)st.st_size, st.st_mode & 0777);
	f = fopen(name, "r");
	printf("%zu ", fread(buf, 100, 30, f));
	printf("%zu ", fread(buf, 1, sizeof buf, f));
	printf("%d\n", fputc('x', f) == EOF && ferror(f));
	clearerr(f);
	printf("%d\n", ferror(f));
	fclose(f);
	f = fopen(name, "w");
	setvbuf(f, NULL, _IONBF, 0);
	fputs("now", f);
	stat(name, &st);
	printf("%ld ", (long)st.st_size);
	fclose(f);
	f = fopen(name, "wx");
	printf("%d %d ", f == NULL, errno == EEXIST);
	printf("%d ", fopen("/no/such/file", "r") == NULL && errno == ENOENT);
	printf("%d\n", fopen(name, "q") == NULL && errno == EINVAL);
	printf("%d ", remove(name));
	printf("%d\n", access(name, F_OK) == -1);
	f = tmpfile();
	fputs("a b\n", f);
	rewind(f);
	c = fscanf(f, "%s", buf);
	printf("%d %s\n", c, buf);
	fclose(f);
	char *blocks[200];

	for (int i = 0; i < 200; i++)
		blocks[i] = memset(malloc(i * 37 + 1), i, i * 37 + 1);
	for (int i = 0; i < 200; i += 2)
		free(blocks[i]);
	for (int i = 1; i < 200; i += 2)
		blocks[i] = realloc(blocks[i], i * 500);
	for (int i = 1; i < 200; i += 2) {
		for (int j = 0; j < i * 37 + 1; j++)
			if (blocks[i][j] != (char)i)
				printf("block %d at %d\n", i, j);
		free(blocks[i]);
	}
	char *zero = calloc(1000, 3);

	for (int i = 0; i < 3000; i++)
		if (zero[i])
			printf("not zero\n");
	free(zero);
	void *aligned;

	printf("%d ", posix_memalign(&aligned, 256, 1000));
	printf("%d\n", ((size_t)aligned & 255) == 0);
	free(aligned);
	free(line);
	return 0;
}
