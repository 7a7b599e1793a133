"""The linux brand: unmodified programs for riscv64 Linux.

``syscalls.toml`` says for every system call of Linux 6.12 whether it is there and
what is missing; ``ops.py`` holds the operations that the kernel calls.
"""

from __future__ import annotations

from pathlib import Path

from personae.brands.linux import (
    futex,
    signals,
    sys_clone,
    sys_cred,
    sys_dir,
    sys_event,
    sys_fd,
    sys_fdctl,
    sys_file,
    sys_mem,
    sys_message,
    sys_misc,
    sys_poll,
    sys_proc,
    sys_sched,
    sys_sem,
    sys_shm,
    sys_signal,
    sys_socket,
    sys_sockopt,
    sys_time,
    sys_tty,
    timers,
)
from personae.brands.linux.ops import LinuxOps
from personae.core.brand import Brand
from personae.core.conform import Calls, Conformance
from personae.core.signo import Sig, sigbit
from personae.core.syscall import load_sysent

HANDLERS = {
    name: fn
    for module in (
        futex,
        signals,
        sys_clone,
        sys_cred,
        sys_dir,
        sys_event,
        sys_fd,
        sys_fdctl,
        sys_file,
        sys_mem,
        sys_message,
        sys_misc,
        sys_poll,
        sys_proc,
        sys_sched,
        sys_sem,
        sys_shm,
        sys_signal,
        sys_socket,
        sys_sockopt,
        sys_time,
        sys_tty,
        timers,
    )
    for name, fn in vars(module).items()
    if name.startswith("sys_") and callable(fn)
}

BRAND = Brand(
    "linux",
    LinuxOps(),
    load_sysent(Path(__file__).with_name("syscalls.toml"), HANDLERS),
    description="riscv64 Linux: unmodified Debian programs",
    sig_deadly=sigbit(Sig.SIGPWR),
    conformance=Conformance(
        programs=Path(__file__).with_name("conform"),
        calls=Calls(
            fork=("clone", 17, 0, 0, 0, 0),
            vfork=("clone", 0x4111, 0, 0, 0, 0),  # CLONE_VFORK | CLONE_VM | SIGCHLD
            exit=("exit_group", "code"),
            wait=("wait4", -1, "buffer", 0, 0),
            exec=("execve", "path", "argv", "envp"),
        ),
    ),
)
