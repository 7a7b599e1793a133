"""The machine as its user holds it."""

from __future__ import annotations

import pickle
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

from personae.core import Deadlock, KernelError, Machine, SaveError, TimeLimit
from personae.core.brands import load_brands
from personae.core.hookspecs import hookimpl
from personae.core.ledger import HW_STATS
from personae.core.lwp import WhyStop
from personae.core.savefile import MAGIC
from personae.core.syscall import Sysent
from personae.core.zonerun import Completed
from tests.core.machines import guest, native


def test_run_has_the_shape_of_subprocess() -> None:
    _, zone = native("hello")
    r = zone.run(["/bin/hello"])
    assert (r.args, r.returncode, r.stderr) == (("/bin/hello",), 0, b"")
    assert r.stdout.startswith(b"hello from the native brand")


def test_check_raises_for_a_status() -> None:
    _, zone = native("hello")
    assert zone.run(["/bin/hello"], check=True).returncode == 0
    with pytest.raises(subprocess.CalledProcessError, match="SIGKILL"):
        Completed(("x",), -9, b"", b"", 100).check_returncode()


def test_a_program_that_is_not_there() -> None:
    machine, zone = native()
    before = machine.kernel.nproc
    with pytest.raises(KernelError, match="ENOENT"):
        zone.run(["/bin/nothing"])
    assert machine.kernel.nproc == before


def test_path_is_searched() -> None:
    _, zone = native("hello")
    assert zone.run(["hello"]).returncode == 0
    with pytest.raises(KernelError, match="ENOENT: 'nothing' is not in PATH"):
        zone.run(["nothing"])


def test_a_timeout_kills_and_leaves_the_machine_usable() -> None:
    machine, zone = native("demo", "hello")
    with pytest.raises(TimeLimit, match="still there: 101 demo"):
        zone.run(["/bin/demo"], timeout="100ms")
    assert machine.kernel.now_ns == 100_000_000
    assert zone.run(["/bin/hello"]).returncode == 0


def test_waiting_for_input_that_cannot_come_is_a_deadlock() -> None:
    machine = Machine(brands=load_brands(["linux", "native"]))
    zone = machine.add_zone("z")
    zone.put("/bin/init", guest("init", "linux"))
    job = zone.start(["/bin/init"], input=None)
    k = machine.kernel
    k.disp.stop(job.proc.lwps[0], WhyStop.NONE)
    with pytest.raises(Deadlock, match="still there"):
        machine.run_until([job.proc])


def test_same_seed_same_digest() -> None:
    def digest(seed: int) -> str:
        machine, zone = native("demo", "true", seed=seed)
        zone.run(["/bin/demo"])
        return machine.digest()

    assert digest(3) == digest(3)


def test_the_digest_sees_output_and_instructions() -> None:
    digests = set()
    for argv in (["/bin/hello"], ["/bin/true"], ["/bin/true", "x"]):
        machine, zone = native("hello", "true")
        zone.run(argv)
        digests.add(machine.digest())
    assert len(digests) == 3


def test_restore_goes_back() -> None:
    machine, zone = native("demo", "true", "hello")
    snapshot = machine.snapshot()
    zone.run(["/bin/demo"])
    after = machine.digest()
    machine.restore(snapshot)
    assert machine.digest() != after
    zone.run(["/bin/demo"])
    assert machine.digest() == after


def test_observers_stay_over_a_restore() -> None:
    class Count:
        forks = 0

        @hookimpl
        def personae_proc_create(self) -> None:
            self.forks += 1

    count = Count()
    machine, zone = native("forktest", plugins=[count])
    snapshot = machine.snapshot()
    zone.run(["/bin/forktest", "3"])
    machine.restore(snapshot)
    zone.run(["/bin/forktest", "4"])
    assert count.forks == 7


def test_a_saved_machine_goes_on_in_another_program(tmp_path: Path) -> None:
    machine, zone = native("demo", "true")
    job = zone.start(["/bin/demo"])
    for _ in range(25):
        machine.step()
    file = tmp_path / "machine"
    machine.save(file)
    machine.run_until([job.proc], door=job)
    script = (
        "import sys\n"
        "from personae.core import Machine\n"
        "m = Machine.load(sys.argv[1])\n"
        "k = m.kernel\n"
        "m.run_until([p for p in k.zone_procs(k.zones[1]) if p.user.u_argv == "
        "[b'/bin/demo']])\n"
        "print(m.digest())\n"
    )
    got = subprocess.run(
        [sys.executable, "-c", script, str(file)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert got.stdout.strip() == machine.digest()


class Evil:
    """What a hostile file might hold."""

    def __reduce__(self) -> Any:
        return (print, ("owned",))


def test_a_file_cannot_name_code(tmp_path: Path) -> None:
    state = pickle.dumps(Evil())
    machine, _ = native()
    raw = len(state).to_bytes(8, "little") + state + machine.kernel.hw.save()
    file = tmp_path / "evil"
    file.write_bytes(MAGIC + zlib.compress(raw))
    with pytest.raises(SaveError, match=r"names builtins\.print, which is no kernel"):
        Machine.load(file)


@pytest.mark.parametrize("cut", [0, 10, 100, 5000])
def test_a_damaged_file_is_refused(tmp_path: Path, cut: int) -> None:
    machine, _ = native()
    file = tmp_path / "machine"
    machine.save(file)
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(SaveError):
        Machine.load(file)


def test_a_file_with_a_brand_that_is_not_here(tmp_path: Path) -> None:
    machine = Machine(brands=load_brands(["linux", "native"]))
    machine.add_zone("z", brand="linux")
    file = tmp_path / "machine"
    machine.save(file)
    with pytest.raises(SaveError, match="brand 'linux', which is not installed"):
        Machine.load(file, brands=load_brands(["native"]))


def test_put_follows_links_inside_the_root(tmp_path: Path) -> None:
    (tmp_path / "usr" / "bin").mkdir(parents=True)
    (tmp_path / "bin").symlink_to("usr/bin")
    (tmp_path / "up").symlink_to("/../usr")
    (tmp_path / "loop").symlink_to("loop")
    machine = Machine(brands=load_brands(["native"]))
    zone = machine.add_zone("n", brand="native", rootfs=tmp_path)
    zone.put("/bin/hello", guest("hello"))
    zone.put("/up/bin/hello2", guest("hello"))
    assert zone.run(["/usr/bin/hello"]).returncode == 0
    assert zone.run(["/usr/bin/hello2"]).returncode == 0
    with pytest.raises(KernelError, match="ELOOP"):
        zone.put("/loop/x", b"")
    assert not any((tmp_path / "usr" / "bin").iterdir())


def test_unknown_zone_and_brand_are_named() -> None:
    machine, _ = native()
    with pytest.raises(KeyError, match="no zone 'x'; there are: global, n"):
        machine.zone("x")
    with pytest.raises(KernelError, match="no brand 'bsd'; there are: native"):
        machine.add_zone("x", brand="bsd")
    with pytest.raises(KernelError, match="EEXIST"):
        machine.add_zone("n", brand="native")


def test_capped_memory_ends_a_bomb_and_nobody_else() -> None:
    machine = Machine(brands=load_brands(["linux", "native"]), memory="64M")
    zone = machine.add_zone("z", memory="4M")
    other = machine.add_zone("o")
    for z in (zone, other):
        z.put("/bin/membomb", guest("membomb", "linux"))
        z.put("/bin/hello", guest("hello", "linux"))
    zone.run(["/bin/membomb"])
    used = machine.kernel.hw.acct_used(zone.zone.acct)
    assert used <= 1024
    assert other.run(["/bin/hello"]).returncode == 0
    assert zone.run(["/bin/hello"]).returncode == 0


def test_idle_file_pages_make_room() -> None:
    machine = Machine(brands=load_brands(["linux", "native"]), memory="64M")
    zone = machine.add_zone("z", memory="4M")
    zone.put("/bin/forkmem", guest("forkmem", "linux"))
    zone.put("/big", b"x" * (900 << 12))
    root = zone.zone.root
    assert root is not None
    big = root.lookup(b"big", zone.zone.cred)
    for page in range(900):
        big.getpage(page)
    result = zone.run(["/bin/forkmem", "1"])
    assert (result.returncode, machine.kernel.kstat.get("oom_kills")) == (0, None)
    assert machine.kernel.kstat["reclaimed_frames"] == 900
    assert big.read(None, 899 << 12, 5, 0) == b"xxxxx"


def test_from_toml(tmp_path: Path) -> None:
    file = tmp_path / "zones.toml"
    file.write_text(
        """
schema = 1
[machine]
cpus = 2
memory = "64M"
[zone.a]
brand = "native"
max-lwps = 7
hostname = "alpha"
[zone.b]
brand = "native"
[[fault]]
point = "fork1:pid_allocate"
error = "EAGAIN"
when = 1
""",
        encoding="utf-8",
    )
    machine = Machine.from_toml(file, {"machine.seed": 9})
    k = machine.kernel
    assert (k.ncpus, k.config.seed, k.mem_bytes) == (2, 9, 64 << 20)
    with machine.boot():
        a = machine.zone("a")
        assert (a.zone.max_lwps, a.zone.hostname) == (7, "alpha")
        a.put("/bin/forkstep", guest("forkstep"))
        out = a.run(["/bin/forkstep"]).stdout.decode().splitlines()
    assert "11" in out[0]
    assert out[1] == "fork 2: child exited with 42"
    assert [z.zone.state.name for z in machine.zones] == ["RUNNING", "DOWN", "DOWN"]


def test_a_fault_of_ours_ends_one_process_and_is_told() -> None:
    """A handler that breaks is our bug; the guest's machine goes on."""
    machine, zone = native("hello")
    ent = next(e for e in zone.zone.brand.sysent.values() if e.name == "write" and e.fn)
    broken = Sysent(ent.number, ent.name, _broken, 3, ent.level, "")
    zone.zone.brand.sysent[ent.number] = broken
    try:
        r = zone.run(["/bin/hello"])
    finally:
        zone.zone.brand.sysent[ent.number] = ent
    assert r.returncode == -9
    (told,) = machine.kernel.oopses
    assert "ZeroDivisionError" in told
    assert "write" in told
    assert zone.run(["/bin/hello"]).returncode == 0


def _broken(lwp: Any, fd: int, buf: int, n: int) -> int:
    lwp.proc.lock.enter()  # and it holds a lock, too
    return 1 // 0


def test_what_a_terminal_shows_is_in_the_digest() -> None:
    """As what is written to a stream is; how the host takes it makes no difference."""
    from personae.core.vfs.tty import Tty

    digests = []
    for text in (b"one", b"two", b"one"):
        m = Machine()
        tty = Tty(m.kernel)
        tty.write(None, text, 0)
        tty.take_output(1)
        digests.append(m.digest())
    assert digests[0] == digests[2] != digests[1]


def test_pages_of_a_mounted_file_are_given_back() -> None:
    """Not only those of the zone's root: also of what is mounted in it."""
    machine, zone = native("true")
    zone.mount_tmpfs("/mounted")
    zone.put("/mounted/true", guest("true", "native"))
    zone.run(["/mounted/true"], check=True)
    k = machine.kernel
    while k.reclaim(zone.zone):
        continue
    assert k.hw.stat(HW_STATS["frames"]) == 0
