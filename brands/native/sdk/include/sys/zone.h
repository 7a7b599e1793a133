/*
 * sys/zone.h - zones: the numbers and structures of zone(2), and its calls as
 * functions (illumos: sys/zone.h, zone.h).  Making, changing and entering a zone
 * takes every privilege: root of the global zone has them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SYS_ZONE_H
#define SYS_ZONE_H

#include <stddef.h>
#include <stdint.h>

#define SYS_zone 227

#define GLOBAL_ZONEID 0
#define MAX_ZONEID 9999
#define ZONENAME_MAX 64
#define ALL_ZONES (-1)

#define ZONE_CREATE 0
#define ZONE_DESTROY 1
#define ZONE_GETATTR 2
#define ZONE_ENTER 3
#define ZONE_LIST 4
#define ZONE_SHUTDOWN 5
#define ZONE_LOOKUP 6
#define ZONE_BOOT 7
#define ZONE_VERSION 8
#define ZONE_SETATTR 9

#define ZONE_ATTR_ROOT 1
#define ZONE_ATTR_NAME 2
#define ZONE_ATTR_STATUS 3
#define ZONE_ATTR_PRIVSET 4
#define ZONE_ATTR_UNIQID 5
#define ZONE_ATTR_POOLID 6
#define ZONE_ATTR_INITPID 7
#define ZONE_ATTR_SLBL 8
#define ZONE_ATTR_INITNAME 9
#define ZONE_ATTR_BOOTARGS 10
#define ZONE_ATTR_BRAND 11
#define ZONE_ATTR_PHYS_MCAP 12
#define ZONE_ATTR_SCHED_CLASS 13
#define ZONE_ATTR_FLAGS 14
#define ZONE_ATTR_HOSTID 15
#define ZONE_ATTR_FS_ALLOWED 16

#define ZCF_NET_EXCL 1
#define ZF_NET_EXCL 8

#define ZE_UNKNOWN 0
#define ZE_CHROOTED 1
#define ZE_AREMOUNTS 2

typedef int zoneid_t;

typedef enum {
	ZONE_IS_UNINITIALIZED = 0,
	ZONE_IS_INITIALIZED,
	ZONE_IS_READY,
	ZONE_IS_BOOTING,
	ZONE_IS_RUNNING,
	ZONE_IS_SHUTTING_DOWN,
	ZONE_IS_EMPTY,
	ZONE_IS_DOWN,
	ZONE_IS_DYING,
	ZONE_IS_DEAD
} zone_status_t;

/* a privilege set: priv_set_t in memory (brands/native/privset.py) */
typedef struct {
	uint32_t bits[3];
} zone_privs_t;

typedef struct {
	const char *zone_name;
	const char *zone_root;
	const void *zone_privs;
	size_t zone_privssz;
	const char *rctlbuf; /* a packed nvlist, or none */
	size_t rctlbufsz;
	int *extended_error;
	const char *zfsbuf;
	size_t zfsbufsz;
	int match;
	uint32_t doi;
	const void *label;
	int flags;
} zone_def;

long syscall(long number, ...);

static inline zoneid_t getzoneid(void)
{
	return (zoneid_t)syscall(SYS_zone, ZONE_LOOKUP, NULL);
}

static inline zoneid_t getzoneidbyname(const char *name)
{
	return (zoneid_t)syscall(SYS_zone, ZONE_LOOKUP, name);
}

static inline zoneid_t zone_create_def(const zone_def *def)
{
	return (zoneid_t)syscall(SYS_zone, ZONE_CREATE, def);
}

static inline int zone_boot(zoneid_t id)
{
	return (int)syscall(SYS_zone, ZONE_BOOT, (long)id);
}

static inline int zone_shutdown(zoneid_t id)
{
	return (int)syscall(SYS_zone, ZONE_SHUTDOWN, (long)id);
}

static inline int zone_destroy(zoneid_t id)
{
	return (int)syscall(SYS_zone, ZONE_DESTROY, (long)id);
}

static inline int zone_enter(zoneid_t id)
{
	return (int)syscall(SYS_zone, ZONE_ENTER, (long)id);
}

static inline long zone_getattr(zoneid_t id, int attr, void *buf, size_t size)
{
	return syscall(SYS_zone, ZONE_GETATTR, (long)id, (long)attr, buf, size);
}

static inline int zone_setattr(zoneid_t id, int attr, const void *buf, size_t size)
{
	return (int)syscall(SYS_zone, ZONE_SETATTR, (long)id, (long)attr, buf, size);
}

static inline int zone_list(zoneid_t *ids, unsigned *count)
{
	return (int)syscall(SYS_zone, ZONE_LIST, ids, count);
}

static inline int zone_version(int *version)
{
	return (int)syscall(SYS_zone, ZONE_VERSION, version);
}

#endif
