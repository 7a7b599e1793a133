"""The programs that come with the brand, as what a zone finds in /usr.

A lower layer of the overlay file system: the files of ``usr/bin`` beside this module,
with fixed owners, modes and times, whatever the package's installation made of
them.  They are read when a program is started.
"""

from __future__ import annotations

from pathlib import Path

from personae.core.errno import Errno, KernelError
from personae.core.vfs.lower import LowerEntry, LowerStat
from personae.core.vfs.vnode import VType

BIN = Path(__file__).with_name("usr") / "bin"


def programs() -> list[str]:
    """Names of the programs."""
    return sorted(p.name for p in BIN.iterdir()) if BIN.is_dir() else []


class UserLower:
    """``bin`` with the programs; the top is /usr."""

    def __init__(self) -> None:
        self.names = [name.encode() for name in programs()]

    def _file(self, path: bytes) -> Path:
        folder, _, name = path.rpartition(b"/")
        if folder != b"bin" or name not in self.names:
            raise KernelError(Errno.ENOENT, f"no program {path!r}")
        return BIN / name.decode()

    def listdir(self, path: bytes) -> list[LowerEntry]:
        """Entries of a directory."""
        if path == b"":
            return [LowerEntry(b"bin", VType.DIR, None)]
        if path != b"bin":
            raise KernelError(Errno.ENOTDIR, f"no folder {path!r}")
        return [
            LowerEntry(name, VType.REG, (0, i)) for i, name in enumerate(self.names)
        ]

    def lstat(self, path: bytes) -> LowerStat:
        """Attributes."""
        if path in (b"", b"bin"):
            return LowerStat(VType.DIR, 0o755, 0, 0, 0, 0, 1, 0)
        size = self._file(path).stat().st_size
        return LowerStat(VType.REG, 0o755, 0, 0, size, 0, 1, 0)

    def readlink(self, path: bytes) -> bytes:
        """There are no links."""
        raise KernelError(Errno.EINVAL, f"{path!r} is no link")

    def load(self, path: bytes, off: int, n: int) -> bytes:
        """Bytes of a program."""
        with self._file(path).open("rb") as f:
            f.seek(off)
            return f.read(n)
