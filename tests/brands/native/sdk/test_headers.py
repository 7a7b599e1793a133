"""The SDK's headers say what the brand says: numbers and sizes."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from personae.brands.native import BRAND, abi, cc, sys_ipc, sys_mem, sys_rctl, sys_sched
from personae.core.errno import Errno
from personae.core.signo import CldCode, SaFlag, SiCode, Sig, SigInfo

INCLUDE = cc.SDK / "include"
DEFINE = re.compile(r"^#define (\w+) (\(?-?0?[xX]?[0-9a-fA-F]+\)?|\w+)$", re.MULTILINE)
ENUM = re.compile(r"typedef enum \{([^}]*)\}")
LETTERS = ("O_", "AT_", "F_", "FD_", "MAP_", "P_", "W", "SIG_", "SS_", "CLOCK_")


def defined() -> dict[str, int]:
    """The plain numbers of all headers; a name has one value wherever it stands."""
    found: dict[str, int] = {}
    for file in sorted(INCLUDE.rglob("*.h")):
        if file.name.startswith(("tiny", "ktap", "ct.h")):
            continue
        text = file.read_text()
        for name, value in DEFINE.findall(text):
            number = number_of(value, found)
            if number is not None:
                assert found.setdefault(name, number) == number, (file, name)
        for body in ENUM.findall(text):
            for i, name in enumerate(body.replace("\n", " ").split(",")):
                found[name.strip()] = i
    return found


def number_of(text: str, known: dict[str, int]) -> int | None:
    """A number as C writes it, or that of a name."""
    text = text.strip("()")
    if text in known:
        return known[text]
    if re.fullmatch(r"0[0-7]+", text):
        return int(text, 8)
    try:
        return int(text, 0)
    except ValueError:
        return None


@pytest.fixture(scope="module")
def numbers() -> dict[str, int]:
    """What the headers define."""
    return defined()


def compare(numbers: dict[str, int], wanted: dict[str, int], least: int) -> None:
    """Every name that both know has one value; and they know enough in common."""
    common = numbers.keys() & wanted.keys()
    assert {n: numbers[n] for n in common} == {n: wanted[n] for n in common}
    assert len(common) >= least, sorted(wanted.keys() - common)


def test_errno(numbers: dict[str, int]) -> None:
    """Every error of the kernel has its number."""
    compare(numbers, {e.name: e.value for e in Errno}, len(Errno))


def test_signals(numbers: dict[str, int]) -> None:
    """Signals, flags of sigaction, codes."""
    compare(numbers, {s.name: s.value for s in Sig}, len(Sig))
    compare(numbers, {f.name: f.value for f in SaFlag if f.name}, 7)
    compare(numbers, {f"CLD_{c.name}": c.value for c in CldCode}, 6)
    compare(numbers, {f"SI_{c.name}": c.value for c in SiCode}, 5)


def test_system_calls(numbers: dict[str, int]) -> None:
    """Each SYS_ name that the brand knows has the brand's number, and only that."""
    calls = {f"SYS_{row.name}": number for number, row in BRAND.sysent.items()}
    compare(numbers, calls, 100)
    ours = {n: v for n, v in numbers.items() if n.startswith("SYS_") and n in calls}
    assert len(ours) == len(set(ours.values()))


def test_flags(numbers: dict[str, int]) -> None:
    """Flags and commands of files, mappings, waiting, masks, clocks."""
    wanted = {n: v for n, v in vars(abi).items() if n.startswith(LETTERS)}
    wanted["AT_FDCWD"] -= 1 << 32
    compare({**numbers, "AT_FDCWD": 0xFFD19553 - (1 << 32)}, wanted, 50)


@pytest.mark.parametrize(
    ("module", "least"), [(sys_ipc, 16), (sys_mem, 5), (sys_sched, 10), (sys_rctl, 3)]
)
def test_subsystems(numbers: dict[str, int], module: object, least: int) -> None:
    """System V IPC, priocntl, resource controls."""
    wanted = {n: v for n, v in vars(module).items() if isinstance(v, int)}
    compare(
        numbers,
        {n: v for n, v in wanted.items() if n not in ("PAGE", "NAME_MAX")},
        least,
    )


SIZES = {
    "struct stat": ("sys/stat.h", abi.STAT.size),
    "struct sigaction": ("signal.h", abi.SIGACTION.size),
    "sigset_t": ("signal.h", abi.SIGSET.size),
    "siginfo_t": ("signal.h", abi.SIGINFO_SIZE),
    "stack_t": ("signal.h", abi.STACK.size),
    "ucontext_t": ("ucontext.h", abi.UCONTEXT_SIZE),
    "struct timespec": ("time.h", abi.TIMESPEC.size),
    "struct utsname": ("sys/utsname.h", 5 * abi.UTS_FIELD),
    "struct ipc_perm": ("sys/ipc.h", sys_ipc.PERM.size - 4),
    "struct shmid_ds": ("sys/shm.h", sys_ipc.SHMID.size),
    "struct semid_ds": ("sys/sem.h", sys_ipc.SEMID.size),
    "struct sembuf": ("sys/sem.h", 6),
    "rctlblk_t": ("rctl.h", sys_rctl.RCTLBLK.size),
    "procset_t": ("sys/procset.h", sys_sched.PROCSET.size),
    "pcinfo_t": ("sys/priocntl.h", sys_sched.PCINFO.size),
    "pcparms_t": ("sys/priocntl.h", sys_sched.PCPARMS.size),
    "pcpri_t": ("sys/priocntl.h", sys_sched.PCPRI.size),
    "pcnice_t": ("sys/priocntl.h", sys_sched.PCNICE.size),
}


def test_sizes(cross_cc: str, tmp_path: Path) -> None:
    """Structures are as large as the brand lays them out."""
    lines = [f"#include <{header}>" for header, _ in SIZES.values()]
    lines += [
        f'_Static_assert(sizeof({name}) == {size}, "{name}");'
        for name, (_, size) in SIZES.items()
    ]
    source = tmp_path / "sizes.c"
    source.write_text("\n".join(lines) + "\n")
    check_syntax(cross_cc, source)


def check_syntax(cross_cc: str, source: Path) -> None:
    """The compiler has nothing to say about a file."""
    flags = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
    command = cc.command(cross_cc, [*flags, str(source)], Path("none"))
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stderr == ""
    assert done.returncode == 0


def test_each_stands_alone(cross_cc: str, tmp_path: Path) -> None:
    """A header can be included first, and twice, and with all others."""
    names = [
        file.relative_to(INCLUDE).as_posix()
        for file in sorted(INCLUDE.rglob("*.h"))
        if not file.name.startswith(("tiny", "ktap", "ct.h"))
    ]
    for name in names:
        source = tmp_path / "one.c"
        source.write_text(f"#include <{name}>\n#include <{name}>\n")
        check_syntax(cross_cc, source)
    source.write_text("".join(f"#include <{name}>\n" for name in names))
    check_syntax(cross_cc, source)


def test_siginfo_members(cross_cc: str, tmp_path: Path) -> None:
    """What a program sees of siginfo_t is where illumos has it, and the kernel too."""
    raw = abi.pack_siginfo(SigInfo(Sig.SIGTERM, SiCode.USER, 77, 5, value=9), 3)
    words = {16: 77, 24: 5, 32: 9, 48: 0, 52: 3}
    assert {at: int.from_bytes(raw[at : at + 4], "little") for at in words} == words
    source = tmp_path / "members.c"
    source.write_text(
        "#include <signal.h>\n#include <stddef.h>\n"
        "#define AT(m, n) _Static_assert(offsetof(siginfo_t, m) == n, #m)\n"
        "AT(si_pid, 16); AT(si_uid, 24); AT(si_value, 32); AT(si_utime, 24);\n"
        "AT(si_status, 32); AT(si_stime, 40); AT(si_ctid, 48); AT(si_zoneid, 52);\n"
        "AT(si_addr, 16); AT(si_pc, 32); AT(si_entity, 16);\n"
    )
    check_syntax(cross_cc, source)
