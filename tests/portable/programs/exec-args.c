/* exec: arguments, environment, and what of the process stays. */
#include "portable.h"

extern char **environ;

static int second(int argc, char **argv)
{
	say("second: %d arguments\n", argc);
	for (int i = 0; i < argc; i++)
		say("  [%s]\n", i ? argv[i] : "self");
	int n = 0;

	while (environ[n])
		n++;
	say("environment %d, A=%s B=%s\n", n, getenv("A") ? getenv("A") : "none",
	    getenv("B") ? getenv("B") : "none");
	char cwd[64];

	say("folder %s, mask %o\n", getcwd(cwd, sizeof cwd), umask(0));
	return getppid() == atol(getenv("PARENT")) && getpid() == atol(getenv("SELF")) ? 11 : 12;
}

static char *number(const char *name, long n)
{
	char *text = malloc(40);

	snprintf(text, 40, "%s=%ld", name, n);
	return text;
}

int main(int argc, char **argv)
{
	char longest[3000];

	if (argc > 1)
		return second(argc, argv);
	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = 0;
	char *args[] = {argv[0], "one", "", "two words", "-x", longest, NULL};

	for (int round = 0; round < 2; round++) {
		long parent = getpid();
		pid_t pid = fork();

		if (pid == 0) {
			char *env[] = {"A=1", round ? "B=" : "B=2 3", number("PARENT", parent),
				       number("SELF", getpid()), NULL};

			if (chdir("/tmp") == -1)
				return 1;
			umask(round ? 077 : 022);
			execve(argv[0], args, env);
			say("execve: %s\n", error_name(errno));
			_exit(1);
		}
		say_status("second", reap(pid));
	}
	setenv("PARENT", number("", getpid()) + 1, 1);
	pid_t pid = fork();

	if (pid == 0) {
		environ = NULL;
		putenv("A=kept");
		putenv(number("PARENT", getppid()));
		putenv(number("SELF", getpid()));
		if (chdir("/") == -1)
			return 1;
		execl(argv[0], "name", "last", (char *)NULL);
		_exit(1);
	}
	say_status("execl", reap(pid));
	return 0;
}
