/*
 * capget and capset: root has all, may drop some and take them up again from the
 * permitted set, but not more; a change of user drops them all.
 */
#include "check.h"
#include <linux/capability.h>

static struct __user_cap_header_struct hdr = {_LINUX_CAPABILITY_VERSION_3, 0};
static struct __user_cap_data_struct d[2];

static int get(void) { return syscall(SYS_capget, &hdr, d); }
static int set(void) { return syscall(SYS_capset, &hdr, d); }

int main(void)
{
    int st = 0;
    alarm(20);
    if (getuid())
        return 0;
    CHECK(get() == 0 && d[0].effective & 1u << CAP_SETUID, "root lacks CAP_SETUID");
    pid_t pid = fork();
    if (pid == 0) {
        d[0].effective &= ~(1u << CAP_SETUID);
        d[0].inheritable = d[1].inheritable = 0;
        if (set() || get() || d[0].effective & 1u << CAP_SETUID)
            _exit(1);
        if (setuid(1) == 0 || errno != EPERM)
            _exit(2);
        d[0].effective |= 1u << CAP_SETUID;
        if (set() || setuid(1))
            _exit(3);
        if (get() || d[0].effective || d[0].permitted)
            _exit(4);
        d[0].permitted = d[0].effective = 1u << CAP_KILL;
        _exit(set() == -1 && errno == EPERM ? 0 : 5);
    }
    waitpid(pid, &st, 0);
    CHECK(st == 0, "capabilities of the child: %#x", st);
    CHECK(get() == 0 && d[0].effective & 1u << CAP_SETUID, "the parent lost some");
    hdr.version = 1;
    CHECK(syscall(SYS_capget, &hdr, NULL) == 0 && hdr.version == _LINUX_CAPABILITY_VERSION_3,
          "asking for the version");
    return bad;
}
