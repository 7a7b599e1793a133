"""Start a program in a zone from outside (start_init and zlogin in one).

The process is made by newproc's user branch as a child of the zone's zsched, gets
a session of its own and its files, and execs; only then does it run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.errno import Errno, KernelError, Panic
from personae.core.exec import exec_common
from personae.core.forklwp import lwp_start
from personae.core.lwp import TState
from personae.core.newproc import newproc
from personae.core.regs import CYCLE
from personae.core.session import sess_create
from personae.core.signo import CldCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from personae.core.cred import Cred
    from personae.core.file import File
    from personae.core.kernel import Kernel
    from personae.core.proc import Proc
    from personae.core.vfs.vnode import Vnode
    from personae.core.zone import Zone

DEFAULT_PATH = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def start_program(
    kernel: Kernel,
    zone: Zone,
    argv: Sequence[bytes],
    envp: Sequence[bytes],
    files: Sequence[File],
    *,
    cwd: Vnode | None = None,
    cred: Cred | None = None,
    tty: object | None = None,
    init: bool = False,
) -> Proc:
    """Make a process that runs ``argv`` in ``zone``.

    Args:
        kernel: The kernel.
        zone: A running zone.
        argv: Arguments; ``argv[0]`` is looked for in PATH if it has no slash.
        envp: ``NAME=value`` strings.
        files: Descriptors 0, 1, ...; the references become the process'.
        cwd: Its working directory; the zone's root by default.
        cred: Whose rights it has; the zone's root user by default.
        tty: Its controlling terminal, if any.
        init: Make it the zone's init.

    Returns:
        The process, about to run.

    Raises:
        KernelError: It can't be made or exec fails (ENOENT, EACCES, ENOEXEC ...); no
            process is left behind.
    """
    if not argv:
        raise KernelError(Errno.EINVAL, "no program to start")
    if zone.zsched is None or zone.root is None:
        raise Panic(f"{zone!r} is not booted")
    name = argv[0].rsplit(b"/", 1)[-1][:15]
    lwp = newproc(kernel, zone.zsched, system=False, name=name, zone=zone, cred=cred)
    proc = lwp.proc
    proc.user.u_cdir = (cwd or zone.root).hold()
    sess_create(proc)
    for fd, file in enumerate(files):
        got = proc.fds.alloc(file, 1024)
        if got != fd:
            raise Panic("descriptors of a new process are not its first ones")
    if tty is not None and proc.sess is not None:
        tty.acquire(proc)  # type: ignore[attr-defined]
    if init:
        zone.init = proc
    kernel.current = lwp
    lwp.state = TState.TS_ONPROC
    lwp.regs[CYCLE] = kernel.now
    try:
        _exec(lwp, argv, envp)
    except KernelError:
        kernel.proc_exit(lwp, CldCode.EXITED, 127)
        raise
    finally:
        kernel.current = None
    lwp.state = TState.TS_STOPPED
    lwp_start(lwp)
    return proc


def _exec(lwp: object, argv: Sequence[bytes], envp: Sequence[bytes]) -> None:
    """exec, along PATH as execvp(3) does it."""
    if b"/" in argv[0]:
        exec_common(lwp, argv[0], list(argv), list(envp))  # type: ignore[arg-type]
        return
    path = next((e[5:] for e in envp if e.startswith(b"PATH=")), DEFAULT_PATH)
    denied: KernelError | None = None
    for folder in path.split(b":"):
        full = (folder or b".") + b"/" + argv[0]
        try:
            exec_common(lwp, full, list(argv), list(envp))  # type: ignore[arg-type]
        except KernelError as e:
            if e.errno is Errno.EACCES:
                denied = e
            elif e.errno not in (Errno.ENOENT, Errno.ENOTDIR):
                raise
        else:
            return
    raise denied or KernelError(Errno.ENOENT, f"{argv[0].decode()!r} is not in PATH")
