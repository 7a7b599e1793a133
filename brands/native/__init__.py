"""The native brand: an illumos-like personality on RISC-V (see ``abi``).

A null object among brands: fork, exit and wait are the generic ones of the
core, and nothing of a Linux shape is in the way.
"""

from __future__ import annotations

from pathlib import Path

from personae.brands.native import (
    sys_attr,
    sys_core,
    sys_cred,
    sys_door,
    sys_fcntl,
    sys_file,
    sys_ioctl,
    sys_ipc,
    sys_lwp,
    sys_mem,
    sys_misc,
    sys_path,
    sys_poll,
    sys_proc,
    sys_rctl,
    sys_sched,
    sys_signal,
    sys_socket,
    sys_system,
    sys_time,
    sys_timer,
    sys_zone,
    userland,
)
from personae.brands.native.ops import NativeOps
from personae.core.brand import Brand
from personae.core.conform import Calls, Conformance
from personae.core.syscall import load_sysent

_HANDLERS = {
    name: fn
    for module in (
        sys_attr,
        sys_core,
        sys_cred,
        sys_door,
        sys_fcntl,
        sys_file,
        sys_ioctl,
        sys_ipc,
        sys_lwp,
        sys_mem,
        sys_misc,
        sys_path,
        sys_poll,
        sys_proc,
        sys_rctl,
        sys_sched,
        sys_signal,
        sys_socket,
        sys_system,
        sys_time,
        sys_timer,
        sys_zone,
    )
    for name, fn in vars(module).items()
    if name.startswith("sys_")
}

BRAND = Brand(
    "native",
    NativeOps(),
    load_sysent(Path(__file__).with_name("syscalls.toml"), _HANDLERS),
    description="illumos-like: fork1, forkall, vfork, contracts, zones",
    sigcld_discard=True,
    conformance=Conformance(
        programs=Path(__file__).with_name("conform"),
        calls=Calls(
            fork=("forksys", 0, 0),
            vfork=("forksys", 2, 0),
            wait=("waitid", 7, 0, "buffer", 1),  # P_ALL, WEXITED
            exec=("execve", "path", "argv", "envp"),
            results=("a0", "a1", "t0"),
            child="a1 != 0",
            error="t0 != 0",
        ),
    ),
    compiler="personae.brands.native.cc:compile_program",
    programs=userland.programs(),
)
