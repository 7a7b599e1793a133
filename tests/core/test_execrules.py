"""What a brand may say of exec: programs at 0, read in, with a stack of their own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import personae_xv6
from personae.core.brands import load_brands
from personae.core.errno import Errno, KernelError
from personae.core.machine import Machine
from personae.core.step import BUDGET, ECALL, step
from personae.core.trap import ASK, TACCESS, TVAL
from personae.core.vm.layout import MMAP_MIN_ADDR, PAGE, USER_TOP, MapFlag
from personae.core.zonerun import ZoneHandle

XV6 = Path(personae_xv6.__file__).parent
LIB = XV6 / "guests" / "lib"
CC = "riscv64-linux-gnu-gcc"
FIXED = MapFlag.PRIVATE | MapFlag.FIXED


def boot(*names: str) -> tuple[Machine, ZoneHandle]:
    """An xv6 zone with some of its own checking programs."""
    machine = Machine(
        memory="64M", brands=[*load_brands(["native"]), personae_xv6.BRAND]
    )
    zone = machine.add_zone("x", brand="xv6")
    for name in names:
        zone.put(f"/{name}", (XV6 / "conform" / f"{name}.elf").read_bytes())
    return machine, zone


def test_where_things_are() -> None:
    """Program at 0, a page that is not there, the stack, and the break above it."""
    machine, zone = boot("tree")
    job = zone.start(["/tree"])
    as_ = job.proc.as_
    assert as_ is not None
    assert (as_.lowest, as_.segs[0].base) == (0, 0)
    stack = as_.segs[-1]
    assert stack.size == PAGE
    assert as_.find(stack.base - 1) is None
    assert job.proc.brkbase == stack.end == job.proc.stkbase
    assert as_.find(USER_TOP - PAGE) is None
    machine.run_until([job.proc], door=job)


def test_the_child_of_a_fork_keeps_the_rule() -> None:
    machine, zone = boot("tree")
    job = zone.start(["/tree"])
    while not (kids := list(job.proc.children())):
        machine.step()
    child = kids[0].as_
    assert child is not None
    assert child.lowest == 0
    child.unmap(0, PAGE)
    assert child.map(0, PAGE, 3, FIXED) == 0
    machine.run_until([job.proc], door=job)


def test_other_brands_have_no_null_page() -> None:
    machine = Machine(memory="32M", brands=load_brands(["native", "linux"]))
    zone = machine.add_zone("l", brand="linux")
    zone.put("/hello", (XV6 / "conform" / "tree.elf").read_bytes())
    with pytest.raises(KernelError) as e:
        zone.start(["/hello"])
    assert e.value.errno is Errno.ENOEXEC
    assert MMAP_MIN_ADDR > 0


def test_single_steps_where_page_one_is_the_program_s() -> None:
    """A step out of line needs a free page, and finds another one."""
    machine, zone = boot("tree")
    plain = zone.run(["/tree"])
    job = zone.start(["/tree"])
    lwp = job.proc.lwps[0]
    as_ = job.proc.as_
    assert as_ is not None
    lwp.cpu = machine.kernel.cpus[0]
    steps = 0
    while (trap := step(machine.kernel, lwp)) in (BUDGET, ASK):
        if trap == ASK:
            as_.fault(lwp.regs[TVAL], lwp.regs[TACCESS], ASK)
        steps += 1
    assert trap == ECALL
    assert steps > 10
    machine.run_until([job.proc], door=job)
    assert job.result().stdout == plain.stdout
    assert job.result().returncode == 0


@pytest.mark.skipif(shutil.which(CC) is None, reason="no cross compiler")
def test_segments_anywhere_in_the_file(tmp_path: Path) -> None:
    """Linked with -N, as older xv6 links: text right behind the headers."""
    source = tmp_path / "old.c"
    source.write_text(
        '#include "user.h"\nint more = 5;\nint bss[3000];\n'
        'int main(void) { puts("old\\n"); return more + bss[2999]; }\n'
    )
    stubs = tmp_path / "usys.S"
    calls = {"exit": 2, "write": 16}
    stubs.write_text(
        "".join(f".global {n}\n{n}: li a7, {i}\necall\nret\n" for n, i in calls.items())
    )
    flags = "-O1 -ffreestanding -nostdlib -static -no-pie -mcmodel=medany -mno-relax"
    command = [CC, *flags.split(), "-ffunction-sections", "-Wl,--gc-sections", "-Wl,-N"]
    command += ["-Wl,--build-id=none", "-Wl,-e,start", "-Wl,-Ttext=0", f"-I{LIB}"]
    elf = tmp_path / "old"
    files = [source, LIB / "ulib.c", stubs]
    subprocess.run([*command, "-o", elf, *files], check=True)
    machine, zone = boot()
    zone.put("/old", elf.read_bytes())
    result = zone.run(["/old"])
    assert (result.returncode, result.stdout) == (5, b"old\n")
    assert not machine.kernel.oopses
