"""xv6-riscv as a brand: programs built for it run unmodified.

The interface is that of the teaching system of MIT's course 6.1810: 21 system calls,
-1 for every error, no signals, no users, directories that are read as files.
What the kernel underneath does better than xv6 (copy-on-write, no limit of open
files of the system) is not hidden; ``syscalls.toml`` says where a program can tell.
"""

from __future__ import annotations

from pathlib import Path

from personae.core.brand import Brand
from personae.core.conform import Conformance
from personae.core.execrules import ExecRules
from personae.core.syscall import load_sysent
from personae_xv6 import files, procs
from personae_xv6.ops import Xv6Ops

BRAND = Brand(
    "xv6",
    Xv6Ops(),
    load_sysent(Path(__file__).with_name("syscalls.toml"), vars(files) | vars(procs)),
    description="xv6-riscv: 21 system calls, -1 on error",
    conformance=Conformance(programs=Path(__file__).with_name("conform")),
    exec_rules=ExecRules(lowest=0, read_in=True, stack=False),
)
