/*
 * zoneenter - who may enter a zone and what becomes of it, zones with limits, of other
 * brands, and how they end: zone_enter(3C), zlogin(1), resource_controls(7).
 *
 * Runs in a global zone that has a file tree, and makes zones with itself as their
 * init, which does what its argument says.
 *
 * SPDX-License-Identifier: MIT
 */
#include "zonelib.h"

/* ---- inside ---- */

/* fork without end, as long as the zone lets it */
static void bomb(void)
{
	write_saw("yes", 4);
	for (;;)
		if (fork() == -1)
			msleep(1);
		else
			msleep(2);
}

/* fork until it is refused: how many, and why */
static void count_forks(void)
{
	int seen[2] = {0, 0};
	pid_t pid;

	while (seen[0] < 50 && (pid = fork()) != -1) {
		if (pid == 0)
			pause_for_ever();
		seen[0]++;
	}
	seen[1] = errno;
	write_saw(seen, sizeof(seen));
	pause_for_ever();
}

/* touch more memory than there is: a child dies of it */
static void eat(void)
{
	int st = -1;
	pid_t pid = fork();

	if (pid == 0) {
		char *p = mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);

		for (long i = 0; p != MAP_FAILED && i < 16 << 20; i += 4096)
			p[i] = 1;
		_exit(p == MAP_FAILED);
	}
	waitpid(pid, &st, 0);
	write_saw(&st, sizeof(st));
	pause_for_ever();
}

#define N_uadmin 55
#define A_REBOOT 1
#define A_SHUTDOWN 2
#define AD_HALT 0
#define AD_IBOOT 2

/* what a child of the zone's init is refused, and then the end of the zone */
static void halt_it(void)
{
	int seen[3], st;
	pid_t pid = fork();

	if (pid == 0) {
		syscall(SYS_setuid, 100L);
		_exit(err(syscall(N_uadmin, (long)A_SHUTDOWN, (long)AD_HALT, 0L)));
	}
	waitpid(pid, &st, 0);
	seen[0] = WEXITSTATUS(st);
	seen[1] = err(syscall(N_uadmin, (long)A_SHUTDOWN, (long)AD_IBOOT, 0L));
	seen[2] = err(syscall(N_uadmin, 99L, 0L, 0L));
	write_saw(seen, sizeof(seen));
	if (fork() == 0) {
		syscall(N_uadmin, (long)A_SHUTDOWN, (long)AD_HALT, 0L);
		_exit(1);
	}
	pause_for_ever();
}

static int inside(char **argv)
{
	if (!argv[1])
		pause_for_ever();
	if (!strcmp(argv[1], "bomb"))
		bomb();
	if (!strcmp(argv[1], "count"))
		count_forks();
	if (!strcmp(argv[1], "exit"))
		return 7;
	if (!strcmp(argv[1], "eat"))
		eat();
	if (!strcmp(argv[1], "halt"))
		halt_it();
	pause_for_ever();
	return 1;
}

/* ---- outside ---- */

static int enter_only(long id)
{
	return err(zone_enter((zoneid_t)id));
}

static int enter_twice(long id)
{
	int first = err(zone_enter((zoneid_t)id));

	return first ? 100 + first : err(zone_enter((zoneid_t)id));
}

static int enter_shared(long id)
{
	mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANON, -1, 0);
	return err(zone_enter((zoneid_t)id));
}

static int enter_holding(long id)
{
	int tmpl = ct_template();

	ct_ioctl(tmpl, CT_TACTIVATE, NULL);
	if (fork() == 0)
		_exit(0);
	ct_ioctl(tmpl, CT_TCLEAR, NULL);
	waitpid(-1, NULL, 0);
	return err(zone_enter((zoneid_t)id));
}

/* bits of what is not as it should be in a zone that was entered */
static int enter_look(long id)
{
	char cwd[64] = "";
	int wrong = 0, fd, parent = getppid(), st = -1;
	pid_t child;

	if (zone_enter((zoneid_t)id) == -1)
		return 127;
	wrong |= getzoneid() != id;
	wrong |= (getcwd(cwd, sizeof(cwd)) == NULL || strcmp(cwd, "/")) << 1;
	fd = open("/sbin/init", O_RDONLY, 0);
	wrong |= (fd == -1 || open("/zones", O_RDONLY, 0) != -1) << 2;
	wrong |= !fails(kill(parent, 0), ESRCH) << 3;
	wrong |= (syscall(SYS_pgrpsys, 2L, 0L) == getpid() || getpgrp() == getpid()) << 4;
	child = fork();
	if (child == 0)
		_exit(getzoneid());
	waitpid(child, &st, 0);
	wrong |= (WEXITSTATUS(st) != (id & 0xff)) << 5;
	wrong |= (shmget(KEY, 4096, IPC_CREAT | IPC_EXCL | 0600) == -1) << 6;
	return wrong;
}

static int enter_group(long id)
{
	pid_t outside = getppid();

	if (zone_enter((zoneid_t)id) == -1)
		return 127;
	return getppid() == outside; /* inside it is zsched */
}

static void entering(zoneid_t id)
{
	KTAP_EQ(in_contract(enter_look, id), 0, "zone_enter: id, root, directory, session, children and IPC are the zone's", "zone_enter(3C)");
	KTAP_EQ(in_contract(enter_group, id), 0, "inside, the parent of who entered is zsched", "zlogin(1)");
	KTAP_EQ(in_child(enter_only, id), EINVAL, "who shares its contract does not enter", "zone_enter(3C)");
	KTAP_EQ(in_contract(enter_holding, id), EINVAL, "who holds a contract does not enter", "zone_enter(3C)");
	KTAP_EQ(in_contract(enter_shared, id), EFAULT, "who maps shared anonymous memory does not enter", "zone_enter(3C)");
	KTAP_EQ(in_contract(enter_twice, id), EPERM, "who is inside has lost the privileges to enter", "privileges(7)");
	KTAP_EQ(in_contract(enter_only, MAX_ZONEID), EINVAL, "no zone of that id", "zone_enter(3C)");
}

/* ---- resource controls of zone_create: a packed nvlist, natively ---- */

struct nvbuf {
	char data[512];
	size_t size;
};

static void put(struct nvbuf *b, const void *data, size_t n)
{
	memcpy(b->data + b->size, data, n);
	b->size += n;
}

static void put_int(struct nvbuf *b, int n)
{
	put(b, &n, sizeof(n));
}

/* a pair: size, name size, reserved, elements, type, name, value */
static void put_pair(struct nvbuf *b, const char *name, int type, const void *value,
		     size_t n)
{
	short name_size = strlen(name) + 1, none = 0;
	size_t head = (16 + name_size + 7) & ~7UL, start = b->size;

	memset(b->data + start, 0, head);
	put_int(b, (int)(head + ((n + 7) & ~7UL)));
	put(b, &name_size, 2);
	put(b, &none, 2);
	put_int(b, 1);
	put_int(b, type);
	put(b, name, name_size);
	b->size = start + head;
	put(b, value, n);
}

/* one privileged value that denies */
static void rctl_list(struct nvbuf *b, const char *control, uint64_t limit)
{
	static const char zeros[32]; /* a pointer and an nvlist_t */
	uint64_t privileged = 0x04000000, deny = 2;

	memset(b, 0, sizeof(*b));
	b->data[1] = 1; /* little endian */
	b->size = 4;
	put_int(b, 0);
	put_int(b, 1);
	put_pair(b, control, 20, zeros, sizeof(zeros));
	put_pair(b, "privilege", 8, &privileged, 8);
	put_pair(b, "limit", 8, &limit, 8);
	put_pair(b, "action", 8, &deny, 8);
	put_int(b, 0);
	put_int(b, 0);
}

static void capped(const char *control, uint64_t limit, const char *what)
{
	zone_def def = {"capped", "/zones/capped/root", &privs, sizeof(privs), 0, 0, &extended, 0, 0, 0, 0, 0, 0};
	struct nvbuf list;
	zoneid_t id;
	int seen[2] = {-1, -1};

	rctl_list(&list, control, limit);
	def.rctlbuf = list.data;
	def.rctlbufsz = list.size;
	make_root("capped", "/self");
	id = zone_create_def(&def);
	if (id == -1)
		printf("# zone_create: errno %d\n", errno);
	boot_with(id, "count");
	read_saw("capped", seen, sizeof(seen));
	/* zsched and init count as well */
	KTAP_EQ(seen[0], (int)limit - 2, what, "resource_controls(7)");
	KTAP_EQ(seen[1], EAGAIN, "a fork over it is EAGAIN", "fork(2)");
	zone_shutdown(id);
	zone_destroy(id);
}

static void bombed(void)
{
	zoneid_t id;
	char saw[4];

	make_root("bomb", "/self");
	id = create("bomb", "/zones/bomb/root");
	boot_with(id, "bomb");
	read_saw("bomb", saw, sizeof(saw));
	msleep(20);
	KTAP_EQ(zone_shutdown(id), 0, "a zone that forks without end is shut down", "zone_shutdown(3C)");
	KTAP_EQ(status_of(id), ZONE_IS_DOWN, "no fork has got through meanwhile", "FORK-96");
	KTAP_EQ(zone_destroy(id), 0, "it is destroyed", "zone_destroy(3C)");
}

static void init_exits(void)
{
	zoneid_t id;

	make_root("brief", "/self");
	id = create("brief", "/zones/brief/root");
	boot_with(id, "exit");
	for (int i = 0; i < 100 && status_of(id) < ZONE_IS_DOWN; i++)
		msleep(1);
	KTAP_EQ(status_of(id), ZONE_IS_DOWN, "the end of its init is the end of a zone", "init(8)");
	KTAP_EQ(zone_destroy(id), 0, "and it can be destroyed", "zone_destroy(3C)");
}

static void memory_capped(void)
{
	uint64_t cap = 4 << 20, told = 0;
	zoneid_t id;
	int st = 0;

	make_root("eat", "/self");
	id = create("eat", "/zones/eat/root");
	KTAP(zone_setattr(id, ZONE_ATTR_PHYS_MCAP, &cap, sizeof(cap)) == 0 && zone_getattr(id, ZONE_ATTR_PHYS_MCAP, &told, sizeof(told)) == 8 && told == cap, "a cap of physical memory is set", "rcapd(8)");
	boot_with(id, "eat");
	read_saw("eat", &st, sizeof(st));
	KTAP(WIFSIGNALED(st) && WTERMSIG(st) == SIGKILL, "the zone has no more memory than its cap", "resource_controls(7)");
	KTAP(zone_shutdown(id) == 0 && zone_destroy(id) == 0, "and ends", "zone_destroy(3C)");
}

static void halted(void)
{
	zoneid_t id;
	int seen[3] = {0, 0, 0};

	make_root("halt", "/self");
	id = create("halt", "/zones/halt/root");
	boot_with(id, "halt");
	read_saw("halt", seen, sizeof(seen));
	KTAP_EQ(seen[0], EPERM, "a user does not halt the zone", "uadmin(2)");
	KTAP_EQ(seen[1], ENOTSUP, "what a zone can't do is ENOTSUP", "uadmin(2)");
	KTAP_EQ(seen[2], EINVAL, "an unknown command is EINVAL", "uadmin(2)");
	for (int i = 0; i < 100 && status_of(id) < ZONE_IS_DOWN; i++)
		msleep(1);
	KTAP_EQ(status_of(id), ZONE_IS_DOWN, "A_SHUTDOWN from within ends the zone, init and all", "uadmin(2)");
	KTAP_EQ(zone_destroy(id), 0, "and it is destroyed", "zone_destroy(3C)");
}

/* ---- a zone of another brand, if the machine has a program for one ---- */

static int enter_exec(long id)
{
	char *argv[] = {"/sbin/init", NULL};

	if (zone_enter((zoneid_t)id) == -1)
		return 127;
	execve(argv[0], argv, environ);
	return 126;
}

static void branded(void)
{
	static const char what[] = "who enters a branded zone and execs is of its brand";
	zoneid_t id;
	char text[16] = "";

	if (open("/true.elf", O_RDONLY, 0) == -1) {
		KTAP_SKIP("a zone takes a brand", "no /true.elf", "brands(7)");
		KTAP_SKIP(what, "no /true.elf", "brands(7)");
		return;
	}
	make_root("lx", "/true.elf");
	id = create("lx", "/zones/lx/root");
	KTAP(zone_setattr(id, ZONE_ATTR_BRAND, "linux", 6) == 0 && zone_getattr(id, ZONE_ATTR_BRAND, text, sizeof(text)) == 6 && !strcmp(text, "linux"), "a zone takes a brand", "brands(7)");
	KTAP_EQ(in_contract(enter_exec, id), 0, what, "brands(7)");
	zone_shutdown(id);
	KTAP_EQ(zone_destroy(id), 0, "a branded zone is destroyed", "zone_destroy(3C)");
}

int main(int argc, char **argv)
{
	zoneid_t id;

	(void)argc;
	if (getzoneid() != GLOBAL_ZONEID)
		return inside(argv);
	default_privs();
	ktap_start("zone");
	copy(argv[0], "/self");
	make_root("one", "/self");
	id = create("one", "/zones/one/root");
	boot_with(id, "stay");
	shmget(KEY, 4096, IPC_CREAT | IPC_EXCL | 0600);
	entering(id);
	KTAP(zone_shutdown(id) == 0 && zone_destroy(id) == 0, "a zone that was entered ends as others do", "zone_destroy(3C)");
	capped("zone.max-processes", 6, "zone.max-processes is a limit of processes in the zone");
	capped("zone.max-lwps", 5, "zone.max-lwps is a limit of lwps in the zone");
	bombed();
	init_exits();
	memory_capped();
	halted();
	branded();
	return ktap_end();
}
