/*
 * zone - zones from outside and inside: zone(2), zones(7), zoneadm(8).
 *
 * Runs in a global zone that has a file tree.  It makes a zone below /zones, with
 * itself as its init: there it looks around.
 *
 * SPDX-License-Identifier: MIT
 */
#include "zonelib.h"

#define ROOT1 "/zones/one/root"

struct saw {
	int zoneid, by_name, list, listed, root, hostname;
	int lookup_global, attr_global, create, enter, shutdown, setattr, boot;
	int kill_global, kill_zero_all, getpgid_global, contract, shm, fork2, ppid;
	int init_signal, hostid;
};

static struct saw saw;

static void look_around(pid_t global, int contract)
{
	zone_def def = {"inner", "/", &privs, sizeof(privs), 0, 0, &extended, 0, 0, 0, 0, 0, 0};
	zoneid_t ids[4] = {-1, -1, -1, -1};
	unsigned n = 4;
	char text[64] = "";

	saw.zoneid = getzoneid();
	saw.by_name = getzoneidbyname("one");
	saw.list = zone_list(ids, &n) == 0 ? (int)n : -1;
	saw.listed = ids[0];
	zone_getattr(saw.zoneid, ZONE_ATTR_ROOT, text, sizeof(text));
	saw.root = strcmp(text, "/");
	saw.lookup_global = err(getzoneidbyname("global"));
	saw.attr_global = err(zone_getattr(0, ZONE_ATTR_NAME, text, sizeof(text)));
	saw.create = err(zone_create_def(&def));
	saw.enter = err(zone_enter(saw.zoneid));
	saw.shutdown = err(zone_shutdown(saw.zoneid));
	saw.boot = err(zone_boot(saw.zoneid));
	saw.setattr = err(zone_setattr(saw.zoneid, ZONE_ATTR_BOOTARGS, "x", 2));
	saw.kill_global = err(kill(global, 0));
	saw.getpgid_global = err(syscall(SYS_pgrpsys, 4, (long)global));
	snprintf(text, sizeof(text), CT_PROCESS "%d/status", contract);
	saw.contract = err(open(text, O_RDONLY, 0));
	saw.shm = err(shmget(KEY, 4096, IPC_CREAT | IPC_EXCL | 0600));
	saw.ppid = getppid();
	zone_getattr(saw.zoneid, ZONE_ATTR_HOSTID, &saw.hostid, sizeof(saw.hostid));
	signal(SIGTERM, SIG_DFL);
	kill(getpid(), SIGTERM); /* nothing ends an init by default */
	saw.init_signal = 1;
	write_saw(&saw, sizeof(saw));
	if (fork() == 0)
		pause_for_ever();
	pause_for_ever();
}

static int as_user(long what)
{
	char name[64];

	syscall(SYS_setuid, 100L);
	if (what == ZONE_CREATE)
		return err(create("user", "/zones/user/root"));
	if (what == ZONE_GETATTR) /* everybody may look */
		return err(zone_getattr(0, ZONE_ATTR_NAME, name, sizeof(name)));
	if (what == ZONE_SETATTR)
		return err(zone_setattr(1, ZONE_ATTR_BOOTARGS, "", 1));
	return err(syscall(SYS_zone, what, 1L));
}

static void looking(void)
{
	zoneid_t ids[8] = {-1, -1, -1, -1, -1, -1, -1, -1};
	unsigned n = 8, all;
	char text[64] = "", longname[80];
	int version = 0;

	KTAP_EQ(getzoneid(), GLOBAL_ZONEID, "a process of the global zone is in zone 0", "getzoneid(3C)");
	KTAP_EQ(getzoneidbyname("global"), 0, "the global zone is found by its name", "getzoneidbyname(3C)");
	KTAP(fails(getzoneidbyname("nobody"), EINVAL), "a name of no zone is EINVAL", "getzoneidbyname(3C)");
	memset(longname, 'x', sizeof(longname));
	longname[79] = 0;
	KTAP(fails(getzoneidbyname(longname), ENAMETOOLONG), "a name over ZONENAME_MAX is ENAMETOOLONG", "getzoneidbyname(3C)");
	KTAP(zone_version(&version) == 0 && version > 0, "the version of the interface", "zone(2)");
	KTAP(zone_list(ids, &n) == 0 && n >= 1 && ids[0] == 0, "the list begins with the global zone", "zone_list(3C)");
	all = n;
	n = 0;
	ids[0] = -2;
	KTAP(zone_list(ids, &n) == 0 && n == all && ids[0] == -2, "a list without room answers the number alone", "zone_list(3C)");
	KTAP(fails(zone_list(ids, (unsigned *)8), EFAULT), "a bad count is EFAULT", "zone_list(3C)");
	KTAP(zone_getattr(0, ZONE_ATTR_NAME, text, sizeof(text)) == 7 && !strcmp(text, "global"), "ZONE_ATTR_NAME is the name, and its size the result", "zone_getattr(3C)");
	memset(text, '-', sizeof(text));
	KTAP(zone_getattr(0, ZONE_ATTR_NAME, text, 3) == 7 && text[2] == 'o' && text[3] == '-', "a short buffer is filled, the whole size answered", "zone_getattr(3C)");
	KTAP(zone_getattr(0, ZONE_ATTR_ROOT, text, sizeof(text)) == 2 && !strcmp(text, "/"), "the root of the global zone is /", "zone_getattr(3C)");
	KTAP(zone_getattr(0, ZONE_ATTR_BRAND, text, sizeof(text)) > 0 && !strcmp(text, "native"), "the global zone is native", "brands(7)");
	KTAP_EQ(status_of(0), ZONE_IS_RUNNING, "the global zone is running", "zone_getattr(3C)");
	KTAP(fails(zone_getattr(0, 12345, text, sizeof(text)), EINVAL), "an unknown attribute is EINVAL", "zone_getattr(3C)");
	KTAP(fails(zone_getattr(MAX_ZONEID, ZONE_ATTR_NAME, text, 8), EINVAL), "an attribute of no zone is EINVAL", "zone_getattr(3C)");
	KTAP(fails(zone_getattr(0, ZONE_ATTR_NAME, (void *)8, 8), EFAULT), "a bad buffer is EFAULT", "zone_getattr(3C)");
	KTAP(fails(zone_getattr(0, ZONE_ATTR_HOSTID, &n, sizeof(n)), EINVAL), "no hostid is emulated unless it is set", "zonecfg(8)");
	KTAP(fails(syscall(SYS_zone, 99L), EINVAL), "an unknown subcode is EINVAL", "zone(2)");
}

static void refusals(void)
{
	zone_def def = {"ref", "/zones/ref/root", &privs, sizeof(privs), 0, 0, &extended, 0, 0, 0, 0, 0, 0};
	int st = -1;
	pid_t pid;

	make_root("ref", "/nothing");
	KTAP_EQ(in_child(as_user, ZONE_CREATE), EPERM, "a user makes no zone", "privileges(7)");
	KTAP_EQ(in_child(as_user, ZONE_BOOT), EPERM, "a user boots no zone", "privileges(7)");
	KTAP_EQ(in_child(as_user, ZONE_SHUTDOWN), EPERM, "a user shuts no zone down", "privileges(7)");
	KTAP_EQ(in_child(as_user, ZONE_DESTROY), EPERM, "a user destroys no zone", "privileges(7)");
	KTAP_EQ(in_child(as_user, ZONE_ENTER), EPERM, "a user enters no zone", "privileges(7)");
	KTAP_EQ(in_child(as_user, ZONE_SETATTR), EPERM, "a user changes no attribute", "privileges(7)");
	KTAP_EQ(in_child(as_user, ZONE_GETATTR), 0, "a user reads attributes", "zone_getattr(3C)");
	KTAP(fails(create("-bad", "/zones/ref/root"), EINVAL), "a name begins with a letter or digit", "zonecfg(8)");
	KTAP(fails(create("a/b", "/zones/ref/root"), EINVAL), "a name has no slash", "zonecfg(8)");
	KTAP(fails(create("ref", "/zones/nowhere"), ENOENT), "the root has to be there", "zone_create(3C)");
	KTAP_EQ(extended, ZE_UNKNOWN, "the extended error is stored", "zone_create(3C)");
	KTAP(fails(create("ref", "/zones/ref/root/sbin/init"), ENOENT) || errno == ENOTDIR, "the root is a directory", "zone_create(3C)");
	KTAP(fails(create("ref", "/"), EBUSY), "the root of the global zone is none", "zone_create(3C)");
	def.zone_privssz = 4;
	KTAP(fails(zone_create_def(&def), ENOMEM), "a privilege set that is too short is ENOMEM", "zone_create(3C)");
	def.zone_privssz = sizeof(privs);
	def.rctlbuf = "not a list";
	def.rctlbufsz = 10;
	KTAP(fails(zone_create_def(&def), EINVAL), "controls that are no nvlist are EINVAL", "zone_create(3C)");
	KTAP(fails(zone_create_def((zone_def *)8), EFAULT), "a bad definition is EFAULT", "zone_create(3C)");
	pid = fork();
	if (pid == 0) {
		syscall(SYS_chroot, "/zones");
		_exit(!(fails(create("ref", "/ref/root"), ENOTSUP) && extended == ZE_CHROOTED));
	}
	waitpid(pid, &st, 0);
	KTAP_EQ(st, 0, "no zone is made from within a chroot", "zone_create(3C)");
	KTAP(fails(zone_boot(0), EINVAL), "the global zone is not booted", "zone_boot(3C)");
	KTAP(fails(zone_shutdown(0), EINVAL), "the global zone is not shut down so", "zone_shutdown(3C)");
	KTAP(fails(zone_destroy(0), EINVAL), "the global zone is not destroyed", "zone_destroy(3C)");
	KTAP(fails(zone_enter(0), EINVAL), "the global zone is not entered", "zone_enter(3C)");
	KTAP(fails(zone_boot(MAX_ZONEID), EINVAL), "no zone of that id: EINVAL", "zone_boot(3C)");
	KTAP(fails(zone_setattr(0, ZONE_ATTR_BOOTARGS, "", 1), EINVAL), "the global zone's attributes stay", "zone_setattr(3C)");
}

static void attributes(zoneid_t id)
{
	char text[64] = "";
	uint64_t unique = 0, cap = 0;
	int number = -1, hostid = 0x1badcafe;
	zone_privs_t has = {{0, 0, 0}};

	KTAP_EQ(status_of(id), ZONE_IS_READY, "a new zone is ready", "zones(7)");
	KTAP(zone_getattr(id, ZONE_ATTR_ROOT, text, sizeof(text)) > 0 && !strcmp(text, ROOT1), "its root as the global zone sees it", "zone_getattr(3C)");
	KTAP(zone_getattr(id, ZONE_ATTR_BRAND, text, sizeof(text)) > 0 && !strcmp(text, "native"), "it is native until it is told otherwise", "brands(7)");
	KTAP(zone_getattr(id, ZONE_ATTR_UNIQID, &unique, sizeof(unique)) == 8 && unique, "it has a generation number", "zone_getattr(3C)");
	KTAP(fails(zone_getattr(id, ZONE_ATTR_INITPID, &number, sizeof(number)), ESRCH), "it has no init yet", "zone_getattr(3C)");
	KTAP(zone_getattr(id, ZONE_ATTR_POOLID, &number, sizeof(number)) == 4 && number == 0, "it is bound to the default pool", "pools(7)");
	KTAP(zone_getattr(id, ZONE_ATTR_INITNAME, text, sizeof(text)) > 0 && !strcmp(text, "/sbin/init"), "its init is /sbin/init", "zone_getattr(3C)");
	KTAP(zone_getattr(id, ZONE_ATTR_PRIVSET, &has, sizeof(has)) == sizeof(has) && !memcmp(&has, &privs, sizeof(has)), "its privileges are those it was made with", "privileges(7)");
	KTAP(zone_setattr(id, ZONE_ATTR_FS_ALLOWED, "ufs,nfs", 8) == 0 && zone_getattr(id, ZONE_ATTR_FS_ALLOWED, text, sizeof(text)) == 8 && !strcmp(text, "ufs,nfs"), "fs-allowed is kept", "zonecfg(8)");
	KTAP(zone_setattr(id, ZONE_ATTR_HOSTID, &hostid, sizeof(hostid)) == 0, "a hostid is set", "zonecfg(8)");
	KTAP(fails(zone_setattr(id, ZONE_ATTR_HOSTID, &hostid, 2), EINVAL), "a hostid is 4 bytes", "zonecfg(8)");
	KTAP(zone_setattr(id, ZONE_ATTR_SCHED_CLASS, "FSS", 4) == 0 && zone_getattr(id, ZONE_ATTR_SCHED_CLASS, text, sizeof(text)) == 4 && !strcmp(text, "FSS"), "the scheduling class is kept", "zonecfg(8)");
	KTAP(fails(zone_setattr(id, ZONE_ATTR_SCHED_CLASS, "XYZ", 4), EINVAL), "an unknown class is EINVAL", "zonecfg(8)");
	KTAP(fails(zone_setattr(id, ZONE_ATTR_BRAND, "nosuch", 7), EINVAL), "an unknown brand is EINVAL", "brands(7)");
	KTAP(zone_getattr(id, ZONE_ATTR_PHYS_MCAP, &cap, sizeof(cap)) == 8 && cap == 0, "without a cap the cap is 0", "rcapd(8)");
	KTAP(fails(zone_setattr(id, 12345, "", 1), EINVAL), "an unknown attribute is not set", "zone_setattr(3C)");
	KTAP(fails(create("one", "/zones/ref/root"), EEXIST), "a name is taken once", "zone_create(3C)");
	KTAP(fails(create("two", ROOT1), EBUSY), "a root is taken once", "zone_create(3C)");
	KTAP(fails(create("two", ROOT1 "/sbin"), EBUSY), "no root within another zone's", "zone_create(3C)");
	KTAP(fails(create("two", "/zones/one"), EBUSY), "no root around another zone's", "zone_create(3C)");
	KTAP(fails(zone_destroy(id), EBUSY), "a zone that is not down is not destroyed", "zone_destroy(3C)");
}

static void life(zoneid_t id)
{
	char args[64];
	int initpid = -1, zone;
	pid_t me = getpid();

	KTAP(shmget(KEY, 4096, IPC_CREAT | IPC_EXCL | 0600) >= 0, "the global zone makes a shared segment", "shmget(2)");
	snprintf(args, sizeof(args), "%d %d", me, ct_newest());
	boot_with(id, args);
	KTAP_EQ(status_of(id), ZONE_IS_RUNNING, "a booted zone is running", "zone_boot(3C)");
	KTAP(zone_getattr(id, ZONE_ATTR_INITPID, &initpid, sizeof(initpid)) == 4 && initpid > 0, "its init has a number in the one space of all zones", "zone_getattr(3C)");
	KTAP(fails(zone_boot(id), EINVAL), "a running zone is not booted", "zone_boot(3C)");
	KTAP(fails(zone_setattr(id, ZONE_ATTR_BOOTARGS, "", 1), EINVAL), "what is running keeps its attributes", "zone_setattr(3C)");
	KTAP_EQ(kill(initpid, 0), 0, "the global zone may signal its processes", "zones(7)");
	KTAP(read_saw("one", &saw, sizeof(saw)), "its init runs, and its files are the global zone's as well", "zones(7)");
	zone = saw.zoneid;
	KTAP_EQ(zone, id, "inside, getzoneid is the zone's id", "getzoneid(3C)");
	KTAP_EQ(saw.by_name, id, "inside, the zone finds itself", "getzoneidbyname(3C)");
	KTAP(saw.list == 1 && saw.listed == id, "inside, the list is the zone alone", "zone_list(3C)");
	KTAP_EQ(saw.root, 0, "inside, the root is /", "zone_getattr(3C)");
	KTAP_EQ(saw.lookup_global, EINVAL, "inside, the global zone is not found", "zones(7)");
	KTAP_EQ(saw.attr_global, EINVAL, "inside, other zones have no attributes", "zones(7)");
	KTAP_EQ(saw.create, EPERM, "root of a zone makes no zones", "privileges(7)");
	KTAP_EQ(saw.enter, EPERM, "root of a zone enters no zone", "privileges(7)");
	KTAP_EQ(saw.shutdown, EPERM, "root of a zone shuts no zone down", "privileges(7)");
	KTAP_EQ(saw.boot, EPERM, "root of a zone boots no zone", "privileges(7)");
	KTAP_EQ(saw.setattr, EPERM, "root of a zone changes no attribute", "privileges(7)");
	KTAP_EQ(saw.kill_global, ESRCH, "inside, processes of the global zone are not there to signal", "zones(7)");
	KTAP_EQ(saw.getpgid_global, ESRCH, "inside, processes of the global zone have no group", "zones(7)");
	KTAP_EQ(saw.contract, ENOENT, "inside, contracts of the global zone are not there", "contract(5)");
	KTAP_EQ(saw.shm, 0, "System V keys belong to a zone", "zones(7)");
	KTAP(saw.ppid != me && saw.ppid > 0, "the parent of init is the zone's zsched", "FORK-90");
	KTAP_EQ(saw.init_signal, 1, "no default action ends the init of a zone", "kill(2)");
	KTAP_EQ(saw.hostid, 0x1badcafe, "inside, the hostid is the emulated one", "zonecfg(8)");
}

static void ending(zoneid_t id)
{
	int initpid = -1, state;
	uint64_t first = 0, second = 0;
	zoneid_t again;

	zone_getattr(id, ZONE_ATTR_INITPID, &initpid, sizeof(initpid));
	zone_getattr(id, ZONE_ATTR_UNIQID, &first, sizeof(first));
	KTAP_EQ(zone_shutdown(id), 0, "zone_shutdown waits until all have gone", "zone_shutdown(3C)");
	KTAP_EQ(status_of(id), ZONE_IS_DOWN, "then the zone is down", "zone_shutdown(3C)");
	KTAP(fails(kill(initpid, 0), ESRCH), "its init has gone", "zone_shutdown(3C)");
	KTAP_EQ(zone_shutdown(id), 0, "a zone that is down is shut down", "zone_shutdown(3C)");
	KTAP_EQ(err(zone_enter(id)), EINVAL, "a zone that is down is not entered", "zone_enter(3C)");
	KTAP(fails(create("one", "/zones/ref/root"), EBUSY), "the name of a zone that is down is still taken", "zone_create(3C)");
	KTAP_EQ(zone_destroy(id), 0, "a zone that is down is destroyed", "zone_destroy(3C)");
	KTAP_EQ(status_of(id), -1, "and is not there any more", "zone_destroy(3C)");
	KTAP_EQ(shmget(KEY, 0, 0) >= 0, 1, "the segment of the global zone is still there", "shmget(2)");
	make_root("one", "/nothing");
	unlink(ROOT1 "/sbin/init");
	again = create("one", ROOT1);
	zone_getattr(again, ZONE_ATTR_UNIQID, &second, sizeof(second));
	KTAP(again > 0 && again != id && second > first, "name and root are free, the new zone is another one", "zone_create(3C)");
	KTAP(fails(zone_boot(again), ENOENT), "an init that is not there is the error of zone_boot", "zone_boot(3C)");
	state = status_of(again);
	KTAP(state >= ZONE_IS_SHUTTING_DOWN, "a zone that could not boot shuts down", "zone_boot(3C)");
	KTAP(zone_shutdown(again) == 0 && zone_destroy(again) == 0, "and is taken away", "zone_destroy(3C)");
}

int main(int argc, char **argv)
{
	zoneid_t id;

	if (getzoneid() != GLOBAL_ZONEID && argc > 2)
		look_around(atol(argv[1]), atol(argv[2]));
	default_privs();
	ktap_start("zone");
	copy(argv[0], "/self");
	looking();
	refusals();
	make_root("one", "/self");
	id = create("one", ROOT1);
	KTAP(id > 0, "zone_create answers an id above that of the global zone", "zone_create(3C)");
	attributes(id);
	life(id);
	ending(id);
	return ktap_end();
}
