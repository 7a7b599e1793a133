"""Resource controls as programs meet them: time, files, memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from personae.core.machine import Machine
from personae.core.rctl import RctlLocal, RctlPriv, RctlVal, rctl_value
from personae.core.rctlsys import RctlSetFlag, rctl_global_set, rctl_set
from personae.core.signo import Sig

CPU_TIME = r"""
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
static volatile int *hits;
static void on(int sig) { (void)sig; ++*hits; }
int main(void)
{
    hits = mmap(0, 4096, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int st;
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit lim = {1, 2};
        setrlimit(RLIMIT_CPU, &lim);
        signal(SIGXCPU, on);
        for (;;)
            ;
    }
    waitpid(pid, &st, 0);
    printf("%d %d\n", WIFSIGNALED(st) ? WTERMSIG(st) : 0, *hits);
    return 0;
}
"""

LIMITS = r"""
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
static int hits;
static void on(int sig) { (void)sig; ++hits; }
static void limit(int what, long n)
{
    struct rlimit lim = {n, n};
    setrlimit(what, &lim);
}
int main(void)
{
    signal(SIGXFSZ, on);
    limit(RLIMIT_FSIZE, 10);
    int fd = open("/f", O_CREAT | O_RDWR, 0600);
    long a = write(fd, "0123456789abcdef", 16), b = write(fd, "x", 1);
    printf("%ld %ld %d %d\n", a, b, errno == EFBIG, hits);
    limit(RLIMIT_NOFILE, 8);
    while ((a = dup(fd)) >= 0)
        b = a;
    printf("%ld %d\n", b, errno == EMFILE);
    limit(RLIMIT_AS, 64 << 20);
    void *p = mmap(0, 128 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    printf("%d %d\n", p == MAP_FAILED, errno == ENOMEM);
    return 0;
}
"""

TOUCH = r"""
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
int main(int argc, char **argv)
{
    size_t n = (size_t)atoi(argv[argc - 1]) << 10;
    char *p = mmap(0, n, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return 1;
    memset(p, 1, n);
    return 0;
}
"""


@pytest.fixture
def compiled(
    tmp_path: Path, build_case: Callable[[str, Path], Path]
) -> Callable[[str], Path]:
    def build(text: str) -> Path:
        source = tmp_path / f"limits-{len(text)}.c"
        source.write_text(text, encoding="utf-8")
        return build_case("linux", source)

    return build


def test_cpu_time_of_linux(boot: Any, compiled: Callable[[str], Path]) -> None:
    """SIGXCPU at the soft limit, SIGKILL at the hard one (setrlimit(2))."""
    z = boot("linux", {"p": compiled(CPU_TIME)}, clock_hz=20_000_000)
    r = z.run(["/p"], timeout="200s")
    assert (r.returncode, r.stdout) == (0, b"9 1\n")
    assert 2.0 <= z.machine.kernel.now_ns / 1e9 < 3.0


def test_files_and_memory(boot: Any, compiled: Callable[[str], Path]) -> None:
    """A refusal runs the global action of the control: the operator is told."""
    z = boot("linux", {"p": compiled(LIMITS)})
    k = z.machine.kernel
    names = ("max-file-size", "max-file-descriptor", "max-address-space")
    for name in names:
        rctl_global_set(k.p0, f"process.{name}", syslog=True)
    r = z.run(["/p"], timeout="200s")
    assert r.stdout == b"10 -1 1 1\n7 1\n1 1\n"
    told = [n for n in k.notices if " exceeded by process " in n]
    assert [n.split()[2] for n in told] == [f"process.{name}" for name in names]
    assert told[0].startswith("basic rctl process.max-file-size (value 10)")


def test_swap_of_a_zone(boot: Any, compiled: Callable[[str], Path]) -> None:
    """zone.max-swap and capped-memory: the smaller of both counts."""
    z = boot("linux", {"p": compiled(TOUCH)}, {"memory": "64M"})
    assert z.run(["/p", "8000"], timeout="200s").returncode == 0
    z.zone.set_rctl("zone.max-swap", 4 << 20)
    assert z.run(["/p", "8000"], timeout="200s").returncode != 0
    assert z.run(["/p", "1000"], timeout="200s").returncode == 0
    z.zone.set_rctl("zone.max-swap", 1 << 30)
    assert z.run(["/p", "8000"], timeout="200s").returncode == 0


def test_zone_tells_by_a_signal(boot: Any, compiled: Callable[[str], Path]) -> None:
    """A value with a signal and no refusal: the fork goes on, and then is told."""
    z = boot("linux", {"p": compiled(CPU_TIME)})
    val = RctlVal(z.zone.nprocs + 1, RctlPriv.PRIVILEGED, RctlLocal.SIGNAL, Sig.SIGTERM)
    p0 = z.machine.kernel.p0
    zone, p0.zone = p0.zone, z.zone
    rctl_set(p0, "zone.max-processes", val, RctlSetFlag.INSERT)
    p0.zone = zone
    r = z.run(["/p"], timeout="200s")
    assert r.returncode == -Sig.SIGTERM


def test_capped_memory_in_a_file(tmp_path: Path) -> None:
    toml = tmp_path / "m.toml"
    toml.write_text(
        """
schema = 1
[zone.a]
brand = "linux"
[zone.a.capped-memory]
swap = "8M"
locked = "1M"
""",
        encoding="utf-8",
    )
    z = Machine.from_toml(toml).zone("a").zone
    assert (z.max_swap, z.acct != 0) == (8 << 20, True)
    assert rctl_value(z.rctls, "zone.max-locked-memory") == 1 << 20
