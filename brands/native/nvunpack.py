"""Packed name-value lists read (nvlist_unpack(3NVPAIR)), in both encodings.

zone_create(2) takes the resource controls of a zone as one; ``nvlist`` packs.  A list
is four bytes (encoding, byte order of the writer, two of 0), version, flags, pairs, and
a size of 0.  In XDR a pair is its encoded and decoded size, name, type, number of
elements, value: 32- or 64-bit numbers, big-endian, a string is its length and its bytes
filled up to a multiple of 4; a list in a list is version, flags, pairs.  The native
layout is that of ``nvlist``; an array of lists is n pointers and n structures of 24
bytes in the pair, which mean nothing, and behind the pair the pairs of each list.
"""

from __future__ import annotations

from struct import Struct
from typing import Union

from personae.core.errno import Errno, KernelError

NV_ENCODE_NATIVE, NV_ENCODE_XDR = 0, 1
LITTLE_ENDIAN = 1
DATA_TYPE_UINT64, DATA_TYPE_NVLIST, DATA_TYPE_NVLIST_ARRAY = 8, 19, 20
LISTS = (DATA_TYPE_NVLIST, DATA_TYPE_NVLIST_ARRAY)
DEPTH_MAX = 4
"""Lists in lists; what is read here has one in the other."""
ELEMENTS_MAX = 1 << 10

_U32, _U64, _PAIR = Struct(">I"), Struct(">Q"), Struct("<ihhii")
_NATIVE_U32, _NATIVE_U64 = Struct("<I"), Struct("<Q")

Value = Union[int, "list[Pairs]"]
Pairs = dict[str, Value]
"""A list as its names and values: an unsigned number, or an array of lists."""


class _Reader:
    """Where reading has come to, in either encoding."""

    def __init__(self, data: bytes, u32: Struct) -> None:
        self.data, self.at = data, 4
        self._u32 = u32

    def take(self, n: int) -> bytes:
        raw = self.data[self.at : self.at + n]
        if n < 0 or len(raw) != n:
            raise KernelError(Errno.EINVAL, "an nvlist that is cut off")
        self.at += n
        return raw

    def u32(self) -> int:
        (n,) = self._u32.unpack(self.take(4))
        return int(n)

    def version(self) -> None:
        if self.u32() != 0:
            raise KernelError(Errno.EINVAL, "an nvlist of another version")
        self.u32()

    def check(self, kind: int, n: int, depth: int) -> None:
        number = kind == DATA_TYPE_UINT64 and n == 1
        lists = kind in LISTS and 0 <= n < ELEMENTS_MAX and depth < DEPTH_MAX
        if not number and not lists:
            raise KernelError(Errno.EINVAL, f"nvlist: {n} values of type {kind}")


class _Xdr(_Reader):
    def __init__(self, data: bytes) -> None:
        super().__init__(data, _U32)

    def pairs(self, depth: int = 0) -> Pairs:
        self.version()
        out: Pairs = {}
        while self.u32():
            self.u32()
            size = self.u32()
            name = self.take(size + 3 & ~3)[:size].decode("latin-1")
            kind, n = self.u32(), self.u32()
            self.check(kind, n, depth)
            if kind == DATA_TYPE_UINT64:
                (out[name],) = _U64.unpack(self.take(8))
            else:
                out[name] = [self.pairs(depth + 1) for _ in range(n)]
        self.u32()
        return out


class _Native(_Reader):
    def __init__(self, data: bytes) -> None:
        super().__init__(data, _NATIVE_U32)

    def pairs(self, depth: int = 0) -> Pairs:
        if depth == 0:
            self.version()
        out: Pairs = {}
        while size := self.u32():
            self.at -= 4
            raw = self.take(size)
            if size < _PAIR.size:
                raise KernelError(Errno.EINVAL, f"an nvpair of {size} bytes")
            _, name_size, _, n, kind = _PAIR.unpack_from(raw)
            end = _PAIR.size + name_size
            name = raw[_PAIR.size : end].rstrip(b"\0").decode("latin-1")
            self.check(kind, n, depth)
            if kind == DATA_TYPE_UINT64:
                value = raw[end + 7 & ~7 :]
                if name_size < 0 or len(value) < _NATIVE_U64.size:
                    raise KernelError(Errno.EINVAL, "an nvpair that is cut off")
                (out[name],) = _NATIVE_U64.unpack_from(value)
            else:
                out[name] = [self.pairs(depth + 1) for _ in range(n)]
        return out


def unpack(data: bytes) -> Pairs:
    """The pairs of a packed list.

    Raises:
        KernelError: EINVAL, it is none, or has values of a type that is not known here.
    """
    if data[:1] == bytes((NV_ENCODE_XDR,)):
        return _Xdr(data).pairs()
    if data[:2] == bytes((NV_ENCODE_NATIVE, LITTLE_ENDIAN)):
        return _Native(data).pairs()
    raise KernelError(Errno.EINVAL, "not a packed nvlist")
