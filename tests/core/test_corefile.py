"""Core files by hand: where none is written, the contract's event, limits of IPC."""

from __future__ import annotations

from pathlib import Path

import pytest

from personae.core.corefile import CoreRef, core_set, core_zone
from personae.core.coretext import NT_PRSTATUS, expand, note
from personae.core.errno import Errno, KernelError, Panic
from personae.core.ipc import IPC_CREAT, IPC_NOWAIT
from personae.core.ledgercheck import ledger_check
from personae.core.msg import MsgQueue, msgget, msgrcv, msgsnd
from personae.core.proc import ProcFlag
from personae.core.rctl import rctl_set_value, rlimit_set
from personae.core.savefile import dump, load
from personae.core.sem import SEM_UNDO, SemOp, SemWait, semget, semop
from personae.core.signal import fatal
from personae.core.signo import CldCode, Sig, SigInfo
from personae.core.sync import Sleep
from personae.core.vfs.hostfs import HostFs
from personae.core.vfs.vnode import Vnode, mount
from tests.core.realkernel import run
from tests.invariants.stage import Stage


def names(vp: Vnode) -> set[bytes]:
    return {e.name for e in vp.readdir(0)}


def dies(s: Stage, sig: int = Sig.SIGSEGV) -> tuple[CldCode, bool]:
    """How the process ends, and whether its root has a core then."""
    root = s.p.zone.root
    assert root is not None
    run(s.k, s.lwp)
    fatal(s.lwp, sig, SigInfo(sig))
    return CldCode(s.p.wcode), b"core" in names(root)


def test_by_default_there_is_one() -> None:
    s = Stage("native")
    events: list[tuple[str, int]] = []
    ops = s.k.contract_ops
    ops.contract_process_event = lambda p, event, sig, sender: events.append(
        (event, sig)
    )
    assert dies(s) == (CldCode.DUMPED, True)
    assert events == [("core", Sig.SIGSEGV), ("signal", Sig.SIGSEGV)]
    assert s.k.kstat["core_files"] == 1


@pytest.mark.parametrize("why", ["flag", "setid", "limit", "signal", "path"])
def test_where_there_is_none(why: str) -> None:
    s = Stage("native")
    if why == "flag":
        s.p.flag |= ProcFlag.SNOCD
    elif why == "setid":
        s.p.flag |= ProcFlag.SUGID
    elif why == "limit":
        rlimit_set(s.p, "CORE", 0, 0, s.p.cred)
    elif why == "path":
        core_set(s.p, "corefile", b"/nowhere/core")
    sig = Sig.SIGTERM if why == "signal" else Sig.SIGABRT
    assert dies(s, sig) == (CldCode.KILLED, False)


def test_never_on_the_host(tmp_path: Path) -> None:
    """Not even in a folder that the zone may write to."""
    s = Stage("native")
    root = s.p.zone.root
    assert root is not None
    vfs = HostFs(s.k, tmp_path, readonly=False)
    mount(vfs, root.mkdir(b"shared", 0o777, s.p.cred))
    core_set(s.p, "corefile", b"/shared/core")
    assert dies(s) == (CldCode.KILLED, False)
    assert list(tmp_path.iterdir()) == []


def test_both_the_global_and_the_own() -> None:
    s = Stage("native")
    zone = core_zone(s.p.zone)
    zone.options, zone.path = 3, b"/all.%p"
    pid = s.p.pid
    assert dies(s) == (CldCode.DUMPED, True)
    assert s.p.zone.root is not None
    assert b"all.%d" % pid in names(s.p.zone.root)


def test_settings_are_held() -> None:
    ref = CoreRef(b"core")
    assert ref.hold() is ref
    ref.rele()
    ref.rele()
    with pytest.raises(Panic):
        ref.rele()


def test_patterns_and_notes() -> None:
    assert expand(b"a%pb%q%", {"p": b"1"}) == b"a1b"
    got = note(NT_PRSTATUS, b"12345")
    assert got == b"\5\0\0\0\5\0\0\0\1\0\0\0CORE\0\0\0\00012345\0\0\0"


# ---- semaphores and messages ----


def test_ipc_is_saved_with_who_waits() -> None:
    s = Stage("linux")
    child = s.fork()
    sems = semget(s.lwp, 7, 2, IPC_CREAT | 0o600)
    semop(s.lwp, sems.id, [SemOp(0, 3, SEM_UNDO)])
    run(s.k, child.lwps[0])
    with pytest.raises(Sleep):
        semop(child.lwps[0], sems.id, [SemOp(1, -1, 0)])
    state = child.lwps[0].sysstate
    assert state == SemWait(1, False, None, sems.id)
    assert sems.undo == {s.p.pid: {0: -3}}
    child.lwps[0].sysstate = None
    s.exit(child)
    assert sems.undo == {s.p.pid: {0: -3}}
    s.unstage()
    k = load(dump(s.k), s.k.brands.brands.values())
    again = k.zones[s.p.zone.id].ipc["sem"].find(sems.id)
    assert again.ledger() == sems.ledger()
    run(s.k, s.lwp)
    fatal(s.lwp, Sig.SIGKILL)
    assert (sems.values, sems.undo) == ([0, 0], {})
    assert ledger_check(s.k) == []


def test_limits_of_a_process() -> None:
    s = Stage("native")
    assert s.p.rctls is not None
    rctl_set_value(s.p.rctls, "process.max-sem-nsems", 4)
    rctl_set_value(s.p.rctls, "process.max-sem-ops", 2)
    rctl_set_value(s.p.rctls, "process.max-msg-qbytes", 100)
    with pytest.raises(KernelError) as e:
        semget(s.lwp, 0, 5, 0o600)
    assert e.value.errno is Errno.EINVAL
    sems = semget(s.lwp, 0, 4, 0o600)
    with pytest.raises(KernelError) as e:
        semop(s.lwp, sems.id, [SemOp(0, 1, 0)] * 3)
    assert e.value.errno is Errno.E2BIG
    queue = msgget(s.lwp, 0, 0o600)
    assert isinstance(queue, MsgQueue)
    msgsnd(s.lwp, queue.id, 1, bytes(60), 0)
    with pytest.raises(KernelError) as e:
        msgsnd(s.lwp, queue.id, 1, bytes(60), IPC_NOWAIT)
    assert e.value.errno is Errno.EAGAIN
    assert msgrcv(s.lwp, queue.id, 100, 0, 0) == (1, bytes(60))
