/* priocntl(2) of the native brand; status 0 is right, else it prints what is wrong.
 * "prio privileged" with PROC_PRIOCNTL, "prio" without.
 */
#include "tiny.h"

#define SYS_nice 34
#define SYS_priocntlsys 112
#define SYS_processor_bind 187
#define P_LWPID 8
enum { GETCID, GETCLINFO, SETPARMS, GETPARMS, GETPRIRANGE = 5, DONICE, SETX, GETX };
#define POP_AND 1
#define P_PPID 1
#define P_CID 4
#define P_MYID (-1)
#define NOCHANGE (-32768)
#define TQINF (-2)
#define TQDEF (-3)

struct pcinfo { int cid; char name[16]; union { short maxpri; int pad[8]; } u; };
struct parms {
    int cid;
    union {
        struct { short uprilim, upri; } ts;
        struct { short uprilim, upri; int mode; } ia;
        struct { short upri, uprilim; unsigned tqsecs; int tqnsecs; } fx;
        struct { short pri; unsigned tqsecs; int tqnsecs; } rt;
        int pad[8];
    } u;
};
struct pri { int cid; short max, min; };
struct nice { int val, op; };
struct set { int op, ltype, lid, rtype, rid; };
struct vaparm { int key; uint64_t parm; };
struct vaparms { unsigned cnt; struct vaparm parm[8]; };

static int bad;
#define CHECK(ok, ...)                         \
    do {                                       \
        if (!(ok)) {                           \
            dprintf(1, "wrong: " __VA_ARGS__); \
            dprintf(1, "\n");                  \
            bad = 1;                           \
        }                                      \
    } while (0)

static struct set me(void)
{
    return (struct set){POP_AND, P_PID, P_MYID, P_ALL, P_MYID};
}

static long pc(struct set s, int cmd, void *arg)
{
    return syscall(SYS_priocntlsys, 1, &s, cmd, arg, 0);
}

static int cid(const char *name)
{
    struct pcinfo i;
    memset(&i, 0, sizeof i);
    strcpy(i.name, name);
    return pc(me(), GETCID, &i) < 0 ? -1 : i.cid;
}

static struct parms get(void)
{
    struct parms p;
    memset(&p, 0, sizeof p);
    p.cid = -1;
    CHECK(pc(me(), GETPARMS, &p) == getpid(), "GETPARMS: errno %d", errno);
    return p;
}

static void classes(void)
{
    static const struct { const char *name; int maxpri, low, high; } want[] = {
        {"SYS", 0, 60, 99}, {"TS", 60, 0, 59}, {"IA", 60, 0, 59},
        {"FX", 60, 0, 60}, {"FSS", 60, 0, 59}, {"RT", 59, 100, 159},
    };
    for (unsigned i = 0; i < sizeof want / sizeof *want; i++) {
        struct pcinfo info;
        memset(&info, 0, sizeof info);
        info.cid = cid(want[i].name);
        CHECK(pc(me(), GETCLINFO, &info) == 6, "GETCLINFO of %s", want[i].name);
        CHECK(!strcmp(info.name, want[i].name), "name %s", info.name);
        CHECK(info.u.maxpri == want[i].maxpri, "%s: maxpri %d", info.name, info.u.maxpri);
        struct pri r = {info.cid, -1, -1};
        CHECK(pc(me(), GETPRIRANGE, &r) == 0, "GETPRIRANGE");
        CHECK(r.min == want[i].low && r.max == want[i].high, "%s: range", info.name);
    }
    CHECK(cid("XX") == -1 && errno == EINVAL, "a class that is none");
}

/* FORK-71 as a program sees it: the child has the parameters of its parent. */
static void inherited(struct parms want, const char *what)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct parms p = get();
        CHECK(memcmp(&p, &want, sizeof p) == 0, "%s: child %d %d", what, p.u.pad[0],
              p.u.pad[1]);
        _exit(bad);
    }
    int status;
    waitpid(pid, &status, 0);
    bad |= status != 0;
}

static void timeshare(int root)
{
    struct parms p;
    memset(&p, 0, sizeof p);
    p.cid = cid("TS");
    p.u.ts.uprilim = NOCHANGE;
    p.u.ts.upri = -20;
    CHECK(pc(me(), SETPARMS, &p) == 0, "TS -20: errno %d", errno);
    struct parms q = get();
    CHECK(q.cid == p.cid && q.u.ts.upri == -20 && q.u.ts.uprilim == 0, "TS parameters");
    inherited(q, "TS");
    p.u.ts.uprilim = 30;
    CHECK((pc(me(), SETPARMS, &p) == 0) == root, "TS: a higher limit");
    CHECK(root || errno == EPERM, "errno %d", errno);
    p.u.ts.uprilim = 61;
    CHECK(pc(me(), SETPARMS, &p) < 0 && errno == EINVAL, "TS: 61");
    struct nice n = {0, 0};
    CHECK(pc(me(), DONICE, &n) == 0 && n.val == 6, "nice %d", n.val);
    CHECK(syscall(SYS_nice, 4) == 10, "nice(4)");
    n = (struct nice){-15, 1};
    CHECK((pc(me(), DONICE, &n) == 0) == root, "a lower nice value");
}

static void interactive(void)
{
    struct parms p;
    memset(&p, 0, sizeof p);
    p.cid = cid("IA");
    p.u.ia.mode = 7;
    CHECK(pc(me(), SETPARMS, &p) < 0 && errno == EINVAL, "IA: mode 7");
    p.u.ia.mode = 0;
    p.u.ia.upri = -5;
    CHECK(pc(me(), SETPARMS, &p) == 0, "IA: errno %d", errno);
    struct parms q = get();
    CHECK(!memcmp(&p, &q, sizeof p), "IA parameters %d %d", q.u.pad[0], q.u.pad[1]);
    inherited(q, "IA");
}

static void fixed(int root)
{
    struct parms p;
    memset(&p, 0, sizeof p);
    p.cid = cid("FX");
    p.u.fx.tqnsecs = TQDEF;
    CHECK(pc(me(), SETPARMS, &p) == 0, "FX 0: errno %d", errno);
    struct parms q = get();
    CHECK(q.u.fx.upri == 0 && q.u.fx.tqnsecs == 200000000, "FX: table quantum");
    p.u.fx.upri = p.u.fx.uprilim = 35;
    p.u.fx.tqsecs = 1;
    p.u.fx.tqnsecs = 500;
    CHECK((pc(me(), SETPARMS, &p) == 0) == root, "FX 35");
    if (root) {
        q = get();
        CHECK(!memcmp(&p, &q, sizeof p), "FX parameters");
    }
    inherited(get(), "FX");
    p.u.fx.upri = p.u.fx.uprilim = 61;
    CHECK(pc(me(), SETPARMS, &p) < 0 && errno == EINVAL, "FX 61");
}

static void fair(void)
{
    struct parms p;
    memset(&p, 0, sizeof p);
    p.cid = cid("FSS");
    p.u.ts.upri = -30;
    CHECK(pc(me(), SETPARMS, &p) == 0, "FSS: errno %d", errno);
    inherited(get(), "FSS");
}

static volatile int ticks;

static void tick(int sig)
{
    (void)sig;
    ticks++;
}

static void realtime(int root)
{
    struct parms p;
    memset(&p, 0, sizeof p);
    p.cid = cid("RT");
    p.u.rt.pri = 10;
    p.u.rt.tqnsecs = TQINF;
    CHECK((pc(me(), SETPARMS, &p) == 0) == root, "RT: errno %d", errno);
    if (!root) {
        CHECK(errno == EPERM, "RT: errno %d", errno);
        return;
    }
    struct parms q = get();
    CHECK(!memcmp(&p, &q, sizeof p), "RT parameters");
    inherited(q, "RT");
    /* by keys: priority, and a signal at each end of a quantum of 1 ms */
    signal(SIGUSR1, tick);
    struct set s = me();
    struct vaparms v = {3, {{1, 20}, {3, 1000000}, {4, SIGUSR1}}};
    CHECK(syscall(SYS_priocntlsys, 1, &s, SETX, "RT", &v) == 0, "SETX: %d", errno);
    for (volatile long i = 0; i < 2000000; i++)
        ;
    CHECK(ticks > 2, "%d signals of the quantum", ticks);
    short pri = 0;
    int sig = 0;
    v = (struct vaparms){2, {{1, (uint64_t)&pri}, {4, (uint64_t)&sig}}};
    CHECK(syscall(SYS_priocntlsys, 1, &s, GETX, "RT", &v) == getpid(), "GETX");
    CHECK(pri == 20 && sig == SIGUSR1, "GETX: %d %d", pri, sig);
    v = (struct vaparms){1, {{9, 1}}};
    CHECK(syscall(SYS_priocntlsys, 1, &s, SETX, "RT", &v) < 0, "a key that is none");
    CHECK(syscall(SYS_nice, 1) < 0 && errno == EINVAL, "RT has no nice values");
}

static void sets(void)
{
    struct parms p;
    memset(&p, 0, sizeof p);
    p.cid = cid("TS");
    p.u.ts.upri = -10;
    int fds[2];
    char c;
    pipe(fds);
    pid_t kids[2];
    for (int i = 0; i < 2; i++)
        if ((kids[i] = fork()) == 0) {
            close(fds[1]);
            read(fds[0], &c, 1);
            struct parms q = get();
            _exit(q.cid == p.cid && q.u.ts.upri == -10 ? 7 : 8);
        }
    struct set s = {POP_AND, P_PPID, getpid(), P_ALL, 0};
    CHECK(pc(s, SETPARMS, &p) == 0, "the children: errno %d", errno);
    struct parms q = get();
    CHECK(q.cid != p.cid, "the parent is not in the set");
    close(fds[1]);
    for (int i = 0; i < 2; i++) {
        int status;
        waitpid(kids[i], &status, 0);
        CHECK(status >> 8 == 7, "child %d: %d", i, status >> 8);
    }
    s = (struct set){POP_AND, P_PPID, getpid(), P_ALL, 0};
    CHECK(pc(s, SETPARMS, &p) < 0 && errno == ESRCH, "nobody: errno %d", errno);
    s.op = 9;
    CHECK(pc(s, SETPARMS, &p) < 0 && errno == EINVAL, "an operation that is none");
    s = (struct set){POP_AND, 99, 0, P_ALL, 0};
    CHECK(pc(s, SETPARMS, &p) < 0 && errno == EINVAL, "a type that is none");
    s = me();
    CHECK(syscall(SYS_priocntlsys, 2, &s, GETCID, &p) < 0 && errno == EINVAL, "version");
    CHECK(syscall(SYS_priocntlsys, 1, &s, 4, &p) < 0 && errno == EINVAL, "PC_ADMIN");
    CHECK(syscall(SYS_priocntlsys, 1, 8, SETPARMS, &p) < 0 && errno == EFAULT, "EFAULT");
    p.cid = cid("SYS");
    CHECK(pc(me(), SETPARMS, &p) < 0 && errno == EINVAL, "nobody enters SYS");
}

static void binding(void)
{
    int old = 9;
    CHECK(syscall(SYS_processor_bind, P_PID, P_MYID, 0, &old) == 0, "bind: %d", errno);
    CHECK(old == -1, "was bound to %d", old);
    CHECK(syscall(SYS_processor_bind, P_LWPID, P_MYID, -2, &old) == 0 && old == 0,
          "is bound to %d", old);
    CHECK(syscall(SYS_processor_bind, P_PID, P_MYID, 99, NULL) < 0 && errno == EINVAL,
          "CPU 99");
    CHECK(syscall(SYS_processor_bind, P_PID, 31000, 0, NULL) < 0 && errno == ESRCH,
          "nobody");
    CHECK(syscall(SYS_processor_bind, P_PID, P_MYID, -1, &old) == 0 && old == 0, "none");
}

int main(int argc, char **argv)
{
    int root = argc > 1 && !strcmp(argv[1], "privileged");
    classes();
    timeshare(root);
    interactive();
    fixed(root);
    fair();
    sets();
    binding();
    realtime(root);
    return bad;
}
