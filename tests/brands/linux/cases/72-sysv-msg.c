/* System V message queues: order by type, a full and an empty queue, sizes, removal. */
#include "check.h"
#include <sys/ipc.h>
#include <sys/msg.h>

struct msg {
    long type;
    char text[100];
};
static int id;

static int put(long type, const char *text, int flags)
{
    struct msg m = {type, ""};
    strcpy(m.text, text);
    return msgsnd(id, &m, strlen(text), flags) ? errno : 0;
}

/* The text of a message; "errno" if there is none. */
static const char *get(long type, int size, int flags)
{
    static struct msg m;
    ssize_t n = msgrcv(id, &m, size, type, flags | IPC_NOWAIT);
    if (n < 0)
        return errno == ENOMSG ? "ENOMSG" : errno == E2BIG ? "E2BIG" : "error";
    m.text[n] = 0;
    return m.text;
}

static void handler(int sig) { (void)sig; }

int main(void)
{
    struct msqid_ds ds;
    int st = 0;
    alarm(30);
    id = msgget(0x55, IPC_CREAT | 0600);
    CHECK(id >= 0 && msgget(0x55, IPC_CREAT | IPC_EXCL) == -1 && errno == EEXIST, "msgget");
    put(3, "three", 0);
    put(1, "one", 0);
    put(2, "two", 0);
    put(3, "again", 0);
    CHECK(put(0, "x", 0) == EINVAL, "type 0");
    msgctl(id, IPC_STAT, &ds);
    CHECK(ds.msg_qnum == 4 && ds.__msg_cbytes == 16 && ds.msg_lspid == getpid(), "STAT %lu", ds.msg_qnum);
    CHECK(!strcmp(get(-2, 100, 0), "one"), "lowest type");
    CHECK(!strcmp(get(3, 2, 0), "E2BIG"), "too long");
    CHECK(!strcmp(get(3, 2, MSG_NOERROR), "th"), "cut");
    CHECK(!strcmp(get(3, 100, MSG_EXCEPT), "two"), "any but 3");
    CHECK(!strcmp(get(0, 100, 0), "again") && !strcmp(get(0, 100, 0), "ENOMSG"), "first");
    pid_t pid = fork();
    if (pid == 0) {
        struct msg m;
        ssize_t n = msgrcv(id, &m, 100, 5, 0);
        _exit(n == 2 && m.type == 5 ? 0 : errno);
    }
    usleep(10000);
    put(4, "no", 0);
    usleep(10000);
    put(5, "ok", 0);
    waitpid(pid, &st, 0);
    CHECK(st == 0, "a receiver that waited: %#x", st);
    ds.msg_qbytes = 4;
    CHECK(msgctl(id, IPC_SET, &ds) == 0, "SET %d", errno);
    CHECK(put(1, "xyz", IPC_NOWAIT) == EAGAIN, "full");
    pid = fork();
    if (pid == 0)
        _exit(put(1, "xyz", 0));
    usleep(10000);
    CHECK(!strcmp(get(4, 100, 0), "no"), "make room");
    waitpid(pid, &st, 0);
    CHECK(st == 0 && !strcmp(get(1, 100, 0), "xyz"), "a sender that waited: %#x", st);
    struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &sa, NULL);
    for (int i = 0; i < 2; i++) {
        pid = fork();
        if (pid == 0) {
            struct msg m;
            _exit(msgrcv(id, &m, 100, 0, 0) < 0 ? errno : 0);
        }
        usleep(10000);
        if (i == 0)
            kill(pid, SIGUSR1);
        else
            CHECK(msgctl(id, IPC_RMID, NULL) == 0, "RMID");
        waitpid(pid, &st, 0);
        CHECK(st == (i == 0 ? EINTR : EIDRM) << 8, "wait %d ended: %#x", i, st);
    }
    CHECK(msgctl(id, IPC_STAT, &ds) == -1 && errno == EINVAL, "removed");
    return bad;
}
