/*
 * user.h - what a program of xv6-riscv sees: its 21 system calls, and checks.
 *
 * The names, numbers and structures are xv6's; the text is our own.
 * SPDX-License-Identifier: MIT
 */
#ifndef USER_H
#define USER_H

typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long uint64;

#define O_RDONLY 0x000
#define O_WRONLY 0x001
#define O_RDWR 0x002
#define O_CREATE 0x200
#define O_TRUNC 0x400

#define T_DIR 1
#define T_FILE 2
#define T_DEVICE 3
#define DIRSIZ 14
#define PGSIZE 4096
#define CONSOLE 1

struct stat {
	int dev;
	uint ino;
	short type;
	short nlink;
	uint64 size;
};

struct dirent {
	ushort inum;
	char name[DIRSIZ];
};

int fork(void);
void exit(int status) __attribute__((noreturn));
int wait(int *status);
int pipe(int *fds);
int write(int fd, const void *buf, int n);
int read(int fd, void *buf, int n);
int close(int fd);
int kill(int pid);
int exec(const char *path, char **argv);
int open(const char *path, int mode);
int mknod(const char *path, short major, short minor);
int unlink(const char *path);
int fstat(int fd, struct stat *st);
int link(const char *old, const char *new);
int mkdir(const char *path);
int chdir(const char *path);
int dup(int fd);
int getpid(void);
char *sbrk(int n);
int sleep(int ticks);
int uptime(void);
long nosuchcall(void);

/* The library. */
uint strlen(const char *s);
int strcmp(const char *a, const char *b);
void *memset(void *p, int c, uint n);
void *memcpy(void *to, const void *from, uint n);
void puts(const char *s);  /* to descriptor 1, as it is */
void putn(long n);

/* Checks, printed as KTAP; `cite` says which file of xv6's kernel they are about. */
void cite(const char *file);
void check(int ok, const char *what);
void check_eq(long got, long want, const char *what);
int done(void); /* prints the plan; 0 when all passed */

#endif
