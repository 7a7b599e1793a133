/* Files and folders by the native numbers: stat, getdents, fcntl, uname, getcwd. */
#include "case.h"

struct kstat {
    uint64_t dev, ino;
    uint32_t mode, nlink, uid, gid;
    uint64_t rdev;
    int64_t size, times[6];
    int32_t blksize, pad;
    int64_t blocks;
    char fstype[16];
};

struct kdirent {
    uint64_t ino;
    int64_t off;
    uint16_t reclen;
    char name[];
};

int main(void)
{
    struct kstat sb;
    char buf[512], uts[5 * 257];
    int seen = 0;

    alarm(20);
    CHECK(sizeof sb == 128, "struct stat is %d bytes", (int)sizeof sb);
    CHECK(mkdir("/tmp/d", 0755) == 0 && chdir("/tmp/d") == 0, "mkdir: errno %d", errno);
    CHECK(getcwd(buf, sizeof buf) && strcmp(buf, "/tmp/d") == 0, "getcwd: %s", buf);
    int fd = open("f", O_WRONLY | O_CREAT | O_EXCL, 0640);
    CHECK(fd >= 0 && write(fd, "12345", 5) == 5, "write: errno %d", errno);
    CHECK(open("f", O_WRONLY | O_CREAT | O_EXCL, 0) == -1 && errno == EEXIST, "excl");
    CHECK(read(fd, buf, 1) == -1 && errno == EBADF, "read of O_WRONLY: errno %d", errno);
    CHECK(syscall(28, fd, &sb) == 0, "fstat: errno %d", errno);
    CHECK(sb.size == 5 && sb.mode == 0100640 && sb.nlink == 1, "mode %x", sb.mode);
    CHECK(syscall(18, "/tmp/d", &sb) == 0 && (sb.mode & 0170000) == 0040000, "stat dir");
    CHECK(strcmp(sb.fstype, "tmpfs") == 0, "fstype %s", sb.fstype);
    CHECK(syscall(18, "nothing", &sb) == -1 && errno == ENOENT, "stat: errno %d", errno);
    close(fd);

    CHECK(symlink("f", "l") == 0, "symlink: errno %d", errno);
    fd = open(".", O_RDONLY | O_DIRECTORY, 0);
    for (long n; (n = syscall(81, fd, buf, sizeof buf)) > 0;)
        for (char *p = buf; p < buf + n; p += ((struct kdirent *)p)->reclen) {
            const char *name = ((struct kdirent *)p)->name;
            seen |= strcmp(name, ".") == 0 ? 1 : strcmp(name, "..") == 0 ? 2 :
                    strcmp(name, "f") == 0 ? 4 : strcmp(name, "l") == 0 ? 8 : 16;
        }
    CHECK(seen == 15, "getdents gave %d", seen);
    CHECK(fcntl(fd, 37, 20) == 20 && fcntl(20, F_GETFD, 0) == FD_CLOEXEC, "F_DUPFD_CLOEXEC");
    CHECK(fcntl(fd, 9, 21) == 21 && fcntl(21, F_GETFD, 0) == 0, "F_DUP2FD");
    CHECK(fcntl(99, F_GETFD, 0) == -1 && errno == EBADF, "F_GETFD: errno %d", errno);
    CHECK(rename("f", "g") == 0 && unlink("g") == 0 && unlink("l") == 0, "rename");
    CHECK(chdir("..") == 0 && rmdir("d") == 0, "rmdir: errno %d", errno);

    CHECK(syscall(135, uts) == 0 && strcmp(uts, "SunOS") == 0, "uname: %s", uts);
    CHECK(strcmp(uts + 4 * 257, "riscv64") == 0, "machine: %s", uts + 4 * 257);
    CHECK(syscall(137, 6) == 4096, "sysconfig page size");
    fd = open("/dev/null", O_RDWR, 0);
    CHECK(fd >= 0 && read(fd, buf, 1) == 0 && write(fd, "x", 1) == 1, "/dev/null");
    CHECK(syscall(126, buf, 16, 0) == 16, "getrandom: errno %d", errno);
    CHECK(syscall(126, buf, 16, 64) == -1 && errno == EINVAL, "getrandom flags");
    return bad;
}
