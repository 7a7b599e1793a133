"""A machine kept in a file: up -M, zoneadm, zonecfg, zlogin, ptree, ps, prstat."""

from __future__ import annotations

import fcntl
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from personae.core.cli import main
from personae.core.ledgercheck import ledger_check
from personae.core.machine import Machine
from personae.core.zone import ZoneState

ROOT = Path(__file__).resolve().parents[2]
TOML = """
schema = 1
[zone.global]
rootfs = "native"
[zone.global.init]
args = ["/init"]
[zone.web]  # a comment that stays
brand = "linux"
rootfs = "linux"
max-processes = 20
[zone.web.init]
args = ["/init", "/hello"]
[zone.lab]
brand = "native"
rootfs = "native"
cpu-shares = 3
zonepath = "/export/lab:1"
[zone.lab.init]
args = ["/init"]
[zone.off]
brand = "native"
autoboot = false
[zone.off.capped-memory]
physical = "8M"
"""
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Roots of both brands and a description."""
    for brand in ("native", "linux"):
        root = tmp_path / brand
        root.mkdir()
        for name in ("init", "hello", "true"):
            data = (ROOT / "brands" / brand / "guests" / f"{name}.elf").read_bytes()
            (root / name).write_bytes(data)
            (root / name).chmod(0o755)
    (tmp_path / "linux" / "etc").mkdir()
    passwd = "root:x:0:0::/root:/bin/sh\njoe:x:100:101::/home/joe:/bin/sh\n"
    (tmp_path / "linux" / "etc" / "passwd").write_text(passwd)
    (tmp_path / "zones.toml").write_text(TOML)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PERSONAE_MACHINE", "m")
    return tmp_path


@pytest.fixture
def run(folder: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    """Call the command; status, standard output, standard error."""

    def call(*args: str) -> tuple[int, str, str]:
        capfd.readouterr()
        status = main(args)
        return status, *capfd.readouterr()

    return call


@pytest.fixture
def kept(run: Run) -> Run:
    """The machine of the description is in the file ``m``."""
    status, out, err = run("up", "zones.toml", "-M", "m")
    assert status == 0
    assert "global | init: native zone is up, process 100\n" in out
    assert "   web | hello from the linux brand" in out
    assert re.search(r"m: 3 zones running, 3 processes, .* sha256:", err)
    return run


def states(run: Run) -> dict[str, str]:
    rows = json.loads(run("zoneadm", "--json", "list", "-c")[1])
    return {row["name"]: row["state"] for row in rows}


def test_list(kept: Run) -> None:
    head = (
        "  ID NAME             STATUS     PATH                           BRAND    IP\n"
    )
    table = kept("zoneadm", "list", "-cv")[1]
    assert table == head + (
        "   0 global           running    /                              "
        "native   shared\n"
        "   1 web              running    /zones/web                     "
        "linux    shared\n"
        "   2 lab              running    /export/lab:1                  "
        "native   shared\n"
        "   - off              installed  /zones/off                     "
        "native   shared\n"
    )
    assert kept("zoneadm", "list")[1] == "global\nweb\nlab\n"
    assert kept("list", "-M", "m", "-cv")[1] == table
    assert kept("list", "-M", "m")[1] == "global\nweb\nlab\n"
    fields = kept("zoneadm", "-z", "lab", "list", "-p")[1]
    assert fields == "2:lab:running:/export/lab\\:1::native:shared\n"
    assert kept("zoneadm", "list", "-v", "-p")[0] == 2


def test_states(kept: Run) -> None:
    """The verbs of zoneadm(8), and what they answer where they make no sense."""
    story = [
        ("off ready", 0, "ready"),
        ("off ready", 1, "ready"),
        ("off boot", 0, "running"),
        ("off boot", 1, "running"),
        ("off shutdown", 1, "running"),
        ("off halt", 0, "installed"),
        ("off halt", 1, "installed"),
        ("off reboot", 1, "installed"),
        ("lab halt", 0, "installed"),
        ("lab boot", 0, "running"),
        ("lab reboot", 0, "running"),
        ("lab shutdown", 0, "installed"),
        ("web shutdown -r", 0, "running"),
        ("global halt", 1, "running"),
        ("global boot", 1, "running"),
        ("web verify", 0, "running"),
    ]
    for line, status, state in story:
        zone, *verb = line.split()
        got = kept("zoneadm", "-z", zone, *verb)
        assert (line, got[0], states(kept)[zone]) == (line, status, state)
        assert got[2].startswith(f"zoneadm: zone '{zone}': ") == bool(status)
    assert kept("doctor", "m")[0] == 0


@pytest.mark.parametrize(
    ("args", "status", "words"),
    [
        (["zoneadm", "-z", "nope", "boot"], 1, "zone 'nope': no such zone configured"),
        (["zoneadm", "frob"], 2, "frob: unknown subcommand"),
        (["zoneadm", "boot"], 2, "name a zone"),
        (["zoneadm", "-z", "web", "halt", "now"], 2, "unexpected: now"),
        (["zoneadm", "-z", "web", "install"], 1, "zone is already running"),
        (["zlogin", "nope"], 1, "zlogin: zone 'nope': no such zone configured"),
        (["zlogin", "off", "/true"], 1, "not running: it is installed"),
        (["zlogin", "web", "/nothing"], 127, "/nothing: not found"),
        (["zlogin", "-l", "bob", "web", "/hello"], 1, "user bob: not in /etc/passwd"),
        (["zlogin", "-C", "web", "/true"], 2, "-C takes neither"),
        (["ptree", "-z", "nope"], 1, "ptree: zone 'nope': no such zone configured"),
        (["ps", "-z", "off"], 1, "ps: zone 'off': not running"),
        (["up", "zones.toml", "-M", "m"], 125, "m is there already"),
        (["up", "zones.toml", "-M", "no/m"], 125, "no folder no"),
        (["zoneadm", "-M", "n", "list"], 125, "n: no such machine; make it with"),
        (["zoneadm", "-M", "zones.toml", "list"], 125, "not a saved machine"),
        (["zonecfg", "-z", "web", "set", "max-lwps=5"], 1, "is below max-processes 20"),
        (["zonecfg", "-z", "web", "set", "brand=native"], 1, "brand can't change"),
        (["zonecfg", "-z", "web", "set", "max-lpws=5"], 1, "did you mean 'max-lwps'"),
        (["zonecfg", "-z", "web", "set", "max-lwps=x"], 1, "zonecfg: max-lwps=x: "),
        (["zonecfg", "-z", "web", "set", "pool=x"], 1, "zonecfg: pool=x: no pool 'x'"),
        (["zonecfg", "-z", "web", "set"], 2, "write: set NAME=VALUE"),
        (["zonecfg", "-z", "nope", "info"], 1, "zone 'nope': no such zone configured"),
    ],
)
def test_errors(kept: Run, args: list[str], status: int, words: str) -> None:
    """One message, the right status, and the machine is what it was."""
    before = Path("m").read_bytes()
    got = kept(*args)
    assert (got[0], got[1]) == (status, "")
    assert words in got[2]
    assert got[2].count("\n") == 1
    assert Path("m").read_bytes() == before


def test_without_a_machine(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PERSONAE_MACHINE")
    status, _, err = run("zoneadm", "list")
    assert status == 2
    assert "name its file with -M or PERSONAE_MACHINE" in err


def test_zlogin(kept: Run) -> None:
    status, out, err = kept("zlogin", "web", "/hello")
    assert (status, err) == (0, "")
    assert out.startswith("hello from the linux brand, process ")
    assert kept("zlogin", "lab", "/true")[0] == 0
    assert kept("zlogin", "global", "/hello")[1].startswith("hello from the native")
    assert kept("zlogin", "-l", "joe", "web", "--", "/hello")[0] == 0
    assert kept("zonename")[1] == "global\n"
    assert kept("doctor", "m")[0] == 0


def test_a_file_stays_over_a_reboot(kept: Run, folder: Path) -> None:
    """What a zone has written is there at its next boot, and nowhere on the host."""
    m = Machine.load("m")
    m.zone("lab").put("/kept", b"x")
    m.save("m")
    assert kept("zoneadm", "-z", "lab", "reboot")[0] == 0
    m = Machine.load("m")
    root = m.zone("lab").zone.root
    assert root is not None
    assert root.lookup(b"kept", m.kernel.kcred).v_size() == 1
    assert not (folder / "native" / "kept").exists()
    assert ledger_check(m.kernel) == []


def test_console(kept: Run) -> None:
    """What init writes waits for who looks; arguments of boot reach it."""
    kept("zoneadm", "-z", "lab", "reboot", "--", "/true")
    out = kept("zlogin", "-C", "lab")[1]
    assert re.fullmatch(
        r"init: native zone is up, process \d+\ninit: started /true as process \d+\n"
        r"init: process \d+ exited with 0\n",
        out,
    )
    assert kept("zlogin", "-C", "lab")[1] == ""
    kept("zoneadm", "-z", "off", "boot")
    assert kept("zlogin", "-C", "off")[::2] == (
        1,
        "zlogin: zone 'off': it was booted without an init\n",
    )


def test_init_that_cannot_start(kept: Run) -> None:
    m = Machine.load("m")
    root = m.kernel.installed["lab"].root
    root.remove(b"init", m.kernel.kcred)
    m.save("m")
    assert kept("zoneadm", "-z", "lab", "verify")[0] == 1
    status, _, err = kept("zoneadm", "-z", "lab", "reboot")
    assert status == 1
    assert "zone 'lab': could not start its init: ENOENT" in err
    assert states(kept)["lab"] == "installed"
    assert kept("doctor", "m")[0] == 0


def test_trees(kept: Run) -> None:
    assert kept("ptree")[1] == "100   /init\n102   /init /hello\n104   /init\n"
    assert kept("ptree", "-z", "web")[1] == "102   /init /hello\n"
    assert kept("ptree", "-Z", "-a")[1] == (
        "global 0     sched\nglobal   100   /init\n"
        "web      101   zsched\nweb        102   /init /hello\n"
        "lab      103   zsched\nlab        104   /init\n"
    )
    contract = kept("ptree", "-c", "-z", "lab")[1]
    assert re.fullmatch(r"\[process contract \d+\]\n  104   /init\n", contract)


def test_ps_and_prstat(kept: Run) -> None:
    lines = kept("ps", "-Z")[1].splitlines()
    assert lines[0].split() == [
        *("ZONE", "UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD")
    ]
    assert [line.split()[:4] for line in lines[1:]] == [
        ["global", "root", "100", "0"],
        ["web", "root", "102", "101"],
        ["lab", "root", "104", "103"],
    ]
    lines = kept("prstat", "-c", "-Z")[1].splitlines()
    assert lines[0] == (
        "   PID USERNAME  SIZE   RSS STATE  PRI NICE      TIME  CPU PROCESS/NLWP"
    )
    assert lines[4] == "ZONEID    NPROC  SWAP   RSS MEMORY      TIME  CPU ZONE"
    assert [line.split()[:2] for line in lines[5:8]] == [
        ["0", "1"],
        ["1", "1"],
        ["2", "1"],
    ]
    assert lines[-1] == "Total: 3 processes, 3 lwps"
    before = Machine.load("m").kernel.now_ns
    two = kept("prstat", "-z", "web", "2s", "2")[1]
    assert two.count("Total: 1 processes, 1 lwps") == 2
    assert before <= Machine.load("m").kernel.now_ns <= before + 2 * 10**9


def test_zonecfg_of_a_machine(kept: Run) -> None:
    info = kept("zonecfg", "-z", "web", "info")[1]
    assert "brand: linux\n" in info
    assert "max-processes: 20\n" in info
    assert kept("zonecfg", "-z", "off", "export")[1] == (
        "create -b\nset zonepath=/zones/off\nset brand=native\nset autoboot=false\n"
        "set ip-type=shared\nadd capped-memory\nset physical=8388608\nend\n"
    )
    assert kept("zonecfg", "-z", "off", "verify")[:2] == (0, "")
    assert kept("zonecfg", "-z", "lab", "set", "max-lwps=7")[0] == 0
    assert Machine.load("m").zone("lab").zone.max_lwps == (1 << 31) - 1
    kept("zoneadm", "-z", "lab", "reboot")
    assert Machine.load("m").zone("lab").zone.max_lwps == 7
    kept("zonecfg", "-z", "lab", "clear", "max-lwps")
    kept("zoneadm", "-z", "lab", "reboot")
    assert Machine.load("m").zone("lab").zone.max_lwps == (1 << 31) - 1


def test_zonecfg_of_a_file(run: Run, folder: Path) -> None:
    cfg = ("zonecfg", "-f", "zones.toml", "-z", "web")
    assert run(*cfg, "set", "max-processes=33")[0] == 0
    text = (folder / "zones.toml").read_text()
    assert text == TOML.replace("max-processes = 20", "max-processes = 33")
    assert run(*cfg, "set", "pool=nope")[0] == 125
    assert (folder / "zones.toml").read_text() == text
    assert run(*cfg, "clear", "max-processes")[0] == 0
    assert "max-processes" not in (folder / "zones.toml").read_text()
    assert "max-processes" not in run(*cfg, "info")[1]


def test_one_command_at_a_time(kept: Run) -> None:
    with Path("m").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        status, _, err = kept("zoneadm", "-z", "lab", "halt")
    assert (status, err) == (
        125,
        "personae: m: in use by another command; wait until that has ended\n",
    )
    assert states(kept)["lab"] == "running"
    assert sorted(p.name for p in Path().iterdir() if p.name.startswith(".")) == []


@pytest.mark.parametrize("n", [0, 10, 500, -1])
def test_damaged_file(kept: Run, n: int) -> None:
    """A file that is cut off is told of, whatever the command, and left alone."""
    whole = Path("m").read_bytes()
    Path("m").write_bytes(whole[:n])
    for args in (
        ["ptree"],
        ["zoneadm", "-z", "lab", "halt"],
        ["zlogin", "lab", "/true"],
    ):
        status, out, err = kept(*args)
        assert (status, out, err.count("\n")) == (125, "", 1)
        assert err.startswith(("personae: m: damaged: ", "personae: m: not a saved"))
    assert Path("m").read_bytes() == whole[:n]


def test_same_commands_same_machine(run: Run) -> None:
    """No daemon, no clock: what is in the file follows from the commands."""
    digests = []
    for name in ("a", "b"):
        run("up", "zones.toml", "-M", name)
        for line in ("zlogin web /hello", "zoneadm -z lab reboot", "zlogin lab /true"):
            command, *rest = line.split()
            assert run(command, "-M", name, *rest)[0] == 0
        run("up", "-M", name, "--time-limit", "1s")
        digests.append(Machine.load(name).digest())
    assert digests[0] == digests[1]


def test_zone_that_ends_by_itself(kept: Run) -> None:
    """Its init exits: what zoneadmd would do is done, and the zone can boot again."""
    m = Machine.load("m")
    zone = m.zone("lab").zone
    assert zone.init is not None
    from personae.core.exit import kill_proc

    kill_proc(zone.init)
    assert zone.state is ZoneState.DOWN
    m.save("m")
    assert states(kept)["lab"] == "down"
    assert "lab: its init ended, ended by signal 9" in kept("up", "-M", "m")[2]
    assert states(kept)["lab"] == "installed"
    assert kept("zoneadm", "-z", "lab", "boot")[0] == 0
