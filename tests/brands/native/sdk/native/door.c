/* Doors of the library: a pool that grows, private servers, results of any size. */
#include <door.h>
#include <procfs.h>
#include <stdio.h>
#include <string.h>
#include <thread.h>
#include <unistd.h>

static char big[100000];
static volatile int told, created;

static void serve(void *cookie, char *argp, size_t size, door_desc_t *dp, unsigned n)
{
	ucred_t *uc = NULL;
	door_arg_t again = {"i", 1, NULL, 0, NULL, 0};

	(void)dp, (void)n;
	if (argp == DOOR_UNREF_DATA) {
		told++;
		door_return(NULL, 0, NULL, 0);
	}
	if (*argp == 'n') { /* a call from within a call: another server is there */
		door_call(*(int *)cookie, &again);
		door_return(again.data_ptr, again.data_size, NULL, 0);
	}
	if (*argp == 'b') {
		memset(big, 'B', sizeof big);
		door_return(big, sizeof big, NULL, 0);
	}
	if (*argp == 'u') {
		door_ucred(&uc);
		door_return((char *)&uc->uc_pid, 4, NULL, 0);
	}
	argp[0]++;
	door_return(argp, size, NULL, 0);
}

static int private = -1;

static void *private_server(void *unused)
{
	(void)unused;
	while (private == -1)
		thr_yield();
	door_bind(private);
	door_return(NULL, 0, NULL, 0);
	return NULL;
}

static void create(door_info_t *info)
{
	created++;
	if (info && info->di_attributes & DOOR_PRIVATE)
		thr_create(NULL, 0, private_server, NULL, THR_DAEMON, NULL);
}

int main(void)
{
	static int did;
	char buf[16];
	door_arg_t a;

	did = door_create(serve, &did, DOOR_UNREF);
	for (int i = 0; i < 1000; i++) {
		char arg[64] = "a";

		a = (door_arg_t){arg, sizeof arg, NULL, 0, arg, sizeof arg};
		if (door_call(did, &a) == -1 || arg[0] != 'b')
			return 1;
	}
	a = (door_arg_t){"n", 1, NULL, 0, buf, sizeof buf};
	printf("%d", door_call(did, &a));
	printf(" %.*s\n", (int)a.data_size, a.data_ptr);
	a = (door_arg_t){"b", 1, NULL, 0, buf, sizeof buf};
	printf("%d", door_call(did, &a));
	printf(" %zu %d\n", a.data_size, a.data_ptr[sizeof big - 1] == 'B' && a.rbuf != buf);
	a = (door_arg_t){"u", 1, NULL, 0, buf, sizeof buf};
	door_call(did, &a);
	printf("%d\n", *(int *)a.data_ptr == getpid());
	close(dup(did));
	while (!told)
		thr_yield();
	printf("told %d\n", told);
	door_server_create(create);
	private = door_create(serve, NULL, DOOR_PRIVATE);
	a = (door_arg_t){"x", 1, NULL, 0, buf, sizeof buf};
	printf("%d", door_call(private, &a));
	printf(" %.1s %d\n", a.data_ptr, created > 0);
	printf("%zu %zu\n", sizeof(pstatus_t), sizeof(psinfo_t));
	return 0;
}
