"""Packed nvlists: both encodings, and what is none."""

from __future__ import annotations

import random
from contextlib import suppress
from struct import pack

import pytest

from personae.brands.native.nvunpack import Pairs, unpack
from personae.core.errno import Errno, KernelError

WANT: Pairs = {"zone.max-lwps": [{"limit": 7, "action": 2}, {"limit": 9}]}


def xdr_text(text: str) -> bytes:
    raw = text.encode()
    return pack(">I", len(raw)) + raw.ljust(len(raw) + 3 & ~3, b"\0")


def xdr_list(pairs: Pairs) -> bytes:
    out = pack(">II", 0, 1)
    for name, value in pairs.items():
        if isinstance(value, int):
            body = xdr_text(name) + pack(">IIQ", 8, 1, value)
        else:
            lists = b"".join(xdr_list(one) for one in value)
            body = xdr_text(name) + pack(">II", 20, len(value)) + lists
        out += pack(">II", len(body) + 8, 64) + body
    return out + pack(">II", 0, 0)


def native_pairs(pairs: Pairs) -> bytes:
    out = b""
    for name, value in pairs.items():
        raw = name.encode() + b"\0"
        n, kind = (1, 8) if isinstance(value, int) else (len(value), 20)
        size = 16 + len(raw) + 7 & ~7
        body = pack("<Q", value) if isinstance(value, int) else bytes(32 * n)
        head = pack("<ihhii", size + len(body), len(raw), 0, n, kind) + raw
        out += head.ljust(size, b"\0") + body
        if not isinstance(value, int):
            out += b"".join(native_pairs(one) for one in value)
    return out + pack("<i", 0)


XDR = b"\1\1\0\0" + xdr_list(WANT)
NATIVE = b"\0\1\0\0" + pack("<iI", 0, 1) + native_pairs(WANT)


@pytest.mark.parametrize("data", [XDR, NATIVE], ids=["xdr", "native"])
def test_lists_in_lists(data: bytes) -> None:
    assert unpack(data) == WANT


@pytest.mark.parametrize("data", [b"", b"\1", b"\2\0\0\0", b"\0\0\0\0", b"\1\0\0\0\7"])
def test_no_list_at_all(data: bytes) -> None:
    with pytest.raises(KernelError) as e:
        unpack(data)
    assert e.value.errno is Errno.EINVAL


@pytest.mark.parametrize("data", [XDR, NATIVE], ids=["xdr", "native"])
def test_damaged_lists_are_refused_or_read(data: bytes) -> None:
    """Cut anywhere it is EINVAL; with a byte changed it is EINVAL or some list."""
    for n in range(len(data) - 8):
        with pytest.raises(KernelError):
            unpack(data[:n])
    rng = random.Random(1)
    for _ in range(2000):
        bad = bytearray(data)
        bad[rng.randrange(len(bad))] = rng.randrange(256)
        with suppress(KernelError):  # and nothing else
            unpack(bytes(bad))
