/*
 * cred - user and group ids, privileges, credentials of processes.
 *
 * SPDX-License-Identifier: MIT
 */
#include "nsys.h"

enum { SETPPRIV, GETPPRIV, IMPLINFO, SETPFLAGS, GETPFLAGS, ISSETUGID };
enum { ON, OFF, SET };
enum { EFFECTIVE, INHERITABLE, PERMITTED, LIMIT };
#define PRIV_AWARE 2

typedef struct {
	uint32_t w[3];
} privs;

static char info[8192];

static int ruid(void)
{
	return getuid();
}

static int euid(void)
{
	long e = -1;

	syscall_rval2(24, 0, &e);
	return e;
}

/* The number of a privilege, by its name in the kernel's list. */
static int number(const char *name)
{
	uint32_t *head = (uint32_t *)info;
	char *p = info + head[0], *end = p + head[6];

	while (p < end && ((uint32_t *)p)[0] != 2) /* PRIV_INFO_PRIVNAMES */
		p += ((uint32_t *)p)[1];
	char *s = p + 12;
	for (unsigned i = 0; p < end && i < ((uint32_t *)p)[2]; i++, s += strlen(s) + 1)
		if (strcmp(s, name) == 0)
			return i;
	return -1;
}

static privs one(const char *name)
{
	privs s = {{0, 0, 0}};
	int n = number(name);

	if (n >= 0)
		s.w[n / 32] |= 1u << (31 - n % 32);
	return s;
}

static privs get(int set)
{
	privs s = {{0, 0, 0}};

	syscall(N_privsys, GETPPRIV, 0, set, &s, sizeof s);
	return s;
}

static int put(int op, int set, privs s)
{
	return syscall(N_privsys, SETPPRIV, op, set, &s, sizeof s);
}

static int has(privs s, const char *name)
{
	privs o = one(name);

	return ((s.w[0] & o.w[0]) | (s.w[1] & o.w[1]) | (s.w[2] & o.w[2])) != 0;
}

static int same(privs a, privs b)
{
	return memcmp(&a, &b, sizeof a) == 0;
}

/* Run checks in a child, which can give up what it likes. */
static int status_of(int (*fn)(void))
{
	int status = -1, pid = fork();

	if (pid == 0)
		_exit(fn());
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define RETURN_IF(bad, n) \
	do {              \
		if (bad)  \
			return n; \
	} while (0)

static int user_ids(void)
{
	RETURN_IF(syscall(N_setreuid, 10, 20) != 0, 1);
	RETURN_IF(ruid() != 10 || euid() != 20, 2);
	RETURN_IF(syscall(N_seteuid, 10) != 0 || euid() != 10, 3);
	RETURN_IF(syscall(N_seteuid, 20) != 0 || euid() != 20, 4); /* the saved one */
	RETURN_IF(!FAILS(syscall(N_seteuid, 0), EPERM), 5);
	RETURN_IF(!FAILS(syscall(N_setreuid, 30, -1), EPERM), 6);
	RETURN_IF(!FAILS(syscall(N_setuid, 0), EPERM), 7);
	RETURN_IF(syscall(N_setuid, 10) != 0 || euid() != 10 || ruid() != 10, 8);
	RETURN_IF(syscall(N_setreuid, -1, -1) != 0, 9);
	RETURN_IF(!FAILS(syscall(N_seteuid, -1), EINVAL), 10);
	RETURN_IF(!FAILS(syscall(N_setreuid, 0x90000000u, 0), EINVAL), 11);
	return 0;
}

static int group_ids(void)
{
	int groups[3] = {7, 5, 6}, got[3] = {0, 0, 0};
	long e = -1;

	RETURN_IF(syscall(N_setgroups, 3, groups) != 0, 1);
	RETURN_IF(syscall(N_getgroups, 0, NULL) != 3, 2);
	RETURN_IF(!FAILS(syscall(N_getgroups, 2, got), EINVAL), 3);
	RETURN_IF(syscall(N_getgroups, 3, got) != 3 || got[0] + got[1] + got[2] != 18, 4);
	groups[1] = -3;
	RETURN_IF(!FAILS(syscall(N_setgroups, 3, groups), EINVAL), 5);
	RETURN_IF(!FAILS(syscall(N_setgroups, 5000, groups), EINVAL), 6);
	RETURN_IF(syscall(N_setregid, 11, 12) != 0, 7);
	RETURN_IF(syscall_rval2(N_getgid, 0, &e) != 11 || e != 12, 8);
	RETURN_IF(syscall(N_setegid, 11) != 0, 9);
	syscall(N_setuid, 40);
	RETURN_IF(!FAILS(syscall(N_setgroups, 0, NULL), EPERM), 10);
	RETURN_IF(!FAILS(syscall(N_setegid, 99), EPERM), 11);
	RETURN_IF(syscall(N_setegid, 12) != 0, 12); /* the saved one */
	return 0;
}

static int user_sets(void)
{
	syscall(N_setuid, 100);
	RETURN_IF(!has(get(EFFECTIVE), "proc_fork"), 1);
	RETURN_IF(has(get(EFFECTIVE), "proc_setid"), 2);
	RETURN_IF(!same(get(EFFECTIVE), get(INHERITABLE)), 3);
	RETURN_IF(!has(get(LIMIT), "proc_setid"), 4);
	RETURN_IF(!FAILS(put(ON, EFFECTIVE, one("proc_setid")), EPERM), 5);
	RETURN_IF(put(ON, EFFECTIVE, one("proc_fork")) != 0, 6);
	return 0;
}

static int no_fork(void)
{
	RETURN_IF(put(OFF, EFFECTIVE, one("proc_fork")) != 0, 1);
	RETURN_IF(!FAILS(fork(), EPERM), 2);
	RETURN_IF(put(ON, EFFECTIVE, one("proc_fork")) != 0, 3); /* still permitted */
	int pid = fork();
	if (pid == 0)
		_exit(0);
	RETURN_IF(pid < 0, 4);
	waitpid(pid, NULL, 0);
	RETURN_IF(put(OFF, PERMITTED, one("proc_fork")) != 0, 5);
	RETURN_IF(has(get(EFFECTIVE), "proc_fork"), 6); /* E is cut to P */
	RETURN_IF(!FAILS(put(ON, EFFECTIVE, one("proc_fork")), EPERM), 7);
	return 0;
}

static int no_exec(void)
{
	char *argv[] = {"x", NULL};

	put(OFF, EFFECTIVE, one("proc_exec"));
	RETURN_IF(!FAILS(execve("/nothing", argv, argv + 1), EPERM), 1);
	put(ON, EFFECTIVE, one("proc_exec"));
	RETURN_IF(!FAILS(execve("/nothing", argv, argv + 1), ENOENT), 2);
	return 0;
}

static int limit(void)
{
	privs all = get(LIMIT);

	RETURN_IF(put(OFF, LIMIT, one("proc_setid")) != 0, 1);
	RETURN_IF(has(get(LIMIT), "proc_setid"), 2);
	RETURN_IF(!has(get(EFFECTIVE), "proc_setid"), 3); /* until exec */
	RETURN_IF(!FAILS(put(SET, LIMIT, all), EPERM), 4);
	return 0;
}

static int aware(void)
{
	RETURN_IF(syscall(N_privsys, GETPFLAGS, PRIV_AWARE) != 0, 1);
	RETURN_IF(put(OFF, INHERITABLE, one("proc_info")) != 0, 2);
	RETURN_IF(syscall(N_privsys, GETPFLAGS, PRIV_AWARE) != 0, 3);
	RETURN_IF(put(OFF, EFFECTIVE, one("proc_info")) != 0, 4);
	RETURN_IF(syscall(N_privsys, GETPFLAGS, PRIV_AWARE) != 1, 5);
	RETURN_IF(!FAILS(syscall(N_privsys, SETPFLAGS, PRIV_AWARE, 0), EPERM), 6);
	put(ON, EFFECTIVE, one("proc_info"));
	RETURN_IF(syscall(N_privsys, SETPFLAGS, PRIV_AWARE, 0) != 0, 7);
	RETURN_IF(syscall(N_privsys, GETPFLAGS, PRIV_AWARE) != 0, 8);
	return 0;
}

static int ucred(void)
{
	uint32_t buf[128];
	int me = getpid();

	RETURN_IF(syscall(N_ucredsys, 0, -1, buf) != 0, 1);
	RETURN_IF((int)buf[3] != me || buf[1] != 32, 2);
	syscall(N_setreuid, 55, 66);
	syscall(N_ucredsys, 0, me, buf);
	uint32_t *cred = buf + buf[1] / 4;
	RETURN_IF(cred[0] != 66 || cred[1] != 55 || cred[2] != 66, 3);
	uint32_t *priv = buf + buf[2] / 4;
	RETURN_IF(priv[0] != 4 || priv[1] != 3, 4);
	privs e = get(EFFECTIVE);
	RETURN_IF(memcmp(priv + 3, &e, sizeof e) != 0, 5);
	RETURN_IF(!FAILS(syscall(N_ucredsys, 0, getppid(), buf), EACCES), 6);
	RETURN_IF(!FAILS(syscall(N_ucredsys, 0, 29999, buf), ESRCH), 7);
	return 0;
}

static int access_by_owner(void)
{
	int fd = open("/tmp/own", O_RDWR | O_CREAT, 0600);

	close(fd);
	syscall(N_chown, "/tmp/own", 70, 70);
	RETURN_IF(open("/tmp/own", O_RDWR, 0) < 0, 1); /* file_dac_read, file_dac_write */
	syscall(N_setreuid, 80, 0);
	RETURN_IF(syscall(N_access, "/tmp/own", 4) == 0, 2); /* by the real id */
	RETURN_IF(syscall(N_access, "/tmp/own", 014) != 0, 3); /* E_OK: by the effective */
	syscall(N_setuid, 80);
	RETURN_IF(!FAILS(open("/tmp/own", O_RDONLY, 0), EACCES), 4);
	RETURN_IF(!FAILS(syscall(N_chmod, "/tmp/own", 0666), EPERM), 5);
	RETURN_IF(!FAILS(kill(getppid(), 0), EPERM), 6);
	return 0;
}

static void impl(void)
{
	uint32_t *head = (uint32_t *)info;

	KTAP_EQ(syscall(N_privsys, IMPLINFO, 0, 0, info, sizeof info), 0, "getprivimplinfo",
		"priv_getsetbyname(3C)");
	KTAP(head[2] == 4 && head[3] == 3, "there are four sets", "privileges(7)");
	static const char *const names[] = {"proc_fork", "proc_exec", "proc_info", "proc_session",
					    "file_link_any", "net_access", "file_read",
					    "file_write", "proc_secflags"};
	int known = 0, basic = 0;
	char *p = info + head[0];
	while (((uint32_t *)p)[0] != 3) /* PRIV_INFO_BASICPRIVS */
		p += ((uint32_t *)p)[1];
	privs *set = (privs *)(p + 8);
	for (int i = 0; i < 9; i++) {
		known += number(names[i]) >= 0;
		basic += has(*set, names[i]);
	}
	KTAP_EQ(known, 9, "the basic privileges have their names", "privileges(7)");
	KTAP_EQ(basic, 9, "and are the basic set", "privileges(7)");
	KTAP(!has(*set, "proc_setid"), "proc_setid is not basic", "privileges(7)");
	KTAP_EQ(number("proc_teleport"), -1, "what is no privilege has no number",
		"priv_getbyname(3C)");
	KTAP(FAILS(syscall(N_privsys, GETPPRIV, 0, 4, set, 12), EINVAL), "an unknown set is EINVAL",
	     "getppriv(2)");
	KTAP(FAILS(syscall(N_privsys, GETPPRIV, 0, 0, set, 11), ENOMEM),
	     "no room for a set is ENOMEM", "getppriv(2)");
	KTAP(FAILS(syscall(N_privsys, SETPFLAGS, PRIV_AWARE, 2), EINVAL),
	     "a flag is 0 or 1", "setpflags(2)");
	KTAP_EQ(syscall(N_privsys, ISSETUGID), 0, "issetugid of an ordinary program",
		"issetugid(2)");
}

int main(void)
{
	ktap_start("cred");
	alarm(60);
	impl();
	KTAP_EQ(status_of(user_ids), 0, "real, effective and saved user ids", "setreuid(2)");
	KTAP_EQ(status_of(group_ids), 0, "group ids and supplementary groups", "setgroups(2)");
	KTAP_EQ(status_of(user_sets), 0, "the sets of an ordinary user", "privileges(7)");
	KTAP_EQ(status_of(no_fork), 0, "fork needs proc_fork", "fork(2), FORK-94");
	KTAP_EQ(status_of(no_exec), 0, "exec needs proc_exec", "exec(2)");
	KTAP_EQ(status_of(limit), 0, "the limit set only shrinks", "setppriv(2)");
	KTAP_EQ(status_of(aware), 0, "privilege awareness comes and goes", "setpflags(2)");
	KTAP_EQ(status_of(ucred), 0, "ucred_get of processes", "ucred_get(3C)");
	KTAP_EQ(status_of(access_by_owner), 0, "files and signals of another user", "access(2)");
	return ktap_end();
}
