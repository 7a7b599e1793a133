/* Several processes work in one piece of memory. */
#include "portable.h"

#define N 4
#define ROUNDS 500

struct shared {
	int count, turn;
	char log[N * 8 + 1];
	int used;
};

static void add(struct shared *s)
{
	for (int i = 0; i < ROUNDS; i++)
		__atomic_fetch_add(&s->count, 1, __ATOMIC_SEQ_CST);
}

int main(void)
{
	struct shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANON,
				-1, 0);

	for (int i = 0; i < N; i++)
		if (fork() == 0) {
			add(s);
			_exit(0);
		}
	for (int i = 0; i < N; i++)
		wait(NULL);
	say("count %d\n", s->count);
	/* In turn: each waits for its number. */
	for (int i = 0; i < N; i++)
		if (fork() == 0) {
			for (int round = 0; round < 8; round++) {
				while (__atomic_load_n(&s->turn, __ATOMIC_SEQ_CST) % N != i)
					pause_ms(1);
				s->log[s->used++] = 'a' + i;
				__atomic_fetch_add(&s->turn, 1, __ATOMIC_SEQ_CST);
			}
			_exit(i);
		}
	int status, sum = 0;

	while (wait(&status) > 0)
		sum += WEXITSTATUS(status);
	say("log %s, sum %d\n", s->log, sum);
	/* A grandchild has it as well, and what is mapped later is one's own. */
	int *later;
	pid_t pid = fork();

	if (pid == 0) {
		later = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANON, -1, 0);
		*later = 1;
		pid = fork();
		if (pid == 0) {
			s->count = 77;
			*later = 2;
			_exit(0);
		}
		reap(pid);
		_exit(*later);
	}
	say_status("child", reap(pid));
	say("count %d\n", s->count);
	/* Unmapped by a child: the parent has it still. */
	pid = fork();
	if (pid == 0)
		_exit(munmap(s, sizeof *s));
	say_status("unmapped", reap(pid));
	s->count++;
	say("count %d\n", s->count);
	return 0;
}
