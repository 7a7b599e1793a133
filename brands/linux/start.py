"""The start of a program: stack, auxiliary vector, and the signal return page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.brands.linux import abi
from personae.brands.linux.data import ldata, pdata
from personae.brands.linux.sigabi import TO_NATIVE
from personae.brands.linux.signals import FRAME_SIZE, TRAMPOLINE
from personae.brands.linux.sys_cred import forget_caps
from personae.core.exec import StartState
from personae.core.execload import build_stack
from personae.core.proc import ProcFlag
from personae.core.rctl import rlimit_set
from personae.core.signal import psignal
from personae.core.signo import Sig, SigInfo
from personae.core.vm.layout import ET_DYN_BASE, PAGE, MapFlag, Prot

if TYPE_CHECKING:
    from personae.core.elf import ElfImage
    from personae.core.exec import ExecInfo
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.vm.as_ import As

SIGPAGE = ET_DYN_BASE - 2 * PAGE
"""Where handlers return to; below everything that is placed by itself."""

RLIMITS = (
    ("NOFILE", 1024, 1 << 20),
    ("NPROC", 4096, 4096),
    ("MEMLOCK", 8 << 20, 8 << 20),
    ("SIGPENDING", 4096, 4096),
    ("CORE", 0, abi.RLIM_INFINITY),
    ("MSGQUEUE", 819200, 819200),
    ("NICE", 0, 0),
    ("RTPRIO", 0, 0),
)
"""Limits of a program that the zone starts from outside, where not infinite."""


def elfexec(lwp: Lwp, image: ElfImage, info: ExecInfo) -> StartState:
    """Build the first stack as fs/binfmt_elf.c does (create_elf_tables)."""
    map_sigpage(info.as_)
    cred = info.cred
    auxv = [
        (abi.AT_HWCAP, abi.HWCAP_IMAFDC),
        (abi.AT_PAGESZ, PAGE),
        (abi.AT_CLKTCK, abi.USER_HZ),
        (abi.AT_PHDR, info.phdr),
        (abi.AT_PHENT, info.phent),
        (abi.AT_PHNUM, info.phnum),
        (abi.AT_BASE, info.interp_base),
        (abi.AT_FLAGS, 0),
        (abi.AT_ENTRY, info.entry),
        (abi.AT_UID, cred.uid),
        (abi.AT_EUID, cred.euid),
        (abi.AT_GID, cred.gid),
        (abi.AT_EGID, cred.egid),
        (abi.AT_SECURE, int(info.secure)),
        (abi.AT_MINSIGSTKSZ, FRAME_SIZE),
    ]
    placed = {abi.AT_RANDOM: info.random, abi.AT_EXECFN: info.execfn + b"\0"}
    stack = build_stack(info.as_, info.sp, info.argv, info.envp, auxv, placed)
    return StartState(
        sp=stack.sp,
        pc=info.start,
        auxv=stack.auxv,
        arg_range=stack.arg_range,
        env_range=stack.env_range,
    )


def map_sigpage(as_: As) -> None:
    """Map the page with the two instructions a handler returns to."""
    flags = MapFlag.PRIVATE | MapFlag.FIXED | MapFlag.NOREPLACE
    as_.map(SIGPAGE, PAGE, Prot.READ | Prot.WRITE, flags, name=b"[sigpage]")
    as_.copyout(SIGPAGE, TRAMPOLINE)
    as_.protect(SIGPAGE, PAGE, Prot.READ | Prot.EXEC)


def after_exec(lwp: Lwp) -> None:
    """What begin_new_exec resets."""
    proc = lwp.proc
    data = pdata(proc)
    data.exec()
    forget_caps(lwp)
    proc.exit_signal = Sig.SIGCLD
    thread = ldata(lwp)
    if thread.pidp is not None:
        # A thread that execs becomes the leader: it goes by the process' number.
        proc.kernel.pids.rele(thread.pidp)
        thread.pidp, thread.tid = None, 0
    release_vfork_parent(proc)
    parent = proc.parent
    if parent is proc.zone.zsched and not data.limits_set:
        data.limits_set = True
        for name, soft, hard in RLIMITS:
            rlimit_set(proc, name, soft, hard, proc.kernel.kcred)


def release_vfork_parent(proc: Proc) -> None:
    """A parent that waits in clone(VFORK) without VM goes on."""
    data = pdata(proc)
    cv, data.vfork_cv = data.vfork_cv, None
    if cv is not None:
        proc.kernel.wakeup(cv)


def subreaper_of(proc: Proc) -> Proc | None:
    """The nearest ancestor that adopts orphans (find_new_reaper, kernel/exit.c)."""
    p = proc.parent
    while p is not None and p.zone is proc.zone and p.brand is proc.brand:
        if p.flag & (ProcFlag.SSYS | ProcFlag.SEXITING):
            return None
        if pdata(p).subreaper:
            return p
        p = p.parent
    return None


def parent_died(child: Proc, sig: int) -> None:
    """PR_SET_PDEATHSIG."""
    parent = child.parent
    pid = parent.pid if parent is not None else 0
    nsig = TO_NATIVE[sig]
    psignal(child, nsig, SigInfo(nsig, 0, pid))
