/*
 * nsys.h - system calls and structures of illumos by number, for the conformance
 * programs: sys/syscall.h, sys/fcntl.h, sys/stat.h, sys/termios.h, sys/poll.h,
 * sys/port.h, sys/priv.h, sys/time.h, LP64.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NSYS_H
#define NSYS_H

#include "ktap.h"

#define N_link 9
#define N_time 13
#define N_mknod 14
#define N_chmod 15
#define N_chown 16
#define N_stat 18
#define N_readlinkat 22
#define N_setuid 23
#define N_stime 25
#define N_fstat 28
#define N_access 33
#define N_times 43
#define N_faccessat 45
#define N_setgid 46
#define N_getgid 47
#define N_mknodat 48
#define N_ioctl 54
#define N_fchownat 56
#define N_utssys 57
#define N_fdsync 58
#define N_umask 60
#define N_ulimit 63
#define N_renameat 64
#define N_unlinkat 65
#define N_fstatat 66
#define N_getpagesizes 73
#define N_sendfilev 78
#define N_getdents 81
#define N_privsys 82
#define N_ucredsys 83
#define N_lstat 88
#define N_symlink 89
#define N_readlink 90
#define N_setgroups 91
#define N_getgroups 92
#define N_fchmod 93
#define N_fchown 94
#define N_fchmodat 101
#define N_mkdirat 102
#define N_statvfs 103
#define N_fstatvfs 104
#define N_getloadavg 105
#define N_sigsendsys 108
#define N_utimesys 110
#define N_pathconf 113
#define N_mincore 114
#define N_fpathconf 118
#define N_readv 121
#define N_writev 122
#define N_preadv 123
#define N_pwritev 124
#define N_setrlimit 128
#define N_getrlimit 129
#define N_lchown 130
#define N_memcntl 131
#define N_setegid 136
#define N_sysconfig 137
#define N_adjtime 138
#define N_systeminfo 139
#define N_seteuid 141
#define N_sigtimedwait 144
#define N_gettimeofday 156
#define N_getitimer 157
#define N_setitimer 158
#define N_pread 173
#define N_pwrite 174
#define N_rusagesys 181
#define N_port 182
#define N_pollsys 183
#define N_clock_gettime 191
#define N_clock_settime 192
#define N_clock_getres 193
#define N_timer_create 194
#define N_timer_delete 195
#define N_timer_settime 196
#define N_timer_gettime 197
#define N_timer_getoverrun 198
#define N_setreuid 202
#define N_setregid 203
#define N_resolvepath 209

#define EBUSY 16
#define ENXIO 6
#define EXDEV 18
#define ENOTTY 25
#define ESPIPE 29
#define ERANGE 34
#define EMLINK 31
#define EDEADLK 45
#define ENOTSUP 48
#define ETIME 62
#define EBADFD 81
#define EOPNOTSUPP 122

#define O_NDELAY 0x4
#define O_NOCTTY 0x800
#define O_XATTR 0x4000
#define O_NOFOLLOW 0x20000
#define O_NOLINKS 0x40000
#define O_ACCMODE 3
#define F_SETLK 6
#define F_SETLKW 7
#define F_DUP2FD 9
#define F_FREESP 11
#define F_GETLK 14
#define F_DUP2FD_CLOEXEC 36
#define F_DUPFD_CLOEXEC 37
#define F_GETXFL 45
#define F_OFD_GETLK 47
#define F_OFD_SETLK 48
#define F_RDLCK 1
#define F_WRLCK 2
#define F_UNLCK 3
#define AT_REMOVEDIR 1
#define AT_EACCESS 4
#define AT_SYMLINK_NOFOLLOW 0x1000
#define S_IFMT 0170000
#define S_IFIFO 0010000
#define S_IFDIR 0040000
#define S_IFREG 0100000
#define S_IFLNK 0120000

struct nstat {
	uint64_t st_dev, st_ino;
	uint32_t st_mode, st_nlink, st_uid, st_gid;
	uint64_t st_rdev;
	int64_t st_size;
	struct timespec st_atim, st_mtim, st_ctim;
	int32_t st_blksize, pad;
	int64_t st_blocks;
	char st_fstype[16];
};

struct ndirent {
	uint64_t d_ino;
	int64_t d_off;
	uint16_t d_reclen;
	char d_name[];
};

struct nflock {
	int16_t l_type, l_whence;
	int64_t l_start, l_len;
	int32_t l_sysid, l_pid;
	int64_t l_pad[4];
};

struct nstatvfs {
	uint64_t f_bsize, f_frsize, f_blocks, f_bfree, f_bavail, f_files, f_ffree,
		f_favail, f_fsid;
	char f_basetype[16];
	uint64_t f_flag, f_namemax;
	char f_fstr[32];
};

struct niovec {
	void *iov_base;
	size_t iov_len;
};

static inline int nstat(const char *path, struct nstat *sb)
{
	return syscall(N_stat, path, sb);
}

/* Whether a call has failed as it should. */
#define FAILS(call, err) (errno = 0, (call) == -1 && errno == (err))

#endif
