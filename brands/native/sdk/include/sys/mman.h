/*
 * sys/mman.h - mappings.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef _SYS_MMAN_H
#define _SYS_MMAN_H

#include <sys/types.h>
#define PROT_NONE 0
#define PROT_READ 1
#define PROT_WRITE 2
#define PROT_EXEC 4
#define MAP_SHARED 1
#define MAP_PRIVATE 2
#define MAP_TYPE 0xf
#define MAP_FIXED 0x10
#define MAP_NORESERVE 0x40
#define MAP_ANON 0x100
#define MAP_ANONYMOUS MAP_ANON
#define MAP_ALIGN 0x200
#define MAP_TEXT 0x400
#define MAP_INITDATA 0x800
#define MAP_FAILED ((void *)-1)
#define MS_SYNC 4
#define MS_ASYNC 1
#define MS_INVALIDATE 2
#define MC_SYNC 1
#define MC_LOCK 2
#define MC_UNLOCK 3
#define MC_ADVISE 4
#define MC_LOCKAS 5
#define MC_UNLOCKAS 6
#define MADV_NORMAL 0
#define MADV_RANDOM 1
#define MADV_SEQUENTIAL 2
#define MADV_WILLNEED 3
#define MADV_DONTNEED 4
#define MADV_FREE 5
#define MADV_ACCESS_DEFAULT 6
#define MADV_ACCESS_LWP 7
#define MADV_ACCESS_MANY 8
#define MADV_PURGE 9
#define MCL_CURRENT 1
#define MCL_FUTURE 2
void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off);
int munmap(void *addr, size_t len);
int mprotect(void *addr, size_t len, int prot);
int msync(void *addr, size_t len, int flags);
int madvise(void *addr, size_t len, int advice);
int mlock(const void *addr, size_t len);
int munlock(const void *addr, size_t len);
int mlockall(int flags);
int munlockall(void);
int memcntl(void *addr, size_t len, int cmd, void *arg, int attr, int mask);

#endif
