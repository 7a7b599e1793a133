"""What any plugin may watch."""

# Specs are signatures only: arguments are named and never used here.
from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.hookspecs.marks import hookspec

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.signo import SigInfo
    from personae.core.zone import Zone


class ObserverSpec:
    """What any plugin may watch.

    An observer that raises what its field *May fail* does not allow is reported and,
    by the policy of the machine, switched off; the guests do not feel it.
    """

    @hookspec
    def personae_fork_step(self, op: str, step: str) -> None:
        """A step of a fork begins.

        When: before the step acquires anything.
        Locks: those of the step.
        May fail: yes, KernelError: the fork unwinds and returns that errno's image.
        Source: the goto sites of cfork, fork.c.
        """

    @hookspec
    def personae_proc_create(self, parent: Proc, child: Proc) -> None:
        """A fork has committed and the child can run.

        When: after cl_forkret, or for a vfork when the parent is about to wait.
        Locks: none.
        May fail: no.
        Source: proc:::create, fork.c:496.
        """

    @hookspec
    def personae_proc_exec(self, proc: Proc, path: bytes) -> None:
        """An exec has succeeded.

        When: after b_exec.
        Locks: none.
        May fail: no.
        Source: proc:::exec-success, os/exec.c.
        """

    @hookspec
    def personae_proc_exit(self, proc: Proc) -> None:
        """A process has become a zombie; its parent does not know yet.

        When: before b_exit_with_sig.
        Locks: none.
        May fail: no.
        Source: proc:::exit, os/exit.c.
        """

    @hookspec
    def personae_syscall_entry(
        self, lwp: Lwp, number: int, args: tuple[int, ...]
    ) -> None:
        """A system call begins.

        When: before its handler; not again when it is re-entered after a wait.
        Locks: none.
        May fail: yes, KernelError: the call returns that errno and is not made.
        Source: syscall:::entry, dtrace(8).
        """

    @hookspec
    def personae_syscall_return(
        self, lwp: Lwp, number: int, errno: int, v1: int
    ) -> None:
        """A system call ends; errno 0 is success.

        When: after b_sysret or b_syserr.
        Locks: none.
        May fail: no.
        Source: syscall:::return, dtrace(8).
        """

    @hookspec
    def personae_signal(self, lwp: Lwp, sig: int, info: SigInfo) -> None:
        """A signal is about to be acted upon.

        When: on the way to user mode.
        Locks: none.
        May fail: no.
        Source: proc:::signal-handle, psig, os/sig.c.
        """

    @hookspec
    def personae_cred(self, proc: Proc, old: Cred) -> None:
        """A process has other credentials than ``old``.

        When: setuid(2) and its like, and exec of a set-id file.
        Locks: none.
        May fail: no.
        Source: crset, os/cred.c.
        """

    @hookspec
    def personae_signal_send(self, proc: Proc, sig: int) -> None:
        """A signal is posted to a process or one of its lwps.

        When: before it is pending.
        Locks: pidlock, or none.
        May fail: no.
        Source: proc:::signal-send, sigtoproc, os/sig.c.
        """

    @hookspec
    def personae_fault(self, lwp: Lwp, fault: int, addr: int) -> None:
        """A program has done what ends in a signal; numbers of sys/fault.h.

        When: before the signal is posted.
        Locks: none.
        May fail: no.
        Source: proc:::fault, trap.c.
        """

    @hookspec
    def personae_exec_failure(self, proc: Proc, path: bytes, errno: int) -> None:
        """An exec has failed and the process goes on.

        When: what was built has been freed again.
        Locks: none.
        May fail: no.
        Source: proc:::exec-failure, os/exec.c.
        """

    @hookspec
    def personae_lwp_create(self, lwp: Lwp) -> None:
        """A lwp has been made; if its fork fails later, it goes without an exit.

        When: lwp_create, at its end.
        Locks: none.
        May fail: no.
        Source: proc:::lwp-create, os/lwp.c.
        """

    @hookspec
    def personae_lwp_exit(self, lwp: Lwp) -> None:
        """A lwp ends.

        When: before b_lwpexit.
        Locks: none.
        May fail: no.
        Source: proc:::lwp-exit, os/lwp.c.
        """

    @hookspec
    def personae_count(self, name: str, n: int) -> None:
        """A counter of kernel statistics goes up.

        When: after it went up.
        Locks: any.
        May fail: no.
        Source: sysinfo and vminfo, dtrace(8).
        """

    @hookspec
    def personae_tracepoint(self, lwp: Lwp, name: str) -> None:
        """A program has met a tracepoint in its text (``core.probes``).

        When: before the instruction there is executed.
        Locks: none.
        May fail: no.
        Source: the pid provider, fasttrap.c.
        """

    @hookspec
    def personae_zone_state(self, zone: Zone) -> None:
        """A zone has changed its state.

        When: after the change.
        Locks: none.
        May fail: no.
        Source: zone_status_set, os/zone.c.
        """
