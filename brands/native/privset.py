"""priv_set_t: a privilege set as the native brand's programs have it in memory.

Three 32-bit words.  Privilege number n is bit 31 - n % 32 of word n / 32 (privmask of
sys/priv_impl.h); the numbers are those of ``core.cred.Priv``.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct

from personae.core.cred import Priv

_WORDS = Struct("<3I")
PRIVSET_SIZE = _WORDS.size


def pack_privs(privs: Iterable[Priv]) -> bytes:
    """A set as its words."""
    words = [0, 0, 0]
    for p in privs:
        words[p // 32] |= 1 << 31 - p % 32
    return _WORDS.pack(*words)


def unpack_privs(data: bytes) -> frozenset[Priv]:
    """A set from its words; bits of no privilege are dropped."""
    words = _WORDS.unpack(data)
    return frozenset(p for p in Priv if words[p // 32] >> 31 - p % 32 & 1)
