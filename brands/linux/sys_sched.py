"""System calls about limits, priorities and scheduling."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from personae.brands.linux import policies
from personae.brands.linux.abi import RLIM_NLIMITS, RLIMIT, RLIMIT_NAMES, TIMESPEC
from personae.brands.linux.data import ldata, pdata
from personae.brands.linux.ktime import cycles_to_ns
from personae.brands.linux.pids import (
    find_proc,
    find_thread,
    pid_from_guest,
    zone_procs,
)
from personae.brands.linux.sys_fd import space_of
from personae.core.cred import Priv
from personae.core.errno import Errno, KernelError
from personae.core.policy import hasprocperm
from personae.core.rctl import rlimit_get, rlimit_set
from personae.core.syscall import s32

if TYPE_CHECKING:
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc

_NOFILE = 7
NR_OPEN = 1 << 20

# ---- resource limits ----


def _resource(resource: int) -> str:
    resource &= 0xFFFFFFFF
    if resource >= RLIM_NLIMITS:
        raise KernelError(Errno.EINVAL, f"resource {resource}")
    return RLIMIT_NAMES[resource].upper()


def _get_limit(proc: Proc, resource: int) -> bytes:
    soft, hard = rlimit_get(proc, _resource(resource))
    return RLIMIT.pack(soft, hard)


def _set_limit(lwp: Lwp, proc: Proc, resource: int, raw: bytes) -> None:
    soft, hard = RLIMIT.unpack(raw)
    name = _resource(resource)
    if soft > hard:
        raise KernelError(Errno.EINVAL, "soft limit above the hard one")
    if resource & 0xFFFFFFFF == _NOFILE and hard > NR_OPEN:
        raise KernelError(Errno.EPERM, "above nr_open")
    rlimit_set(proc, name, soft, hard, lwp.proc.cred, kill=True)


def sys_prlimit64(lwp: Lwp, pid: int, resource: int, new: int, old: int) -> int:
    """Read and set a limit of a process."""
    as_ = space_of(lwp)
    raw = as_.copyin(new, 16) if new else b""
    pid = s32(pid)
    proc = find_proc(lwp.proc.zone, pid) if pid else lwp.proc
    if proc is not lwp.proc and not hasprocperm(lwp.proc.cred, proc.cred):
        raise KernelError(Errno.EPERM, "limits of another's process")
    if proc.rctls is None:
        raise KernelError(Errno.ESRCH, "a zombie")
    was = _get_limit(proc, resource)
    if raw:
        _set_limit(lwp, proc, resource, raw)
    if old:
        as_.copyout(old, was)
    return 0


def sys_getrlimit(lwp: Lwp, resource: int, ptr: int) -> int:
    """Read a limit."""
    space_of(lwp).copyout(ptr, _get_limit(lwp.proc, resource))
    return 0


def sys_setrlimit(lwp: Lwp, resource: int, ptr: int) -> int:
    """Set a limit."""
    _resource(resource)
    _set_limit(lwp, lwp.proc, resource, space_of(lwp).copyin(ptr, 16))
    return 0


# ---- nice values ----

_PRIO_PROCESS, _PRIO_PGRP, _PRIO_USER = 0, 1, 2


def _selected(lwp: Lwp, which: int, who: int) -> list[Proc]:
    zone, me = lwp.proc.zone, lwp.proc
    if which == _PRIO_PROCESS:
        procs = [find_thread(zone, who).proc if who else me]
    elif which == _PRIO_PGRP:
        pgid = pid_from_guest(zone, who) if who else me.pgid
        procs = [p for p in zone_procs(zone) if p.pgid == pgid]
    elif which == _PRIO_USER:
        uid = who & 0xFFFFFFFF if who else me.cred.uid
        procs = [p for p in zone_procs(zone) if p.cred.uid == uid]
    else:
        raise KernelError(Errno.EINVAL, "which of priority")
    if not procs:
        raise KernelError(Errno.ESRCH, "nobody")
    return procs


def sys_getpriority(lwp: Lwp, which: int, who: int) -> int:
    """The best nice value, as 20 - nice."""
    procs = _selected(lwp, s32(which), s32(who))
    return max(20 - pdata(p).nice for p in procs)


def sys_setpriority(lwp: Lwp, which: int, who: int, nice: int) -> int:
    """Set nice values."""
    procs = _selected(lwp, s32(which), s32(who))
    nice = max(-20, min(19, s32(nice)))
    for p in procs:
        if not hasprocperm(lwp.proc.cred, p.cred):
            raise KernelError(Errno.EPERM, "priority of another's process")
        if nice < pdata(p).nice and not lwp.proc.cred.has(Priv.SYS_RESOURCE):
            raise KernelError(Errno.EACCES, "raising a priority")
        policies.set_nice(p, nice)
    return 0


# ---- scheduling policies (see ``policies``) ----

_SCHED_ATTR = Struct("<IIQiIQQQ")
_POLICIES = {0: (0, 0), 1: (1, 99), 2: (1, 99), 3: (0, 0), 5: (0, 0), 6: (0, 0)}
"""Lowest and highest priority by policy: OTHER FIFO RR BATCH IDLE DEADLINE."""
_RESET_ON_FORK = 0x40000000


def _thread(lwp: Lwp, pid: int) -> Lwp:
    pid = s32(pid)
    if pid < 0:
        raise KernelError(Errno.EINVAL, "negative pid")
    return find_thread(lwp.proc.zone, pid) if pid else lwp


def sys_sched_yield(lwp: Lwp) -> int:
    """Let others run."""
    lwp.kernel.yield_cpu(lwp)
    return 0


def sys_sched_getscheduler(lwp: Lwp, pid: int) -> int:
    """The policy."""
    return ldata(_thread(lwp, pid)).policy


def _check_policy(policy: int, prio: int) -> None:
    if policy not in _POLICIES or policy == 6:
        raise KernelError(Errno.EINVAL, f"policy {policy}")
    low, high = _POLICIES[policy]
    if not low <= prio <= high:
        raise KernelError(Errno.EINVAL, "priority for this policy")


def _set_policy(lwp: Lwp, t: Lwp, policy: int, prio: int) -> None:
    _check_policy(policy & ~_RESET_ON_FORK, prio)
    if t is not lwp and not hasprocperm(lwp.proc.cred, t.proc.cred):
        raise KernelError(Errno.EPERM, "policy of another's thread")
    policies.set_policy(t, policy, prio, lwp.proc.cred)


def sys_sched_setscheduler(lwp: Lwp, pid: int, policy: int, param: int) -> int:
    """Policy and priority of a thread."""
    policy = s32(policy)
    if policy < 0 or not param:
        raise KernelError(Errno.EINVAL, "sched_setscheduler")
    (prio,) = space_of(lwp).load(param, "<i")
    _set_policy(lwp, _thread(lwp, pid), policy, prio)
    return 0


def sys_sched_setparam(lwp: Lwp, pid: int, param: int) -> int:
    """The priority in the present policy."""
    if not param:
        raise KernelError(Errno.EINVAL, "sched_setparam")
    (prio,) = space_of(lwp).load(param, "<i")
    t = _thread(lwp, pid)
    _set_policy(lwp, t, ldata(t).policy, prio)
    return 0


def sys_sched_getparam(lwp: Lwp, pid: int, param: int) -> int:
    """The priority; 0 for a policy without."""
    if not param:
        raise KernelError(Errno.EINVAL, "sched_getparam")
    space_of(lwp).store(param, "<i", ldata(_thread(lwp, pid)).rtprio)
    return 0


def sys_sched_get_priority_max(lwp: Lwp, policy: int) -> int:
    """Highest priority of a policy."""
    if s32(policy) not in _POLICIES:
        raise KernelError(Errno.EINVAL, "policy")
    return _POLICIES[s32(policy)][1]


def sys_sched_get_priority_min(lwp: Lwp, policy: int) -> int:
    """Lowest priority of a policy."""
    if s32(policy) not in _POLICIES:
        raise KernelError(Errno.EINVAL, "policy")
    return _POLICIES[s32(policy)][0]


def sys_sched_rr_get_interval(lwp: Lwp, pid: int, tp: int) -> int:
    """The time slice."""
    t = _thread(lwp, pid)
    ns = policies.interval_ns(t)
    if ns is None:
        ns = cycles_to_ns(
            lwp.kernel, t.cls.ops.cl_quantum(t) if t.cls else lwp.kernel.quantum
        )
    space_of(lwp).copyout(tp, TIMESPEC.pack(ns // 10**9, ns % 10**9))
    return 0


def sys_sched_getattr(lwp: Lwp, pid: int, ptr: int, size: int, flags: int) -> int:
    """Policy and nice value."""
    size &= 0xFFFFFFFF
    if not ptr or s32(flags) or not 48 <= size <= 4096:
        raise KernelError(Errno.EINVAL, "sched_getattr")
    t = _thread(lwp, pid)
    data = ldata(t)
    flag = int(bool(data.policy & _RESET_ON_FORK))
    raw = _SCHED_ATTR.pack(
        48, data.policy & 0xFF, flag, pdata(t.proc).nice, data.rtprio, 0, 0, 0
    )
    space_of(lwp).copyout(ptr, raw)
    return 0


def sys_sched_setattr(lwp: Lwp, pid: int, ptr: int, flags: int) -> int:
    """Policy, priority and nice value."""
    if not ptr or s32(flags):
        raise KernelError(Errno.EINVAL, "sched_setattr")
    as_ = space_of(lwp)
    (size,) = as_.load(ptr, "<I")
    if size and not 48 <= size <= 4096:
        as_.store(ptr, "<I", 56)
        raise KernelError(Errno.E2BIG, "struct sched_attr")
    fields = _SCHED_ATTR.unpack(as_.copyin(ptr, 48))
    t = _thread(lwp, pid)
    flag = _RESET_ON_FORK if fields[2] & 1 else 0
    if fields[2] & ~1 or fields[1] & _RESET_ON_FORK:
        raise KernelError(Errno.EINVAL, "flags of sched_attr")
    nice = max(-20, min(19, fields[3]))
    raises = fields[1] in (0, 3) and nice < pdata(t.proc).nice
    if raises and not lwp.proc.cred.has(Priv.SYS_RESOURCE):
        raise KernelError(Errno.EPERM, "raising a priority")
    _set_policy(lwp, t, fields[1] | flag, fields[4])
    if fields[1] in (0, 3):
        policies.set_nice(t.proc, nice)
    return 0


def _cpus_of(t: Lwp) -> int:
    """Mask of the CPUs of its pool, as a cpuset would limit it."""
    pool = t.proc.pool
    cpus = pool.cpus if pool is not None else range(t.kernel.ncpus)
    return sum(1 << cpu for cpu in cpus)


def sys_sched_getaffinity(lwp: Lwp, pid: int, size: int, ptr: int) -> int:
    """The CPUs a thread may use."""
    size &= 0xFFFFFFFF
    ncpus = lwp.kernel.ncpus
    if size * 8 < ncpus or size & 7:
        raise KernelError(Errno.EINVAL, "size of a cpu set")
    t = _thread(lwp, pid)
    mask = _cpus_of(t)
    if t.bind_cpu >= 0 and mask >> t.bind_cpu & 1:
        mask = 1 << t.bind_cpu
    space_of(lwp).copyout(ptr, mask.to_bytes(8, "little"))
    return 8


def sys_sched_setaffinity(lwp: Lwp, pid: int, size: int, ptr: int) -> int:
    """Bind a thread to one CPU, or to none; a mask in between binds to none."""
    size = min(size & 0xFFFFFFFF, 1024)
    mask = int.from_bytes(space_of(lwp).copyin(ptr, size), "little")
    t = _thread(lwp, pid)
    if not hasprocperm(lwp.proc.cred, t.proc.cred):
        raise KernelError(Errno.EPERM, "affinity of another's thread")
    mask &= _cpus_of(t)
    if not mask:
        raise KernelError(Errno.EINVAL, "no CPU of this machine")
    single = mask & (mask - 1) == 0 and lwp.kernel.ncpus > 1
    lwp.kernel.bind_cpu(t, mask.bit_length() - 1 if single else -1)
    lwp.kernel.preempt(t)  # if it is the caller: it may be on the wrong CPU now
    return 0


def sys_getcpu(lwp: Lwp, cpu: int, node: int, _cache: int) -> int:
    """Which CPU the caller runs on."""
    as_ = space_of(lwp)
    if cpu:
        as_.store(cpu, "<I", lwp.cpu.id if lwp.cpu is not None else 0)
    if node:
        as_.store(node, "<I", 0)
    return 0


_IOPRIO_KINDS = (1, 2, 3)


def sys_ioprio_get(lwp: Lwp, which: int, who: int) -> int:
    """I/O priority; kept, not used."""
    if s32(which) not in _IOPRIO_KINDS:
        raise KernelError(Errno.EINVAL, "which of ioprio")
    procs = _selected(lwp, s32(which) - 1, s32(who))
    return pdata(procs[0]).ioprio


def sys_ioprio_set(lwp: Lwp, which: int, who: int, prio: int) -> int:
    """Set an I/O priority."""
    prio = s32(prio)
    if s32(which) not in _IOPRIO_KINDS or prio >> 13 not in (0, 1, 2, 3):
        raise KernelError(Errno.EINVAL, "ioprio")
    for p in _selected(lwp, s32(which) - 1, s32(who)):
        if not hasprocperm(lwp.proc.cred, p.cred):
            raise KernelError(Errno.EPERM, "another's process")
        pdata(p).ioprio = prio
    return 0
