/* faults PAGES [cow]: touch so many pages; with cow a child stores to each again */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096UL

static void touch(char *p, unsigned long pages, char c)
{
    for (unsigned long i = 0; i < pages; i++)
        p[i * PAGE] = c;
}

int main(int argc, char **argv)
{
    unsigned long n = argc > 1 ? strtoul(argv[1], 0, 0) : 0;
    size_t len = (n + 1) * PAGE;
    char *p = mmap(0, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int status = 0;

    if (p == MAP_FAILED)
        return 1;
#ifdef MADV_NOHUGEPAGE
    madvise(p, len, MADV_NOHUGEPAGE);
#endif
    touch(p, n, 1);
    if (argc > 2) {
        pid_t pid = fork();

        if (pid < 0)
            return 2;
        if (pid == 0) {
            touch(p, n, 2);
            _exit(0);
        }
        if (waitpid(pid, &status, 0) != pid)
            return 3;
    }
    return status != 0;
}
