"""Fetch a Debian root file system into a folder: ``personae rootfs``.

A tool of the host, no part of a running machine: it uses the host's apt and
dpkg-deb with a private state folder, needs no root, no chroot and no emulator,
runs no maintainer script, and verifies every signature and hash.  It leaves

* ``TARGET/``: the unpacked tree, owned by the caller, modes as in the packages,
* ``TARGET.lock``: ``package version arch sha256 size uri installed-size`` lines,
* ``TARGET.owners``: ``uid gid mode path`` of what is not root's or is set-id.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from personae.core.rootfs import apt
from personae.core.rootfs.apt import Archive, Package
from personae.core.rootfs.debian import complete, dpkg_database, skeleton
from personae.core.rootfs.errors import RootfsError
from personae.core.rootfs.unpack import Tree, control_files, unpack

__all__ = ["Request", "RootfsError", "fetch"]


@dataclass(frozen=True)
class Request:
    """What to fetch, and where to.

    Args:
        target: The folder to make.
        packages: Names for apt; may be empty with a lock file.
        suite: Such as ``trixie``.
        arch: Such as ``riscv64``.
        mirror: The archive; by default the one the host's apt uses.
        cache: Lists and packages; by default below ``~/.cache``.
        keyring: Keys that may sign the archive.
        offline: Do not refresh lists that the cache already holds.
        lock: Install exactly what this lock file names.
    """

    target: Path
    packages: tuple[str, ...] = ()
    suite: str = "trixie"
    arch: str = "riscv64"
    mirror: str | None = None
    cache: Path | None = None
    keyring: Path | None = None
    offline: bool = False
    lock: Path | None = None


def fetch(request: Request, say: Callable[[str], None]) -> None:
    """Do it; ``say`` gets a line of progress at each stage.

    Raises:
        RootfsError: Says what failed and what to do.
    """
    if not request.packages and request.lock is None:
        raise RootfsError("name at least one package, such as busybox-static")
    target = free_target(request.target)
    apt.require_tools()
    archive = archive_of(request)
    archive.prepare()
    if request.lock is not None:
        packages = apt.read_lock(request.lock)
        say(f"lock file: {request.lock}")
    else:
        refresh(archive, request.offline, say)
        packages = archive.closure(request.packages)
    size = sum(package.size for package in packages) / 1e6
    say(f"packages: {len(packages)}, {size:.1f} MB to have")
    names = () if request.lock is not None else request.packages
    debs = archive.download(packages, names)
    say("verified: every SHA256")
    install(target, packages, debs, archive.arch)
    say(f"unpacked: {target}")


def refresh(archive: Archive, offline: bool, say: Callable[[str], None]) -> None:
    """Make sure that there are package lists."""
    if offline:
        if not archive.have_lists():
            raise RootfsError(
                f"the cache {archive.cache} holds no package lists: run once "
                "without --offline"
            )
        say("lists: as cached")
        return
    say(f"lists: reading {archive.suite} {archive.arch} from {archive.mirror}")
    say(f"lists: {archive.update()}")


def archive_of(request: Request) -> Archive:
    """Fill in what the request leaves to the host."""
    cache = request.cache
    if cache is None:
        home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        cache = Path(home, "personae", "rootfs", f"{request.suite}-{request.arch}")
    keyring = request.keyring or apt.host_keyring()
    if not keyring.is_file():
        raise RootfsError(f"no keyring {keyring}: --keyring names a file of keys")
    mirror = request.mirror or apt.host_mirror()
    return Archive(request.suite, request.arch, mirror, cache.absolute(), keyring)


def beside(target: Path, suffix: str) -> Path:
    """A file or folder next to the target."""
    return target.with_name(target.name + suffix)


def free_target(target: Path) -> Path:
    """The target, when it may be made or replaced: absent, empty, or made by us."""
    target = target.absolute()
    if target.name in ("", "..") or target.is_symlink():
        raise RootfsError(f"{target}: name a folder to make")
    ours = beside(target, ".lock").is_file()
    if target.exists() and not target.is_dir():
        raise RootfsError(f"{target} is a file; name a folder to make")
    if target.is_dir() and any(target.iterdir()) and not ours:
        raise RootfsError(
            f"{target} holds files that are not from here (there is no "
            f"{target.name}.lock beside it); name another folder or remove it"
        )
    return target


def install(
    target: Path, packages: Sequence[Package], debs: Sequence[Path], arch: str
) -> None:
    """Unpack beside the target, then put the result in its place."""
    fresh = beside(target, ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    tree = Tree(fresh)
    mask = os.umask(0o022)
    try:
        fresh.mkdir(parents=True)
        skeleton(tree)
        lists = {deb: unpack(tree, deb) for deb in debs}
        complete(tree)
        dpkg_database(tree, arch, lists, {deb: control_files(deb) for deb in debs})
        tree.finish()
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise RootfsError(f"cannot unpack to {fresh}: {error}") from None
    finally:
        os.umask(mask)
    if target.exists():
        shutil.rmtree(target)
    fresh.rename(target)
    owners = (
        f"{uid} {gid} {mode} {name}\n"
        for name, (uid, gid, mode) in sorted(tree.owners.items())
    )
    beside(target, ".owners").write_text("".join(owners), encoding="utf-8")
    lock = "".join(f"{package.line()}\n" for package in packages)
    beside(target, ".lock").write_text(lock, encoding="utf-8")
