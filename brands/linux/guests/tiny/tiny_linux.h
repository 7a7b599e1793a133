/*
 * tiny_linux.h - numbers of riscv64 Linux (asm-generic).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TINY_LINUX_H
#define TINY_LINUX_H

#define BRAND_NAME "linux"

#define ENAMETOOLONG 36
#define ENOSYS 38
#define ENOTEMPTY 39
#define ELOOP 40

#define SIGBUS 7
#define SIGFPE 8
#define SIGUSR1 10
#define SIGUSR2 12
#define SIGCHLD 17
#define SIGCONT 18
#define SIGSTOP 19
#define SIGTSTP 20
#define SIGSYS 31
#define NSIG 65

#define SA_NOCLDSTOP 1
#define SA_NOCLDWAIT 2
#define SA_SIGINFO 4
#define SA_ONSTACK 0x08000000
#define SA_RESTART 0x10000000
#define SA_NODEFER 0x40000000
#define SA_RESETHAND ((int)0x80000000)
#define SIG_BLOCK 0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2

#define O_CREAT 0x40
#define O_EXCL 0x80
#define O_TRUNC 0x200
#define O_APPEND 0x400
#define O_NONBLOCK 0x800
#define O_DIRECTORY 0x10000
#define O_CLOEXEC 0x80000
#define AT_FDCWD -100
#define AT_REMOVEDIR 0x200
#define MAP_ANON 0x20
#define MAP_NORESERVE 0x4000

#define RLIMIT_NOFILE 7
#define P_ALL 0
#define P_PID 1
#define P_PGID 2
#define WNOHANG 1
#define WUNTRACED 2
#define WEXITED 4
#define WCONTINUED 8
#define WNOWAIT 0x01000000

#define CLONE_VM 0x100
#define CLONE_VFORK 0x4000

#define SYS_getcwd 17
#define SYS_dup 23
#define SYS_fcntl 25
#define SYS_mkdirat 34
#define SYS_unlinkat 35
#define SYS_symlinkat 36
#define SYS_renameat2 276
#define SYS_chdir 49
#define SYS_fchdir 50
#define SYS_openat 56
#define SYS_close 57
#define SYS_pipe2 59
#define SYS_lseek 62
#define SYS_read 63
#define SYS_write 64
#define SYS_readlinkat 78
#define SYS_exit 93
#define SYS_exit_group 94
#define SYS_waitid 95
#define SYS_nanosleep 101
#define SYS_setitimer 103
#define SYS_sched_yield 124
#define SYS_kill 129
#define SYS_tkill 130
#define SYS_tgkill 131
#define SYS_sigaltstack 132
#define SYS_rt_sigsuspend 133
#define SYS_rt_sigaction 134
#define SYS_rt_sigprocmask 135
#define SYS_rt_sigpending 136
#define SYS_rt_sigqueueinfo 138
#define SYS_rt_sigreturn 139
#define SYS_reboot 142
#define SYS_setpgid 154
#define SYS_getpgid 155
#define SYS_setsid 157
#define SYS_setrlimit 164
#define SYS_getpid 172
#define SYS_getppid 173
#define SYS_getuid 174
#define SYS_brk 214
#define SYS_munmap 215
#define SYS_clone 220
#define SYS_execve 221
#define SYS_mmap 222
#define SYS_mprotect 226
#define SYS_rt_tgsigqueueinfo 240
#define SYS_wait4 260
#define SYS_pidfd_send_signal 424
#define SYS_clone3 435

/* for hostile guests: what signals others, what ends the caller, the highest number */
#define SYSCALLS_TO_OTHERS                                                     \
	SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo,                  \
		SYS_rt_tgsigqueueinfo, SYS_pidfd_send_signal, SYS_reboot
#define SYSCALLS_TO_EXIT SYS_exit, SYS_exit_group
#define SYSCALLS_MAX 460

#endif
