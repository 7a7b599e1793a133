"""Unpack Debian packages into a folder without ever leaving it.

Packages are data from outside.  Each name is resolved component by component
as the guest would resolve it, with symlinks (absolute ones too) staying inside
the target, so no member can be written elsewhere, whatever links came before.
No maintainer script is run and no device is made.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from personae.core.rootfs.errors import RootfsError

MAX_LINKS = 40


class Tree:
    """A folder that packages are unpacked into.

    Args:
        root: An existing, empty folder that nobody else writes to.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.owners: dict[str, tuple[int, int, str]] = {}
        self._times: dict[Path, float] = {}

    def place(self, name: str, *, follow: bool = False) -> Path:
        """The host path of a name in the tree; its parents are made.

        Args:
            name: A path from the root of the tree.
            follow: Resolve the last component too when it is a link.
        """
        todo = [part for part in name.split("/") if part not in ("", ".")][::-1]
        at: list[str] = []
        links = 0
        while todo:
            part = todo.pop()
            if part == "..":
                at = at[:-1]
                continue
            here = self.root.joinpath(*at, part)
            if here.is_symlink() and (todo or follow):
                links += 1
                if links > MAX_LINKS:
                    raise RootfsError(f"{name}: too many symbolic links")
                target = str(here.readlink())
                at = [] if target.startswith("/") else at
                inner = [p for p in target.split("/") if p not in ("", ".")]
                todo.extend(reversed(inner))
                continue
            if todo:
                self._folder(here, name)
            at.append(part)
        return self.root.joinpath(*at)

    def _folder(self, here: Path, name: str) -> None:
        """Make a parent folder, or see that it is one."""
        try:
            here.mkdir(mode=0o755)
        except FileExistsError:
            if not here.is_dir():
                raise RootfsError(f"{name}: {here.name} is not a folder") from None

    def add(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        """Put one member of a package into the tree."""
        if "\0" in member.name or "\0" in member.linkname:
            raise RootfsError(f"a name with a NUL byte in the package: {member.name!r}")
        if member.isdir():
            path = self._add_folder(member)
        else:
            path = self.place(member.name)
            if path == self.root or (path.is_dir() and not path.is_symlink()):
                raise RootfsError(f"{member.name}: would replace a folder")
            path.unlink(missing_ok=True)
            self._add_leaf(archive, member, path)
        made = path.exists() or path.is_symlink()
        if made and not member.islnk():
            os.utime(path, (member.mtime, member.mtime), follow_symlinks=False)
        self._note_owner(member)

    def _add_folder(self, member: tarfile.TarInfo) -> Path:
        # a package that ships ./lib must not replace the link lib -> usr/lib
        path = self.place(member.name, follow=True)
        if not path.is_dir():
            if path.exists():
                raise RootfsError(f"{member.name}: a folder where a file stands")
            path.mkdir()
        if path != self.root:
            path.chmod(stat.S_IMODE(member.mode))
        self._times[path] = member.mtime
        return path

    def _add_leaf(
        self, archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path
    ) -> None:
        if member.issym():
            path.symlink_to(member.linkname)
        elif member.islnk():
            source = self.place(member.linkname)
            if source.is_symlink() or not source.is_file():
                raise RootfsError(f"{member.name}: a hard link to nothing")
            path.hardlink_to(source)
        elif member.isfile():
            content = archive.extractfile(member)
            assert content is not None
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            with os.fdopen(os.open(path, flags, 0o600), "wb") as out:
                shutil.copyfileobj(content, out)
            path.chmod(stat.S_IMODE(member.mode))
        elif member.isfifo():
            os.mkfifo(path, stat.S_IMODE(member.mode))
        # devices are left out: the zone's /dev has its own

    def _note_owner(self, member: tarfile.TarInfo) -> None:
        """Remember what is not root's or is set-id: the host can't show it."""
        special = member.mode & (stat.S_ISUID | stat.S_ISGID) and not member.issym()
        if member.uid == 0 and member.gid == 0 and not special:
            return
        kinds = {tarfile.DIRTYPE: stat.S_IFDIR, tarfile.SYMTYPE: stat.S_IFLNK}
        mode = stat.filemode(member.mode | kinds.get(member.type, stat.S_IFREG))
        name = "/" + member.name.removeprefix("./").strip("/")
        self.owners[name] = (member.uid, member.gid, mode)

    def finish(self) -> None:
        """Set the folders' times: the same packages give the same tree."""
        for folder, names, _ in os.walk(self.root, topdown=False):
            for name in names:
                path = Path(folder, name)
                if not path.is_symlink():
                    time = self._times.get(path, 0)
                    os.utime(path, (time, time))
        time = self._times.get(self.root, 0)
        os.utime(self.root, (time, time))


@contextmanager
def tar_of(deb: Path, part: str) -> Iterator[tarfile.TarFile]:
    """One of a package's two archives: ``--fsys-tarfile`` or ``--ctrl-tarfile``."""
    with subprocess.Popen(
        ["dpkg-deb", part, str(deb)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        try:
            with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
                yield archive
            drain(process.stdout)
        except tarfile.TarError as error:
            raise RootfsError(f"{deb.name}: broken package: {error}") from None
    if process.returncode:
        raise RootfsError(f"{deb.name}: dpkg-deb cannot read this package")


def drain(pipe: IO[bytes]) -> None:
    """Read the padding after the archive, so that dpkg-deb can end well."""
    while pipe.read(65536):
        pass


def unpack(tree: Tree, deb: Path) -> list[str]:
    """Put a package's files into the tree; the names it holds, for dpkg."""
    names = []
    with tar_of(deb, "--fsys-tarfile") as archive:
        for member in archive:
            tree.add(archive, member)
            names.append("/" + member.name.removeprefix(".").strip("/"))
    return ["/." if name == "/" else name for name in names]


def control_files(deb: Path) -> dict[str, bytes]:
    """A package's control files by name."""
    found = {}
    with tar_of(deb, "--ctrl-tarfile") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None:
                found[Path(member.name).name] = content.read()
    return found
