/* shmsys, semsys, msgsys: attachments over fork and vfork, ISM, waiting, undo, types. */
#include "case.h"

#define SHM 52
#define SEM 53
#define MSG 49
#define PRIVATE 0
#define RMID 10
#define STAT 12

struct perm {
    unsigned uid, gid, cuid, cgid, mode, seq;
    int key, pad;
};
struct shmid {
    struct perm perm;
    unsigned long size;
    void *amp;
    unsigned short lkcnt;
    int lpid, cpid;
    unsigned long nattch, cnattch;
    long atime, dtime, ctime, pad[4];
};
struct sembuf {
    unsigned short num;
    short op, flags;
};
struct msg {
    long type;
    char text[16];
};

static struct shmid ds;

static long nattch(int id)
{
    return syscall(SHM, 1, id, STAT, &ds) ? -1 : (long)ds.nattch;
}

static void memory(void)
{
    int st = 0, id = syscall(SHM, 3, PRIVATE, 8192, 0600);
    int *p = (int *)syscall(SHM, 0, id, 0, 040000); /* ISM */
    CHECK(id >= 0 && (long)p > 0, "shmget %d, shmat %p, %d", id, (void *)p, errno);
    CHECK(nattch(id) == 1 && ds.cnattch == 1 && ds.size == 8192 && ds.cpid == getpid(), "stat");
    pid_t pid = fork();
    if (pid == 0) {
        p[1024] = 5;
        _exit(nattch(id) == 2 && ds.cnattch == 2 ? 0 : 1);
    }
    waitpid(pid, &st, 0);
    CHECK(st == 0 && p[1024] == 5 && nattch(id) == 1 && ds.lpid == pid, "fork: %x", st);
    pid = vfork();
    if (pid == 0) {
        p[0] = nattch(id);
        _exit(0);
    }
    waitpid(pid, &st, 0);
    CHECK(p[0] == 1 && nattch(id) == 1, "vfork attaches");
    CHECK(syscall(SHM, 1, id, RMID, 0) == 0 && nattch(id) == -1, "RMID");
    CHECK(syscall(SHM, 0, id, 0, 0) == -1 && errno == EINVAL, "attach of a removed one");
    p[2] = 1;
    CHECK(syscall(SHM, 2, p) == 0 && syscall(SHM, 2, p) == -1 && errno == EINVAL, "shmdt");
}

static void semaphores(void)
{
    struct sembuf up = {1, 1, 0}, down = {1, -1, 010000}, bad_one = {2, 1, 0};
    int st = 0, id = syscall(SEM, 1, PRIVATE, 2, 0600);
    CHECK(id >= 0 && syscall(SEM, 2, id, &bad_one, 1) == -1 && errno == 27, "semget");
    pid_t pid = fork();
    if (pid == 0)
        _exit(syscall(SEM, 2, id, &down, 1) ? errno : 0);
    while (syscall(SEM, 0, id, 1, 3) != 1) /* GETNCNT */
        syscall(SYS_yield);
    syscall(SEM, 2, id, &up, 1);
    waitpid(pid, &st, 0);
    CHECK(st == 0 && syscall(SEM, 0, id, 1, 5) == 1, "undone at exit: %x", st);
    CHECK(syscall(SEM, 0, id, 0, 8, 9) == 0 && syscall(SEM, 0, id, 0, 5) == 9, "SETVAL");
    CHECK(syscall(SEM, 0, id, 0, RMID) == 0, "RMID");
}

struct msqid {
    unsigned perm[8];
    void *first, *last;
    unsigned long cbytes, qnum, qbytes;
    int lspid, lrpid;
    long stime, rtime, ctime;
    char rest[32];
};

static void messages(void)
{
    struct msg m = {2, "two"}, n = {1, "one"}, got = {0, ""};
    int id = syscall(MSG, 0, PRIVATE, 0600);
    CHECK(syscall(MSG, 3, id, &m, 4, 0) == 0 && syscall(MSG, 3, id, &n, 4, 0) == 0, "snd");
    CHECK(syscall(MSG, 2, id, &got, 16, 1, 0) == 4 && got.type == 1, "rcv");
    CHECK(syscall(MSG, 2, id, &got, 16, 1, 04000) == -1 && errno == 35, "ENOMSG %d", errno);
    struct msqid q;
    int ids[4] = {0, 0, 0, 0}, n_ids = 0;
    syscall(MSG, 3, id, &m, 4, 0);
    CHECK(syscall(MSG, 1, id, 12, &q) == 0 && q.qnum == 2 && q.cbytes == 8, "IPC_STAT");
    CHECK(q.lspid == getpid() && q.qbytes == 16384, "lspid %d", q.lspid);
    q.qbytes = 100;
    q.perm[4] = 0640;
    CHECK(syscall(MSG, 1, id, 11, &q) == 0, "IPC_SET: %d", errno);
    q.qbytes = 0;
    CHECK(syscall(MSG, 1, id, 12, &q) == 0 && q.qbytes == 100, "qbytes %d", (int)q.qbytes);
    CHECK((q.perm[4] & 0777) == 0640, "mode %x", q.perm[4]);
    CHECK(syscall(MSG, 4, ids, 4, &n_ids) == 0 && n_ids == 1 && ids[0] == id, "msgids");
    CHECK(syscall(MSG, 1, id, RMID, 0) == 0, "RMID");
    CHECK(syscall(MSG, 4, ids, 4, &n_ids) == 0 && n_ids == 0, "msgids after RMID");
}

int main(void)
{
    memory();
    semaphores();
    messages();
    return bad;
}
