"""The table of system calls is complete and honest."""

from __future__ import annotations

import re
import subprocess

import pytest

from personae.brands.linux import BRAND, HANDLERS
from personae.core.syscall import Level

NEWER = {
    451: "cachestat",
    452: "fchmodat2",
    453: "map_shadow_stack",
    454: "futex_wake",
    455: "futex_wait",
    456: "futex_requeue",
    457: "statmount",
    458: "listmount",
    459: "lsm_get_self_attr",
    460: "lsm_set_self_attr",
    461: "lsm_list_modules",
    462: "mseal",
}
"""Calls of Linux 6.12 that older headers don't have."""


def header_numbers(cc: str) -> dict[int, str]:
    """Numbers and names of asm/unistd.h."""
    text = subprocess.run(
        [cc, "-E", "-dM", "-include", "asm/unistd.h", "-x", "c", "/dev/null"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = re.findall(r"#define __NR(?:3264)?_(\w+) (\d+)$", text, re.MULTILINE)
    skip = {"syscalls", "arch_specific_syscall"}
    return {int(n): name for name, n in found if name not in skip}


def test_every_number(cross_cc: str) -> None:
    """Every number of the header is in the table."""
    numbers = header_numbers(cross_cc)
    if not numbers:
        pytest.skip("no asm/unistd.h")
    missing = {n: name for n, name in numbers.items() if n not in BRAND.sysent}
    assert missing == {}


def test_names(cross_cc: str) -> None:
    """Names are those of the header."""
    aliases = {"fstatat": "newfstatat"}
    wrong = {
        n: (name, BRAND.sysent[n].name)
        for n, name in header_numbers(cross_cc).items()
        if BRAND.sysent[n].name not in (name, aliases.get(name))
    }
    assert wrong == {}


def test_newer_calls() -> None:
    """Calls newer than the header."""
    assert {n: BRAND.sysent[n].name for n in NEWER} == NEWER


def test_every_handler_is_used() -> None:
    """No handler is without a row."""
    used = {e.fn for e in BRAND.sysent.values()}
    assert [name for name, fn in HANDLERS.items() if fn not in used] == []


def test_partial_rows_say_what_is_missing() -> None:
    """A partial call has a note."""
    rows = BRAND.sysent.values()
    assert [e.name for e in rows if e.level is Level.PARTIAL and not e.note] == []
