/*
 * zonelib.h - for the programs about zones: what makes a zone with the program
 * itself as its init, and what such an init leaves in /saw of the zone's root.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ZONELIB_H
#define ZONELIB_H

#include "ktap.h"
#include "ct.h"
#include <sys/zone.h>

#ifndef ENOTSUP
#define ENOTSUP 48
#endif
#define SYS_setuid 23
#define SYS_chroot 61
#define SYS_shmsys 52
#define SYS_rctlsys 74
#define SHMGET 3
#define IPC_CREAT 01000
#define IPC_EXCL 02000
#define IPC_RMID 10
#define KEY 0x7a6f6e65

static zone_privs_t privs;
static int extended;

static inline int fails(long r, int want)
{
	return r == -1 && errno == want;
}

static inline void pause_for_ever(void)
{
	for (;;)
		msleep(3600000);
}

/* what a zone has by default: the privileges up to sys_share */
static inline void default_privs(void)
{
	privs.bits[0] = 0xffffffff;
	privs.bits[1] = 0xff000000;
}

static inline int status_of(zoneid_t id)
{
	int state = -1;

	zone_getattr(id, ZONE_ATTR_STATUS, &state, sizeof(state));
	return state;
}

static inline long shmget(long key, long size, int flags)
{
	return syscall(SYS_shmsys, SHMGET, key, size, (long)flags);
}

static inline void write_saw(const void *data, size_t size)
{
	int fd = open("/saw.new", O_WRONLY | O_CREAT | O_TRUNC, 0644);

	write(fd, data, size);
	close(fd);
	rename("/saw.new", "/saw");
}

/* the error of a call, or 0 */
static inline int err(long r)
{
	return r == -1 ? errno : 0;
}


static inline int copy(const char *from, const char *to)
{
	char buf[4096];
	int in = open(from, O_RDONLY, 0), out;
	ssize_t n;

	unlink(to);
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	if (in == -1 || out == -1)
		return -1;
	while ((n = read(in, buf, sizeof(buf))) > 0)
		write(out, buf, n);
	close(in);
	close(out);
	return 0;
}

/* the root of a zone, with `program` as its init */
static inline void make_root(const char *name, const char *program)
{
	static const char *const parts[] = {"", "/root", "/root/sbin"};
	char path[128];

	mkdir("/zones", 0755);
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "/zones/%s%s", name, parts[i]);
		mkdir(path, 0755);
	}
	snprintf(path, sizeof(path), "/zones/%s/root/sbin/init", name);
	copy(program, path);
	snprintf(path, sizeof(path), "/zones/%s/root/saw", name);
	unlink(path);
}

static inline zoneid_t create(const char *name, const char *root)
{
	zone_def def = {name, root, &privs, sizeof(privs), 0, 0, &extended, 0, 0, 0, 0, 0, 0};

	extended = -1;
	return zone_create_def(&def);
}

/* wait for what the init of a zone saw */
static inline int read_saw(const char *name, void *data, size_t size)
{
	char path[128];

	snprintf(path, sizeof(path), "/zones/%s/root/saw", name);
	for (int i = 0; i < 1000; i++) {
		int fd = open(path, O_RDONLY, 0);

		if (fd != -1) {
			ssize_t n = read(fd, data, size);

			close(fd);
			return n == (ssize_t)size;
		}
		msleep(1);
	}
	return 0;
}

static inline void boot_with(zoneid_t id, const char *args)
{
	zone_setattr(id, ZONE_ATTR_BOOTARGS, args, strlen(args) + 1);
	if (zone_boot(id) == -1)
		printf("# zone_boot %d: errno %d\n", id, errno);
}

/* run in a child that has a contract of its own (zlogin(1)); its exit status */
static inline int in_contract(int (*run)(long), long arg)
{
	int tmpl = ct_template(), st = -1;
	pid_t pid;

	ct_ioctl(tmpl, CT_TACTIVATE, NULL);
	pid = fork();
	ct_ioctl(tmpl, CT_TCLEAR, NULL);
	if (pid == 0)
		_exit(run(arg));
	close(tmpl);
	waitpid(pid, &st, 0);
	ct_ctl(ct_newest(), CT_CABANDON, 0);
	return WIFEXITED(st) ? WEXITSTATUS(st) : -WTERMSIG(st);
}

static inline int in_child(int (*run)(long), long arg)
{
	int st = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(run(arg));
	waitpid(pid, &st, 0);
	return WIFEXITED(st) ? WEXITSTATUS(st) : -WTERMSIG(st);
}

#endif
