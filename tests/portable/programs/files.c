/* Files and folders: making, naming, removing, and how each of it fails. */
#include "portable.h"

static char top[] = "/tmp/portableXXXXXX";

static void show(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == -1) {
		say("%s: %s\n", path, error_name(errno));
		return;
	}
	say("%s: %s %o", path,
	    S_ISDIR(st.st_mode)    ? "folder"
	    : S_ISREG(st.st_mode)  ? "file"
	    : S_ISLNK(st.st_mode)  ? "link"
	    : S_ISFIFO(st.st_mode) ? "fifo"
				   : "other",
	    S_ISLNK(st.st_mode) ? 0 : (unsigned)st.st_mode & 07777);
	if (S_ISREG(st.st_mode))
		say(" size %ld links %d", (long)st.st_size, (int)st.st_nlink);
	say("\n");
}

int main(void)
{
	char buf[64];

	umask(022);
	if (!mkdtemp(top) || chdir(top) == -1)
		return 1;
	say("mkdir %s", outcome(mkdir("d", 0777)));
	say(" again %s", outcome(mkdir("d", 0777)));
	say(" below nothing %s\n", outcome(mkdir("x/y", 0777)));
	int fd = open("d/f", O_CREAT | O_RDWR | O_EXCL, 0666);

	say("create %d, again %s\n", fd >= 0, outcome(open("d/f", O_CREAT | O_EXCL, 0666)));
	say("write %zd", write(fd, "abc", 3));
	say(", hole %ld", (long)lseek(fd, 1000, SEEK_SET));
	say(", write %zd\n", write(fd, "z", 1));
	show("d");
	show("d/f");
	say("truncate %s\n", outcome(ftruncate(fd, 2)));
	show("d/f");
	say("hard link %s", outcome(link("d/f", "g")));
	say(" symbolic %s", outcome(symlink("d/f", "s")));
	say(" fifo %s\n", outcome(mkfifo("p", 0600)));
	show("g");
	show("s");
	show("p");
	ssize_t n = readlink("s", buf, sizeof buf);

	say("readlink %zd %.*s\n", n, (int)n, buf);
	say("readlink of a file %s\n", outcome(readlink("g", buf, sizeof buf)));
	int full = rmdir("d"); /* EEXIST or ENOTEMPTY, POSIX has both */

	say("rmdir full %d\n", full == -1 && (errno == EEXIST || errno == ENOTEMPTY));
	say("rename %s", outcome(rename("g", "h")));
	say(" onto a folder %s", outcome(rename("h", "d")));
	say(" folder onto a file %s\n", outcome(rename("d", "h")));
	say("unlink %s", outcome(unlink("d/f")));
	say(" gone %s", outcome(unlink("d/f")));
	say(" dangling %s\n", outcome(open("s", O_RDONLY)));
	say("open file has %ld\n", (long)lseek(fd, 0, SEEK_END));
	show("h");
	say("chmod %s\n", outcome(chmod("h", 0640)));
	show("h");
	say("access %s", outcome(access("h", R_OK | W_OK)));
	say(" %s\n", outcome(access("nothing", F_OK)));
	say("open folder for writing %s\n", outcome(open("d", O_WRONLY)));
	say("a file as folder %s", outcome(open("h/x", O_RDONLY)));
	say(" %s\n", outcome(chdir("h")));
	say("rmdir %s", outcome(rmdir("d")));
	say(" of a file %s\n", outcome(rmdir("h")));
	unlink("h");
	unlink("s");
	unlink("p");
	say("end %s", outcome(chdir("/")));
	say(" %s\n", outcome(rmdir(top)));
	return 0;
}
