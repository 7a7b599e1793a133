"""Which invariants of fork the guest programs under ``tests/brands`` prove."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

BOTH: dict[str, tuple[int, ...]] = {
    "05-vfork-shares-and-suspends": (52, 53, 54),
    "08-vfork-exec-fails": (59,),
    "21-cow-refork": (25,),
    "22-cow-kernel-write": (25,),
    "27-fork-signal-state": (16, 17),
    "33-fork-fd-sharing": (11, 12),
    "47-rapid-fork-registers": (1,),
}
ONE: dict[str, dict[str, tuple[int, ...]]] = {
    "native": {
        "49-waitid-nowait": (87,),
        "60-forksys": (2, 66, 84, 85),
        "65-lwps": (41, 42),
        "68-vfork-holds-siblings": (56,),
        "69-vfork-parent-killed": (57,),
    },
    "linux": {
        "06-clone-vm-vfork": (67,),
        "12-clone-no-exit-signal": (84, 88, 89),
        "17-sigchld-ignored-reaps": (86,),
        "23-cow-mprotect": (25,),
        "25-private-file-fork": (25,),
        "50-clone-fs-files": (81,),
        "52-clone-tids": (82,),
        "61-vfork-parent-killed": (57,),
    },
}


def cases(folder: Path, brand: str) -> list[Any]:
    """The C files of a folder as parameters, marked with what they prove."""
    out = []
    for path in sorted(folder.glob("*.c")):
        numbers = BOTH.get(path.stem, ()) + ONE[brand].get(path.stem, ())
        marks = [pytest.mark.invariant(*numbers, brand=brand)] if numbers else []
        out.append(pytest.param(path, id=path.stem, marks=marks))
    return out
