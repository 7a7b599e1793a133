"""The notes of a core file and the name it gets.

The layouts are those that gdb and the kernel of Linux use on riscv64 (elf_prstatus,
elf_prpsinfo), for every brand: so one debugger reads all cores.

Must not know: where a core is written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import Struct
from typing import TYPE_CHECKING

from personae.core.errno import KernelError
from personae.core.regs import F0, FCSR, INSTRET, PC
from personae.core.vfs.lookup import path_of, root_of
from personae.core.vm.layout import PAGE, PAGE_SHIFT

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.signo import SigInfo

NT_PRSTATUS, NT_FPREGSET, NT_PRPSINFO, NT_AUXV = 1, 2, 3, 6
NT_SIGINFO, NT_FILE = 0x53494749, 0x46494C45

PRSTATUS = Struct("<iiihHQQiiii8q32Qi4x")
"""si_signo si_code si_errno cursig pad sigpend sighold pid ppid pgrp sid, four
timevals, pc x1..x31, fpvalid: 376 bytes."""
PRPSINFO = Struct("<bcbb4xQIIiiii16s80s")
"""state sname zomb nice flag uid gid pid ppid pgrp sid fname psargs: 136 bytes."""
FPREGSET = Struct("<32QI4x")
SIGINFO = Struct("<iii4xQ104x")
_NOTE = Struct("<III")


@dataclass
class CoreThread:
    """A lwp as the notes show it: its number, pending and blocked signals."""

    lwp: Lwp
    tid: int
    pending: int
    blocked: int


@dataclass
class CorePlan:
    """What goes into the notes, and into which files.

    A brand puts in its own numbers (``b_coreinfo``).

    Attributes:
        signo: The signal.
        code: Its si_code.
        siginfo: 128 bytes for NT_SIGINFO.
        threads: The lwps, first the one that died.
        files: Path and ``CC_`` bits of each core file.
    """

    signo: int
    code: int
    pid: int
    ppid: int
    pgrp: int
    sid: int
    siginfo: bytes = b""
    threads: list[CoreThread] = field(default_factory=list)
    files: list[tuple[bytes, int]] = field(default_factory=list)


def siginfo(sig: int, info: SigInfo) -> bytes:
    """A siginfo_t with the kernel's own numbers."""
    who = info.addr if info.addr else info.pid | info.uid << 32
    return SIGINFO.pack(sig, 0, info.code, who & (1 << 64) - 1)


def expand(pattern: bytes, names: dict[str, bytes]) -> bytes:
    """Fill in a name pattern.

    >>> expand(b"core.%p.%%%x", {"p": b"7"})
    b'core.7.%'
    """
    out, rest = b"", pattern
    while True:
        text, percent, rest = rest.partition(b"%")
        out += text
        if not percent or not rest:
            return out
        key, rest = rest[:1], rest[1:]
        out += b"%" if key == b"%" else names.get(key.decode("latin-1"), b"")


def common_names(lwp: Lwp, sig: int) -> dict[str, bytes]:
    """What is alike in core_pattern of Linux and coreadm of illumos."""
    p = lwp.proc
    return {
        "p": b"%d" % p.pid,
        "u": b"%d" % p.cred.uid,
        "g": b"%d" % p.cred.gid,
        "t": b"%d" % (p.kernel.wall_ns // 1_000_000_000),
        "s": b"%d" % sig,
    }


def native_names(lwp: Lwp, info: SigInfo) -> dict[str, bytes]:
    """The letters of coreadm(8)."""
    p = lwp.proc
    return {
        **common_names(lwp, info.signo),
        "f": p.user.u_comm,
        "n": p.zone.hostname.encode(),
        "z": p.zone.name.encode(),
        "m": b"riscv64",
    }


def note(kind: int, desc: bytes) -> bytes:
    """One note of the owner CORE."""
    return (
        _NOTE.pack(5, len(desc), kind) + b"CORE\0\0\0\0" + desc + bytes(-len(desc) % 4)
    )


def notes(lwp: Lwp, plan: CorePlan) -> bytes:
    """All notes, in the order in which Linux writes them."""
    p = lwp.proc
    auxv = b"".join(Struct("<QQ").pack(k, v) for k, v in p.user.u_auxv)
    if not p.user.u_auxv or p.user.u_auxv[-1][0]:
        auxv += bytes(16)
    out = [
        note(NT_PRSTATUS, _prstatus(plan, plan.threads[0])),
        note(NT_PRPSINFO, _prpsinfo(p, plan)),
        note(NT_SIGINFO, plan.siginfo),
        note(NT_AUXV, auxv),
        note(NT_FILE, _files(p)),
        note(NT_FPREGSET, _fpregs(lwp)),
    ]
    for thread in plan.threads[1:]:
        out.append(note(NT_PRSTATUS, _prstatus(plan, thread)))
        out.append(note(NT_FPREGSET, _fpregs(thread.lwp)))
    return b"".join(out)


def _prstatus(plan: CorePlan, t: CoreThread) -> bytes:
    lwp, p = t.lwp, t.lwp.proc
    times: list[int] = []
    for cycles in (lwp.regs[INSTRET], lwp.stime, p.cutime, p.cstime):
        usec = cycles * 1_000_000 // p.kernel.config.clock_hz
        times += divmod(usec, 1_000_000)
    regs = lwp.regs.tolist()
    word = (1 << 64) - 1  # all that the note has room for
    return PRSTATUS.pack(
        plan.signo, plan.code, 0, plan.signo, 0, t.pending & word, t.blocked & word,
        t.tid, plan.ppid, plan.pgrp, plan.sid, *times, regs[PC], *regs[1:32], 1,
    )  # fmt: skip


def _fpregs(lwp: Lwp) -> bytes:
    regs = lwp.regs.tolist()
    return FPREGSET.pack(*regs[F0 : F0 + 32], regs[FCSR] & 0xFF)


def _prpsinfo(p: Proc, plan: CorePlan) -> bytes:
    u, cred = p.user, p.cred
    ids = (plan.pid, plan.ppid, plan.pgrp, plan.sid)
    names = (u.u_comm[:15], u.u_psargs[:79])
    return PRPSINFO.pack(0, b"R", 0, 0, 0, cred.uid, cred.gid, *ids, *names)


def _files(p: Proc) -> bytes:
    """NT_FILE: which file is mapped where."""
    rows, names = [], []
    root = root_of(p)
    assert p.as_ is not None
    for seg in p.as_.segs:
        if seg.vnode is None:
            continue
        try:
            name = path_of(seg.vnode, root)
        except KernelError:
            continue
        rows.append(Struct("<QQQ").pack(seg.base, seg.end, seg.off >> PAGE_SHIFT))
        names.append(name + b"\0")
    return Struct("<QQ").pack(len(rows), PAGE) + b"".join(rows + names)
