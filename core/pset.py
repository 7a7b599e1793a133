"""Processor sets (pset_create(2)): CPUs that serve only lwps that are bound to them.

A CPU is in one set at most; those in none serve all other lwps.  Sets and resource
pools exclude each other, for a pool has a set of its own.

Must not know: brands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.cred import Priv
from personae.core.errno import Errno, KernelError
from personae.core.policy import hasprocperm, priv_policy

if TYPE_CHECKING:
    from personae.core.kernel import Kernel
    from personae.core.lwp import Lwp

PS_NONE = -1


def _check(lwp: Lwp) -> Kernel:
    """Who changes sets needs sys_res_config, and no pools."""
    priv_policy(lwp.cred, Priv.SYS_RES_CONFIG)
    k = lwp.kernel
    if len(k.pools) > 1:
        raise KernelError(Errno.ENOTSUP, "resource pools are in use")
    return k


def pset_cpus(kernel: Kernel, ident: int) -> tuple[int, ...]:
    """CPUs of a set, PS_NONE for those in no set; EINVAL, there is none."""
    if ident == PS_NONE:
        taken = {c for cpus in kernel.psets.values() for c in cpus}
        return tuple(c for c in range(kernel.ncpus) if c not in taken)
    if ident not in kernel.psets:
        raise KernelError(Errno.EINVAL, f"no processor set {ident}")
    return kernel.psets[ident]


def pset_of_cpu(kernel: Kernel, cpu: int) -> int:
    """The set that a CPU is in; PS_NONE for none."""
    if not 0 <= cpu < kernel.ncpus:
        raise KernelError(Errno.EINVAL, f"CPU {cpu}")
    return next((n for n, cpus in kernel.psets.items() if cpu in cpus), PS_NONE)


def pset_create(lwp: Lwp) -> int:
    """A new set, without CPUs."""
    k = _check(lwp)
    ident = next(n for n in range(1, len(k.psets) + 2) if n not in k.psets)
    k.psets[ident] = ()
    return ident


def pset_destroy(lwp: Lwp, ident: int) -> None:
    """Its CPUs and lwps are everybody's again."""
    k = _check(lwp)
    pset_cpus(k, ident)
    if ident == PS_NONE:
        raise KernelError(Errno.EINVAL, "the rest is no set")
    del k.psets[ident]
    for t in _bound(k, ident):
        t.bind_pset = PS_NONE


def pset_assign(lwp: Lwp, ident: int, cpu: int) -> int:
    """Put a CPU into a set, or with PS_NONE into none; answers where it was.

    Raises:
        KernelError: EINVAL; EBUSY, it is the last one for somebody, or lwps are
            bound to it alone.
    """
    k = _check(lwp)
    pset_cpus(k, ident)
    was = pset_of_cpu(k, cpu)
    if was == ident:
        return was
    if len(pset_cpus(k, was)) == 1 and (was == PS_NONE or _bound(k, was)):
        raise KernelError(Errno.EBUSY, f"CPU {cpu} is the last one of its set")
    if any(t.bind_cpu == cpu for p in k.practive for t in p.lwps):
        raise KernelError(Errno.EBUSY, f"lwps are bound to CPU {cpu}")
    if was != PS_NONE:
        k.psets[was] = tuple(c for c in k.psets[was] if c != cpu)
    if ident != PS_NONE:
        k.psets[ident] = tuple(sorted((*k.psets[ident], cpu)))
    k.disp.restricted = True
    k.preempt(lwp)  # the caller may be on a CPU that is not its own any more
    return was


def pset_bind(lwp: Lwp, ident: int, lwps: list[Lwp]) -> None:
    """Bind lwps to a set, or with PS_NONE to none.

    Raises:
        KernelError: EINVAL, no such set, or it has no CPUs; EPERM.
    """
    priv_policy(lwp.cred, Priv.SYS_RES_CONFIG)
    if not pset_cpus(lwp.kernel, ident):
        raise KernelError(Errno.EINVAL, f"processor set {ident} is empty")
    if not all(hasprocperm(lwp.cred, t.proc.cred) for t in lwps):
        raise KernelError(Errno.EPERM, "a process of another")
    for t in lwps:
        t.bind_pset = ident
        lwp.kernel.preempt(t)


def _bound(kernel: Kernel, ident: int) -> list[Lwp]:
    return [t for p in kernel.practive for t in p.lwps if t.bind_pset == ident]
