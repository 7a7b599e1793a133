"""The programs of /usr/bin, run by the shell."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def sh(boot: Callable[..., Any]) -> Callable[[str], str]:
    """Run a script in a zone of its own; its output."""

    def run(script: str) -> str:
        r = boot("native", {}).run(["sh", "-c", script], timeout="60s")
        assert r.stderr == b"", r.stderr
        return str(r.stdout.decode())

    return run


def test_text(sh: Callable[[str], str]) -> None:
    """cat, head, wc, echo."""
    assert sh("echo a b; echo c | cat - | wc") == "a b\n       1       1       2\n"
    script = (
        "for i in 1 2 3 4; do echo $i; done > /tmp/f; head -n 2 /tmp/f; wc -l /tmp/f"
    )
    assert sh(script) == "1\n2\n       4 /tmp/f\n"


def test_ls(sh: Callable[[str], str]) -> None:
    """Names in order, details with -l."""
    out = sh(
        "cd /tmp; echo x > b; echo yy > a; : > .h; ls; ls -a; ls -l b a; ls -d /tmp"
    )
    head, _, rest = out.partition(".h\n")
    assert head == "a\nb\n.\n..\n"
    lines = rest.splitlines()
    assert lines[:2] == ["a", "b"]
    assert re.fullmatch(r"-rw-r--r--   1 0 +0 +2 Jan  1 2026 00:00 b", lines[2])
    assert lines[4] == "/tmp"


def test_status(sh: Callable[[str], str]) -> None:
    """true and false, kill, sleep takes virtual time."""
    assert sh("/bin/true; echo $?; /bin/false; echo $?") == "0\n1\n"
    assert sh("sleep 3600 & /bin/kill -9 $!; wait $!; echo $?") == "137\n"


def test_processes(sh: Callable[[str], str]) -> None:
    """ps and ptree show the tree as it is."""
    out = sh("sleep 9 & sleep 9 & ps -ef; ptree $$")
    ps, _, tree = out.partition("100   zsched")
    names = [line.split()[6:] for line in ps.splitlines()[1:]]
    assert names.count(["sleep", "9"]) == 2
    assert ps.splitlines()[0] == "     UID   PID  PPID S    STIME   TIME CMD"
    lines = tree.splitlines()
    assert lines[1].startswith("  101   sh -c")
    assert [line[11:] for line in lines[2:]] == ["leep 9", "leep 9", "tree 101"]


def test_prstat(sh: Callable[[str], str]) -> None:
    """The columns of prstat(8)."""
    lines = sh("prstat -cZ 1 1").splitlines()
    assert lines[0] == (
        "   PID USERNAME  SIZE   RSS STATE  PRI NICE      TIME  CPU PROCESS/NLWP"
    )
    assert lines[1].endswith(" prstat/1")
    assert "ZONEID    NPROC  SWAP   RSS MEMORY      TIME  CPU ZONE" in lines
    assert lines[-1] == "Total: 3 processes, 3 lwps"


def test_look_at_others(sh: Callable[[str], str]) -> None:
    """pargs reads another process' memory, pwdx its folder."""
    out = sh("cd /tmp; A=1 sleep 77 & pargs $!; pargs -e $!; pwdx $!")
    assert "argv[0]: sleep\nargv[1]: 77\n" in out
    assert re.search(r"envp\[0\]: A=1\n", out)
    assert out.endswith(":\t/tmp\n")


def test_zone(sh: Callable[[str], str]) -> None:
    """zonename, zoneadm list."""
    assert sh("zonename; zoneadm list; zoneadm list -p") == (
        "z\nz\n1:z:running:/::native:shared\n"
    )


@pytest.mark.parametrize("cpus", [1, 2])
def test_contracts(boot: Callable[..., Any], cpus: int) -> None:
    """ctrun makes a contract and lives as long as it; ctwatch tells its events."""
    z = boot("native", {}, cpus=cpus)
    script = (
        "ctwatch -r -n 2 process & sleep 1; ctrun -i exit sh -c 'exit 3'; echo $?; wait"
    )
    out = z.run(["sh", "-c", script], timeout="60s").stdout.decode()
    assert "3\n" in out
    assert re.search(r"info no  exit   process \d+ status 0x300", out)
    assert re.search(r"crit (no |yes) empty", out)
    script = "ctrun -o noorphan -l child sh -c 'sleep 500 & exit 0'; sleep 1; ps -ef"
    out = z.run(["sh", "-c", script], timeout="60s").stdout.decode()
    assert " sleep 500\n" not in out  # the contract was abandoned with ctrun


def test_tasks(sh: Callable[[str], str]) -> None:
    """newtask changes the task of what it runs; prctl shows controls."""
    out = sh("newtask sh -c 'prctl -n task.max-lwps'")
    assert out.splitlines()[2] == "task.max-lwps"
    assert re.search(r"usage +2\n", out)
    assert re.search(r"system +\d+ max    deny", out)


def test_usr_belongs_to_the_zone(boot: Callable[..., Any]) -> None:
    """A zone may change its /usr; the package and other zones do not see it."""
    z = boot("native", {})
    other = z.machine.add_zone("other", brand="native")
    r = z.run(["sh", "-c", "echo new > /usr/bin/true; cat /usr/bin/true; ls /bin"])
    assert r.stdout.startswith(b"new\ncat\n")
    assert other.run(["/bin/true"]).returncode == 0


def test_saved_with_its_programs(boot: Callable[..., Any], tmp_path: Any) -> None:
    """A machine that is saved while the shell runs goes on with it."""
    z = boot("native", {})
    snap = z.machine.snapshot()
    first = z.run(["sh", "-c", "ls /usr/bin | wc -l"]).stdout
    z.machine.restore(snap)
    assert z.run(["sh", "-c", "ls /usr/bin | wc -l"]).stdout == first
