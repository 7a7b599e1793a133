"""Brands: the personality of a zone (sys/brand.h, os/brand.c).

A brand is a name, a vector of operations and a table of system calls.  The
native brand is a brand like the others, whose operations are the null object
``DefaultOps``, so the kernel never asks whether a process is branded.

Lock order: none of its own.  Must not know: any particular brand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from personae.core.conform.declare import Conformance
from personae.core.errno import Errno, KernelError
from personae.core.execrules import ExecRules
from personae.core.hookspecs import API_VERSION, BrandSpec, hookimpl
from personae.core.plugin import PluginError, Vector

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.signo import SigInfo
    from personae.core.syscall import Sysent
    from personae.core.zone import Zone

REQUIRED = ("b_elfexec", "b_lwp_setrval", "b_sysret", "b_syserr")
"""Operations that have no meaning until a brand gives one."""


DEFAULT_RULES = ExecRules()


class DefaultOps:
    """What an operation does in a brand that leaves it out: as little as possible."""

    @hookimpl
    def b_init_brand_data(self, zone: Zone) -> None:
        """No zone data."""
        zone.brand_data = None

    @hookimpl
    def b_free_brand_data(self, zone: Zone) -> None:
        """Drop zone data."""
        zone.brand_data = None

    @hookimpl
    def b_mountzone(self) -> None:
        """Mount nothing."""

    @hookimpl
    def b_setbrand(self, proc: Proc) -> None:
        """No process data."""
        proc.brand_data = None

    @hookimpl
    def b_copy_procdata(self, child: Proc, parent: Proc) -> None:
        """Plain data is taken over as it is."""
        child.brand_data = parent.brand_data

    @hookimpl
    def b_clearbrand(self, proc: Proc) -> None:
        """Drop process data."""
        proc.brand_data = None

    @hookimpl
    def b_lwpdata_alloc(self) -> Any:
        """No lwp data."""
        return None

    @hookimpl
    def b_lwpdata_free(self) -> None:
        """Nothing to free."""

    @hookimpl
    def b_initlwp(self, lwp: Lwp, data: Any) -> None:
        """Install what was allocated."""
        lwp.brand_lwp = data

    @hookimpl
    def b_initlwp_post(self) -> None:
        """Nothing."""

    @hookimpl
    def b_forklwp(self) -> None:
        """Nothing."""

    @hookimpl
    def b_exec(self) -> None:
        """Nothing."""

    @hookimpl
    def b_lwpexit(self) -> None:
        """Nothing."""

    @hookimpl
    def b_freelwp(self, lwp: Lwp) -> None:
        """Drop lwp data."""
        lwp.brand_lwp = None

    @hookimpl
    def b_proc_exit(self) -> None:
        """Nothing."""

    @hookimpl
    def b_exit_with_sig(self, proc: Proc, info: SigInfo) -> None:
        """SIGCLD by the generic rules (sigcld)."""
        proc.kernel.sigcld(proc, info)

    @hookimpl
    def b_reaper(self) -> Proc | None:
        """The zone's init."""
        return None

    @hookimpl
    def b_wait_filter(self) -> bool:
        """Every child is seen."""
        return True

    @hookimpl
    def b_coreinfo(self) -> bool:
        """The kernel's own numbers, and the names of coreadm(8)."""
        return True

    @hookimpl
    def b_sendsig(self) -> None:
        """No handlers: a process that set one dies of SIGSEGV when it should run."""
        raise KernelError(Errno.EFAULT, "the brand has no signal frames")

    @hookimpl
    def b_nosys(self) -> None:
        """ENOSYS and nothing else."""


class Brand:
    """A personality.

    Args:
        name: What zones ask for in their ``brand`` key.
        ops: Object with ``@hookimpl`` methods named as in ``BrandSpec``.
        sysent: Its system calls by number.
        description: One line for ``personae brands``.
        api: The API version that it was written for.
        sigcld_discard: Whether the wait that reaps a child also drops its pending
            SIGCLD (illumos does, Linux does not).
        sig_deadly: Set of signals that end a process by default here, though they
            are ignored in illumos.
        exec_rules: How exec builds an address space.
        conformance: Its suite, and how the kit makes its calls; what every brand
            gets without it is in ``core.conform``.
        compiler: ``module:function`` that compiles C programs for it: takes the
            arguments of a cc command, answers its status (``personae cc``).
        programs: Names of the programs that a zone of it finds in an empty root.

    Raises:
        PluginError: The operations don't fit; the text says which and how.
    """

    def __init__(
        self,
        name: str,
        ops: object,
        sysent: Mapping[int, Sysent],
        *,
        description: str = "",
        api: int = API_VERSION,
        sigcld_discard: bool = False,
        sig_deadly: int = 0,
        exec_rules: ExecRules = DEFAULT_RULES,
        conformance: Conformance | None = None,
        compiler: str = "",
        programs: Iterable[str] = (),
    ) -> None:
        if api != API_VERSION:
            raise PluginError(
                f"brand {name}: written for API version {api}, this is {API_VERSION}; "
                "update its package, or personae"
            )
        if not name or not name.replace("-", "").replace("_", "").isalnum():
            raise PluginError(f"brand {name!r}: not a name (letters, digits, - and _)")
        self.name = name
        self.description = description
        self.sigcld_discard = sigcld_discard
        self.sig_deadly = sig_deadly
        self.exec_rules = exec_rules
        self.conformance = conformance or Conformance()
        self.compiler = compiler
        self.programs = tuple(programs)
        self.plugin = ops
        self.ops: Any = Vector(BrandSpec, ops, f"brand {name}", DefaultOps)
        self.sysent = dict(sysent)

    def __repr__(self) -> str:
        return f"<Brand {self.name}>"


class BrandTable:
    """The brands of one machine, and how many zones use each (os/brand.c)."""

    def __init__(self) -> None:
        self.brands: dict[str, Brand] = {}
        self.refcnt: dict[str, int] = {}

    def register(self, brand: Brand) -> None:
        """Add a brand.

        Raises:
            KernelError: EINVAL, the name is taken.
        """
        if self.brands.get(brand.name, brand) is not brand:
            raise KernelError(
                Errno.EINVAL,
                f"a brand {brand.name} exists already; give one of them another name",
            )
        self.brands[brand.name] = brand
        self.refcnt.setdefault(brand.name, 0)

    def unregister(self, name: str) -> None:
        """Remove a brand that no zone uses.

        Raises:
            KernelError: EINVAL, no such brand; EBUSY, zones use it.
        """
        if name not in self.brands:
            raise KernelError(Errno.EINVAL, f"no brand {name}")
        if self.refcnt[name]:
            raise KernelError(Errno.EBUSY, f"{self.refcnt[name]} zones use {name}")
        del self.brands[name], self.refcnt[name]

    def hold(self, name: str) -> Brand:
        """Find a brand for a zone and count the zone.

        Raises:
            KernelError: EINVAL, no such brand.
        """
        brand = self.brands.get(name)
        if brand is None:
            known = ", ".join(sorted(self.brands)) or "none"
            raise KernelError(Errno.EINVAL, f"no brand {name!r}; there are: {known}")
        self.refcnt[name] += 1
        return brand

    def rele(self, brand: Brand) -> None:
        """A zone stops using a brand."""
        self.refcnt[brand.name] -= 1
