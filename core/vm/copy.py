"""Copies between the kernel and a program (copyin, copyout, copyinstr).

They fault as the program's own accesses would: zero pages are filled,
copy-on-write is broken, stacks grow.  The usual copy is one call of the
hardware; where that stops, ``fault`` settles what it can and the copy goes on.

Must not know: segments, processes.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from personae.core.errno import Errno, KernelError
from personae.core.msacct import KFAULT, trap_mstate
from personae.core.vm import hat
from personae.core.vm.layout import COPY_MAX, COPY_STEP, USER_TOP, Fault

if TYPE_CHECKING:
    from personae.core.kernel import Kernel

_struct = lru_cache(maxsize=256)(struct.Struct)


class UserCopy:
    """The copy functions of an address space."""

    kernel: Kernel
    hwid: int

    def fault(self, addr: int, access: int, trap: int) -> Fault:
        """Settle a fault; see ``As``."""
        raise NotImplementedError

    def copyin(self, addr: int, n: int) -> bytes:
        """``n`` bytes of the program at ``addr``.

        Raises:
            KernelError: EFAULT; ENOMEM, no frame for a page of it.
        """
        if 0 <= n <= COPY_STEP and addr + n <= USER_TOP:
            data = self.kernel.hw.copyin(self.hwid, addr, n)
            if len(data) == n:
                return data
            return self._copyin_on(addr, n, data)
        if not 0 <= n <= COPY_MAX or addr + n > USER_TOP:
            raise KernelError(Errno.EFAULT, f"copyin of {n} bytes at {addr:#x}")
        steps = range(0, n, COPY_STEP)
        return b"".join(self.copyin(addr + i, min(COPY_STEP, n - i)) for i in steps)

    def _copyin_on(self, addr: int, n: int, data: bytes) -> bytes:
        hw = self.kernel.hw
        parts, done = [data], len(data)
        try:
            while done < n:
                self._settle(hat.LOAD)
                data = hw.copyin(self.hwid, addr + done, n - done)
                parts.append(data)
                done += len(data)
        finally:
            self._shut()
        return b"".join(parts)

    def copyout(self, addr: int, data: bytes | bytearray | memoryview) -> None:
        """Write ``data`` at ``addr``, as the program would.

        What comes before the bad address may have been written.

        Raises:
            KernelError: EFAULT; ENOMEM, no frame for a page of it.
        """
        n = len(data)
        if addr + n > USER_TOP:
            raise KernelError(Errno.EFAULT, f"copyout of {n} bytes at {addr:#x}")
        hw = self.kernel.hw
        done = hw.copyout(self.hwid, addr, data)
        if done == n:
            return
        rest = memoryview(data)
        try:
            while done < n:
                self._settle(hat.STORE)
                done += hw.copyout(self.hwid, addr + done, rest[done:])
        finally:
            self._shut()

    def copyinstr(self, addr: int, max: int = 4096) -> bytes:  # noqa: A002
        """The string at ``addr`` without its NUL.

        Raises:
            KernelError: EFAULT; ENAMETOOLONG, no NUL among the first ``max`` bytes;
                ENOMEM.
        """
        hw = self.kernel.hw
        while addr < USER_TOP:
            got = hw.copyinstr(self.hwid, addr, max)
            if isinstance(got, bytes):
                return got
            if got != hat.EFAULT:
                raise KernelError(Errno.ENAMETOOLONG, f"string over {max} bytes")
            try:
                self._settle(hat.LOAD)
                got = hw.copyinstr(self.hwid, addr, max)
            finally:
                self._shut()
            if isinstance(got, bytes):
                return got
        raise KernelError(Errno.EFAULT, f"string at {addr:#x}")

    def _settle(self, access: int) -> None:
        """Let the kernel settle what stopped a copy, or raise."""
        hw = self.kernel.hw
        addr = hw.fault_addr()
        lwp = self.kernel.current
        if lwp is not None:
            trap_mstate(lwp, KFAULT)
        fault = self.fault(addr, access, hw.fault_trap())
        if fault is Fault.OK:
            return
        if fault is Fault.WATCH:  # the kernel is let through
            self._open()
            return
        if fault is Fault.NOMEM:
            raise KernelError(Errno.ENOMEM, f"no frame for {addr:#x}")
        raise KernelError(Errno.EFAULT, f"{fault.name} at {addr:#x}")

    def _open(self) -> None:
        """Open the watched pages for a copy."""
        raise NotImplementedError

    def _shut(self) -> None:
        """The copy is over; see ``As``."""

    def load(self, addr: int, fmt: str) -> tuple[Any, ...]:
        """Unpack a struct of the program: ``(x,) = as_.load(addr, "<I")``."""
        st = _struct(fmt)
        return st.unpack(self.copyin(addr, st.size))

    def store(self, addr: int, fmt: str, *vals: Any) -> None:
        """Pack ``vals`` into the program's memory."""
        self.copyout(addr, _struct(fmt).pack(*vals))
