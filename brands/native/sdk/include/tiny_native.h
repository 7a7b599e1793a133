/*
 * tiny_native.h - numbers of the native ABI (sys/signal.h, sys/fcntl.h ... of
 * illumos; the register convention is personae's own, see brands/native/abi.py).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TINY_NATIVE_H
#define TINY_NATIVE_H

#define BRAND_NAME "native"

#define ENAMETOOLONG 78
#define ENOSYS 89
#define ELOOP 90
#define ENOTEMPTY 93

#define SIGFPE 8
#define SIGBUS 10
#define SIGSYS 12
#define SIGUSR1 16
#define SIGUSR2 17
#define SIGCHLD 18
#define SIGSTOP 23
#define SIGTSTP 24
#define SIGCONT 25
#define NSIG 75

#define SA_ONSTACK 1
#define SA_RESETHAND 2
#define SA_RESTART 4
#define SA_SIGINFO 8
#define SA_NODEFER 0x10
#define SA_NOCLDWAIT 0x10000
#define SA_NOCLDSTOP 0x20000
#define SIG_BLOCK 1
#define SIG_UNBLOCK 2
#define SIG_SETMASK 3

#define O_APPEND 0x8
#define O_NONBLOCK 0x80
#define O_CREAT 0x100
#define O_TRUNC 0x200
#define O_EXCL 0x400
#define O_CLOEXEC 0x800000
#define O_DIRECTORY 0x1000000
#define AT_FDCWD ((int)0xffd19553)
#define MAP_ANON 0x100
#define MAP_NORESERVE 0x40

#define RLIMIT_NOFILE 5
#define P_PID 0
#define P_PGID 2
#define P_ALL 7
#define WEXITED 1
#define WUNTRACED 4
#define WCONTINUED 8
#define WNOHANG 64
#define WNOWAIT 128

#define SYS_exit 1
#define SYS_read 3
#define SYS_write 4
#define SYS_close 6
#define SYS_unlink 10
#define SYS_symlinkat 11
#define SYS_chdir 12
#define SYS_lseek 19
#define SYS_getpid 20
#define SYS_getuid 24
#define SYS_alarm 27
#define SYS_kill 37
#define SYS_pgrpsys 39
#define SYS_pipe 42
#define SYS_ioctl 54
#define SYS_uadmin 55
#define SYS_execve 59
#define SYS_fcntl 62
#define SYS_openat 68
#define SYS_rmdir 79
#define SYS_mkdir 80
#define SYS_sigprocmask 95
#define SYS_sigsuspend 96
#define SYS_sigaltstack 97
#define SYS_sigaction 98
#define SYS_sigpending 99
#define SYS_context 100
#define SYS_waitid 107
#define SYS_sigsendsys 108
#define SYS_mmap 115
#define SYS_mprotect 116
#define SYS_munmap 117
#define SYS_vfork 119
#define SYS_fchdir 120
#define SYS_setrlimit 128
#define SYS_rename 134
#define SYS_forksys 142
#define SYS_yield 146
#define SYS_lwp_create 159
#define SYS_lwp_exit 160
#define SYS_sigqueue 190
#define SYS_nanosleep 199
#define SYS_door 201
#define SYS_getcwd 229

/* forksys subcodes and flags */
#define FORKSYS_FORK1 0
#define FORKSYS_FORKALL 1
#define FORKSYS_VFORK 2
#define FORK_NOSIGCHLD 1
#define FORK_WAITPID 2

/* for hostile guests: what signals others, what ends the caller, the highest number */
#define SYSCALLS_TO_OTHERS SYS_kill, SYS_sigsendsys, SYS_sigqueue, SYS_uadmin
#define SYSCALLS_TO_EXIT SYS_exit, SYS_lwp_exit
#define SYSCALLS_MAX 256

#ifndef __ASSEMBLER__
pid_t forkx(int flags);
long syscall_rval2(long number, long a0, long *rval2); /* two-value calls */
#endif

#endif
