/* Threads of POSIX: counting, waiting, one's own data, fork. */
#include "portable.h"

#include <pthread.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static pthread_key_t key;
static __thread int mine = 5;
static int count, turn, destroyed, prepared, in_parent, in_child;
static char log_[64];

static void *adder(void *arg)
{
	for (int i = 0; i < 200; i++) {
		pthread_mutex_lock(&m);
		count++;
		pthread_mutex_unlock(&m);
		mine++;
	}
	return (void *)((intptr_t)arg + mine);
}

static void *taker(void *arg)
{
	int me = (intptr_t)arg;

	for (int i = 0; i < 5; i++) {
		pthread_mutex_lock(&m);
		while (turn % 3 != me)
			pthread_cond_wait(&c, &m);
		log_[turn++] = 'a' + me;
		pthread_cond_broadcast(&c);
		pthread_mutex_unlock(&m);
	}
	return NULL;
}

static void destroy(void *value)
{
	destroyed += (intptr_t)value;
}

static void *keeper(void *arg)
{
	pthread_setspecific(key, arg);
	pthread_exit(pthread_getspecific(key));
}

static void prepare(void)
{
	prepared++;
}

static void parent(void)
{
	in_parent++;
}

static void child(void)
{
	in_child++;
}

int main(void)
{
	pthread_t t[4];
	void *result;

	for (intptr_t i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, adder, (void *)(i * 1000));
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &result);
		say("joined %d\n", (int)(intptr_t)result);
	}
	say("count %d, mine %d\n", count, mine);
	for (intptr_t i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, taker, (void *)i);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	say("turns %s\n", log_);
	pthread_key_create(&key, destroy);
	pthread_create(&t[0], NULL, keeper, (void *)17);
	pthread_join(t[0], &result);
	say("specific %d, destroyed %d\n", (int)(intptr_t)result, destroyed);
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 20000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_mutex_lock(&m);
	say("timed out %d\n", pthread_cond_timedwait(&c, &m, &until) == ETIMEDOUT);
	say("busy %d\n", pthread_mutex_trylock(&m) == EBUSY);
	pthread_mutex_unlock(&m);
	pthread_atfork(prepare, parent, child);
	pid_t pid = fork();

	if (pid == 0) {
		pthread_create(&t[0], NULL, adder, NULL);
		pthread_join(t[0], NULL);
		_exit(in_child * 100 + prepared * 10 + in_parent);
	}
	say_status("child", reap(pid));
	say("handlers %d %d %d\n", prepared, in_parent, in_child);
	return 0;
}
