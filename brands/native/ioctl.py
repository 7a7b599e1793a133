"""Files of the native brand that take ioctl requests of their own.

``sys_ioctl`` asks such a node first; requests to all others are those of the core's
vnodes, by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.errno import Errno, KernelError

if TYPE_CHECKING:
    from personae.core.lwp import Lwp


class IoctlNode:
    """Mixed into a vnode whose requests come with illumos' numbers."""

    def n_ioctl(self, lwp: Lwp, flag: int, cmd: int, arg: int) -> int:
        """ioctl(2).

        Args:
            lwp: The caller.
            flag: Flags of the open file.
            cmd: The request.
            arg: The third argument as it came.

        Raises:
            KernelError: As the file's manual page says.
            Sleep: It has to wait.
        """
        raise KernelError(Errno.EINVAL, f"request {cmd:#x}")
