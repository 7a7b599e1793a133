/*
 * System V shared memory: what one writes the other sees, after fork too; a removed
 * segment lives until its last attachment goes; counts, keys and permissions.
 */
#include "check.h"
#include <sys/ipc.h>
#include <sys/shm.h>

static struct shmid_ds ds;

static int nattch(int id)
{
    return shmctl(id, IPC_STAT, &ds) ? -errno : (int)ds.shm_nattch;
}

static void child_sees(int id, int *p)
{
    pid_t pid = fork();
    if (pid == 0) {
        int ok = p[0] == 7 && p[2000] == 0 && nattch(id) == 2;
        p[2000] = 9;
        if (shmdt(p) || nattch(id) != 1)
            ok = 0;
        _exit(ok);
    }
    int st = 0;
    waitpid(pid, &st, 0);
    CHECK(WEXITSTATUS(st) == 1, "the child: status %#x", st);
    CHECK(p[2000] == 9, "a store of the child is lost");
    CHECK(nattch(id) == 1, "nattch %d", nattch(id));
    CHECK(ds.shm_lpid == pid && ds.shm_cpid == getpid(), "pids %d %d", ds.shm_lpid, ds.shm_cpid);
}

static void vforked(int id, int *p)
{
    volatile int n = 0;
    pid_t pid = vfork();
    if (pid == 0) {
        n = nattch(id);
        p[1] = 5;
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    CHECK(n == 1 && nattch(id) == 1 && p[1] == 5, "vfork: %d, then %d", n, nattch(id));
    pid = vfork();
    if (pid == 0) {
        execl("/nowhere", "x", NULL);
        _exit(1);
    }
    waitpid(pid, NULL, 0);
    CHECK(nattch(id) == 1, "after an exec that failed: %d", nattch(id));
}

static void removed(void)
{
    int id = shmget(0x1234, 5000, IPC_CREAT | 0600);
    int *p = shmat(id, NULL, 0);
    p[0] = 3;
    CHECK(shmget(0x1234, 5000, IPC_CREAT | IPC_EXCL) == -1 && errno == EEXIST, "EXCL");
    CHECK(shmget(0x1234, 5001, 0) == -1 && errno == EINVAL, "too large: %d", errno);
    CHECK(shmget(0x1234, 0, 0) == id, "found by its key");
    CHECK(shmctl(id, IPC_RMID, NULL) == 0, "RMID %d", errno);
    CHECK(nattch(id) == 1 && ds.shm_perm.mode & 01000, "mode %o", ds.shm_perm.mode);
    CHECK(shmget(0x1234, 0, 0) == -1 && errno == ENOENT, "a removed key is found");
    int *q = shmat(id, NULL, SHM_RDONLY);
    CHECK(q != (void *)-1 && q[0] == 3 && nattch(id) == 2, "attach of a removed one");
    CHECK(mprotect(q, 4096, PROT_READ | PROT_WRITE) == -1 && errno == EACCES, "RDONLY");
    CHECK(shmdt(q) == 0 && shmdt(q) == -1 && errno == EINVAL, "shmdt");
    CHECK(munmap(p, 8192) == 0, "munmap");
    CHECK(nattch(id) == -EINVAL, "it is still there: %d", nattch(id));
}

static void places(int id)
{
    char *at = mmap(NULL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(shmat(id, at + 1, 0) == (void *)-1 && errno == EINVAL, "unaligned");
    CHECK(shmat(id, at, 0) == (void *)-1 && errno == EINVAL, "over a mapping");
    CHECK(shmat(id, at + 5, SHM_RND | SHM_REMAP) == at, "RND and REMAP");
    CHECK(shmat(id, at + 32768, SHM_REMAP) == at + 32768, "twice");
    CHECK(nattch(id) == 3, "nattch %d", nattch(id));
    char *to = mremap(at, 16384, 16384, MREMAP_MAYMOVE | MREMAP_FIXED, at + 49152);
    CHECK(to == at + 49152 && nattch(id) == 3, "moved: %d", nattch(id));
    CHECK(shmdt(to) == 0 && shmdt(at + 32768) == 0 && nattch(id) == 1, "detached");
}

static void others(int id)
{
    pid_t pid = fork();
    int st = 0;
    if (pid == 0) {
        setuid(1000);
        int e = 0;
        e |= shmat(id, NULL, 0) != (void *)-1 || errno != EACCES;
        e |= 2 * (shmctl(id, IPC_RMID, NULL) != -1 || errno != EPERM);
        e |= 4 * (shmctl(id, IPC_STAT, &ds) != -1 || errno != EACCES);
        e |= 8 * (shmctl(id, SHM_LOCK, NULL) != -1);
        _exit(e);
    }
    waitpid(pid, &st, 0);
    CHECK(st == 0, "another user: %#x", st);
    shmctl(id, IPC_STAT, &ds);
    ds.shm_perm.uid = 1000;
    ds.shm_perm.mode = 0604;
    CHECK(shmctl(id, IPC_SET, &ds) == 0, "IPC_SET %d", errno);
    shmctl(id, IPC_STAT, &ds);
    CHECK(ds.shm_perm.uid == 1000 && ds.shm_perm.mode == 0604 && ds.shm_perm.cuid == 0, "set");
}

static void listed(int id)
{
    char line[400];
    int key = -1, found = -1;
    unsigned mode = 0;
    unsigned long size = 0;
    FILE *f = fopen("/proc/sysvipc/shm", "r");
    CHECK(f != NULL && fgets(line, sizeof line, f) && strlen(line) == 170, "%zu", strlen(line));
    CHECK(fscanf(f, "%d %d %o %lu", &key, &found, &mode, &size) == 4, "a row");
    CHECK(key == 0 && found == id && mode == 0600 && size == 16384, "%d %d %o", key, found, mode);
    fclose(f);
    CHECK(access("/proc/sysvipc/sem", R_OK) == 0 && access("/proc/sysvipc/msg", R_OK) == 0, "files");
}

static void executed(int id)
{
    char arg[20];
    int st = 0;
    pid_t pid = fork();
    if (pid == 0) {
        sprintf(arg, "%d", id);
        execl("/case", "case", arg, NULL);
        _exit(9);
    }
    waitpid(pid, &st, 0);
    CHECK(st == 0x100, "exec leaves it attached: %#x", st);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return nattch(atoi(argv[1]));
    struct shm_info info;
    int id = shmget(IPC_PRIVATE, 16384, IPC_CREAT | 0600);
    CHECK(id >= 0, "shmget: %d", errno);
    int *p = shmat(id, NULL, 0);
    CHECK(p != (void *)-1, "shmat: %d", errno);
    p[0] = 7;
    child_sees(id, p);
    vforked(id, p);
    executed(id);
    listed(id);
    places(id);
    CHECK(shmctl(0, SHM_INFO, (void *)&info) == 0 && info.used_ids == 1 && info.shm_tot == 4 &&
              info.shm_rss == 2,
          "SHM_INFO %d %lu %lu", info.used_ids, info.shm_tot, info.shm_rss);
    CHECK(shmctl(0, SHM_STAT, &ds) == id && ds.shm_segsz == 16384, "SHM_STAT");
    removed();
    CHECK(shmget(IPC_PRIVATE, 0, 0600) == -1 && errno == EINVAL, "no bytes");
    CHECK(shmctl(id + 32768, IPC_STAT, &ds) == -1 && errno == EINVAL, "an old identifier");
    others(id);
    CHECK(shmctl(id, IPC_RMID, NULL) == 0 && shmdt(p) == 0, "the end");
    return bad;
}
