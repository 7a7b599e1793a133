/* showfile FILE: print it. */
#include <fcntl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    char buf[4096];
    int fd = argc > 1 ? open(argv[1], O_RDONLY) : -1;
    ssize_t n;

    if (fd == -1)
        return 1;
    while ((n = read(fd, buf, sizeof buf)) > 0)
        write(1, buf, n);
    return 0;
}
