"""Name-value lists as illumos packs them natively (libnvpair(3LIB), NV_ENCODE_NATIVE).

The kernel side only packs: the status and the events of contracts travel so.  After
a header (encoding, byte order) come version and flags, then the pairs, each with its
size in front and aligned to 8 bytes, and a zero size at the end.

    header   u8 encoding (0 native), u8 endian (1 little), u16 reserved
    list     i32 version, u32 flags (1: names are unique)
    pair     i32 size, i16 name size, i16 reserved, i32 elements, i32 type,
             name with NUL, padded to 8 from the pair's start; value, padded to 8
    end      i32 0
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct, pack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NV_UNIQUE_NAME = 1
_HEAD = Struct("<BBHiI")
_PAIR = Struct("<ihhii")


class NvType(IntEnum):
    """Types of values (data_type_t) that the kernel side has a use for."""

    INT32 = 5
    UINT32 = 6
    UINT64 = 8
    STRING = 9
    UINT32_ARRAY = 14


def _align(n: int) -> int:
    return n + 7 & ~7


def _value(kind: NvType, value: int | bytes | Sequence[int]) -> tuple[int, bytes]:
    """Number of elements, and the bytes."""
    if isinstance(value, bytes):
        return 1, value + b"\0"
    if not isinstance(value, int):
        return len(value), pack(f"<{len(value)}I", *value)
    form = {NvType.INT32: "<i", NvType.UINT32: "<I", NvType.UINT64: "<Q"}
    return 1, pack(form[kind], value)


def nvpack(pairs: Iterable[tuple[bytes, NvType, int | bytes | Sequence[int]]]) -> bytes:
    """Pack a list with unique names, in the order given.

    >>> nvpack([(b"a", NvType.UINT32, 7)]).hex(" ", 8)
    '0001000000000000 0100000020000000 0200000001000000 0600000061000000 \
0000000007000000 0000000000000000'
    """
    out = [_HEAD.pack(0, 1, 0, 0, NV_UNIQUE_NAME)]
    for name, kind, value in pairs:
        count, data = _value(kind, value)
        head = _align(_PAIR.size + len(name) + 1)
        size = head + _align(len(data))
        text = _PAIR.pack(size, len(name) + 1, 0, count, kind) + name
        out.append(text.ljust(head, b"\0") + data.ljust(_align(len(data)), b"\0"))
    return b"".join(out) + bytes(4)
