"""Root file systems: arguments, lock files, and packages that try to break out."""

from __future__ import annotations

import io
import shutil
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest

from personae.core.cli import main
from personae.core.rootfs import Request, RootfsError, apt, fetch
from personae.core.rootfs.debian import complete, dpkg_database, skeleton
from personae.core.rootfs.unpack import Tree, control_files, unpack

needs_dpkg = pytest.mark.skipif(
    shutil.which("dpkg-deb") is None, reason="dpkg-deb is not installed"
)


def member(
    name: str, kind: bytes = tarfile.REGTYPE, **fields: object
) -> tarfile.TarInfo:
    """A header of a tar member."""
    info = tarfile.TarInfo(name)
    info.type = kind
    info.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
    for key, value in fields.items():
        setattr(info, key, value)
    return info


def spill(tree: Tree, *members: tuple[tarfile.TarInfo, bytes]) -> None:
    """Unpack hand-made members."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    data.seek(0)
    with tarfile.open(fileobj=data, mode="r|") as archive:
        for info in archive:
            tree.add(archive, info)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """An empty tree beside a file that must stay as it is."""
    (tmp_path / "outside").write_text("safe")
    (tmp_path / "root").mkdir()
    return Tree(tmp_path / "root")


def untouched(tree: Tree) -> bool:
    """Nothing was written beside the tree."""
    beside = sorted(path.name for path in tree.root.parent.iterdir())
    safe = (tree.root.parent / "outside").read_text()
    return (beside, safe) == (["outside", "root"], "safe")


def test_plain(tree: Tree) -> None:
    """Modes, times, links and owners come out as they went in."""
    spill(
        tree,
        (member("./usr", tarfile.DIRTYPE, mtime=5), b""),
        (member("./usr/a", mode=0o4755, mtime=7, gid=42), b"text"),
        (member("./usr/b", tarfile.LNKTYPE, linkname="./usr/a"), b""),
        (member("./c", tarfile.SYMTYPE, linkname="/usr/a"), b""),
    )
    tree.finish()
    a = tree.root / "usr" / "a"
    assert (
        a.read_bytes(),
        stat.S_IMODE(a.stat().st_mode),
        a.stat().st_mtime,
    ) == (b"text", 0o4755, 7.0)
    assert a.stat().st_ino == (tree.root / "usr" / "b").stat().st_ino
    assert str((tree.root / "c").readlink()) == "/usr/a"
    assert (tree.root / "usr").stat().st_mtime == 5.0
    assert tree.owners == {"/usr/a": (0, 42, "-rwsr-xr-x")}


@pytest.mark.parametrize("name", ["../outside", "/../outside", "a/../../outside"])
def test_dotdot_stays_inside(tree: Tree, name: str) -> None:
    spill(tree, (member(name), b"evil"))
    assert untouched(tree)
    assert (tree.root / "outside").read_bytes() == b"evil"


@pytest.mark.parametrize("target", ["..", "/", "../..", "/proc/self/cwd/.."])
def test_symlink_stays_inside(tree: Tree, target: str) -> None:
    """A link that points out is followed inside the tree, as a guest would."""
    spill(
        tree,
        (member("link", tarfile.SYMTYPE, linkname=target), b""),
        (member("link/outside"), b"evil"),
        (member("link", tarfile.DIRTYPE), b""),
    )
    assert untouched(tree)


def test_file_replaces_a_link(tree: Tree) -> None:
    """A file whose name is a link replaces the link and does not write through."""
    spill(
        tree,
        (member("x", tarfile.SYMTYPE, linkname="../outside"), b""),
        (member("x"), b"evil"),
    )
    assert untouched(tree)
    assert not (tree.root / "x").is_symlink()


def test_hard_link_stays_inside(tree: Tree) -> None:
    """A hard link cannot catch a file of the host."""
    for target in ("../outside", "/etc/hostname", "gone"):
        with pytest.raises(RootfsError, match="a hard link to nothing"):
            spill(tree, (member("x", tarfile.LNKTYPE, linkname=target), b""))
    spill(tree, (member("s", tarfile.SYMTYPE, linkname="../outside"), b""))
    with pytest.raises(RootfsError, match="a hard link to nothing"):
        spill(tree, (member("x", tarfile.LNKTYPE, linkname="s"), b""))


def test_link_loop(tree: Tree) -> None:
    with pytest.raises(RootfsError, match="too many symbolic links"):
        spill(
            tree,
            (member("a", tarfile.SYMTYPE, linkname="b"), b""),
            (member("b", tarfile.SYMTYPE, linkname="a"), b""),
            (member("a/x"), b""),
        )


def test_type_clashes(tree: Tree) -> None:
    """A folder is not replaced by a file, nor a file by a folder."""
    spill(tree, (member("d", tarfile.DIRTYPE), b""), (member("f"), b""))
    for info in (member("d"), member("f/x"), member("f", tarfile.DIRTYPE)):
        with pytest.raises(RootfsError, match=r"folder"):
            spill(tree, (info, b""))


def test_devices_are_left_out(tree: Tree) -> None:
    spill(tree, (member("null", tarfile.CHRTYPE, devmajor=1, devminor=3), b""))
    assert list(tree.root.iterdir()) == []


@needs_dpkg
def test_package(tree: Tree, tmp_path: Path) -> None:
    """A real .deb: merged /usr, dpkg's data base, the same tree each time."""
    source = tmp_path / "source"
    (source / "DEBIAN").mkdir(parents=True)
    (source / "lib").mkdir()
    (source / "lib" / "thing").write_text("thing")
    (source / "DEBIAN" / "control").write_text(
        "Package: thing\nVersion: 1\nArchitecture: all\nMaintainer: x <x@x>\n"
        "Description: a thing\n"
    )
    (source / "DEBIAN" / "postinst").write_text("#!/bin/sh\ntouch /evil\n")
    (source / "DEBIAN" / "postinst").chmod(0o755)
    deb = tmp_path / "thing.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-b", str(source), str(deb)],
        check=True,
        capture_output=True,
    )
    skeleton(tree)
    names = unpack(tree, deb)
    complete(tree)
    dpkg_database(tree, "riscv64", {deb: names}, {deb: control_files(deb)})
    tree.finish()
    info = tree.root / "var/lib/dpkg/info"
    assert names == ["/.", "/lib", "/lib/thing"]
    assert str((tree.root / "lib").readlink()) == "usr/lib"
    assert (tree.root / "usr/lib/thing").read_text() == "thing"
    assert (info / "thing.list").read_text() == "/.\n/lib\n/lib/thing\n"
    assert stat.S_IMODE((info / "thing.postinst").stat().st_mode) == 0o755
    status = (tree.root / "var/lib/dpkg/status").read_text()
    assert "Package: thing\nStatus: install ok unpacked\nVersion: 1\n" in status


@needs_dpkg
def test_broken_package(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "x.deb").write_bytes(b"no package")
    with pytest.raises(RootfsError, match=r"x\.deb: .*package"):
        unpack(tree, tmp_path / "x.deb")


def request(tmp_path: Path, **fields: object) -> Request:
    """A request that never leaves this folder and never reaches a network."""
    keyring = tmp_path / "keyring"
    keyring.write_text("")
    values: dict[str, object] = {
        "target": tmp_path / "target",
        "packages": ("busybox-static",),
        "cache": tmp_path / "cache",
        "keyring": keyring,
        "mirror": "http://mirror.invalid/debian",
        "offline": True,
    }
    return Request(**{**values, **fields})  # type: ignore[arg-type]


@needs_dpkg
@pytest.mark.parametrize(
    ("message", "fields"),
    [
        ("name at least one package", {"packages": ()}),
        ("holds no package lists", {}),
        ("bad mirror", {"mirror": "mirror"}),
        ("bad mirror", {"mirror": "http://x/ y"}),
        ("bad suite", {"suite": "a b"}),
        ("bad architecture", {"arch": '"; evil'}),
        ("no keyring", {"keyring": Path("/nonexistent")}),
        ("cannot be read", {"lock": Path("/nonexistent")}),
    ],
)
def test_bad_request(
    tmp_path: Path,
    message: str,
    fields: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(apt, "require_tools", lambda: None)
    with pytest.raises(RootfsError, match=message):
        fetch(request(tmp_path, **fields), print)
    assert not (tmp_path / "target").exists()


def test_bad_package_name(tmp_path: Path) -> None:
    """A name cannot smuggle an option to apt."""
    archive = apt.Archive("trixie", "riscv64", "http://x", tmp_path, tmp_path)
    with pytest.raises(RootfsError, match="bad package name '-oDir=/'"):
        archive.closure(["-oDir=/"])


def test_target_is_not_ours(tmp_path: Path) -> None:
    """A folder with other files is never replaced; an empty one may be."""
    target = tmp_path / "target"
    target.mkdir()
    (target / "thesis").write_text("years of work")
    with pytest.raises(RootfsError, match="holds files that are not from here"):
        fetch(request(tmp_path), print)
    assert (target / "thesis").read_text() == "years of work"


def test_missing_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is missing is named at once, with the remedy."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RootfsError, match=r"apt-get, apt-cache.*apt-get install"):
        fetch(request(tmp_path), print)


def test_lock_file(tmp_path: Path) -> None:
    """A line goes out and comes in the same; a bad one is named by its line."""
    line = f"a 1:2~b riscv64 {'0' * 64} 7 http://x/pool/a.deb 3"
    lock = tmp_path / "x.lock"
    lock.write_text(line + "\n")
    (package,) = apt.read_lock(lock)
    assert (line, "a_1%3a2~b_riscv64.deb") == (package.line(), package.file)
    lock.write_text(f"{line}\n../evil 1 riscv64 {'0' * 64} 7 http://x\n")
    with pytest.raises(RootfsError, match=r"x\.lock:2: not a line of a lock file"):
        apt.read_lock(lock)


@pytest.mark.parametrize(
    ("expected", "stderr"),
    [
        ("--keyring", "W: GPG error: NO_PUBKEY 1234"),
        ("try again later", "E: Failed to fetch x  Hash Sum mismatch"),
        ("check the spelling", "E: Unable to locate package nonesuch"),
        ("--offline", "E: Failed to fetch x  Could not resolve 'mirror.invalid'"),
    ],
)
def test_explained(expected: str, stderr: str) -> None:
    """apt's complaint is repeated, with what to do."""
    text = apt.explained(stderr)
    assert stderr in text
    assert expected in text


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command tells a failure in one message and leaves with 125."""
    assert main(["rootfs", str(tmp_path / "t")]) == 125
    expected = "personae: rootfs: name at least one package, such as busybox-static\n"
    assert expected == capsys.readouterr().err
