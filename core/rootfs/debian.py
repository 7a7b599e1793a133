"""What a Debian root has beyond its packages' files.

The folders that base-files' scripts would make, the names that maintainer
scripts would link, and a dpkg data base in the state "unpacked", so that
``dpkg --configure -a`` inside a zone can finish the job.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from personae.core.rootfs.unpack import Tree

FOLDERS = (
    "dev proc sys run tmp var/tmp root home etc var/log var/cache "
    "var/lib/dpkg/info var/lib/dpkg/updates var/lib/dpkg/triggers"
)
MODES = {"tmp": 0o1777, "var/tmp": 0o1777, "root": 0o700}
MERGED = ("bin", "sbin", "lib")
LINKS = (  # the program that must be there, the name that programs look for
    ("usr/bin/dash", "usr/bin/sh"),
    ("usr/bin/bash", "usr/bin/sh"),
    ("usr/bin/busybox", "usr/bin/sh"),
    ("usr/bin/gawk", "usr/bin/awk"),
    ("usr/bin/mawk", "usr/bin/awk"),
    ("usr/bin/gcc", "usr/bin/cc"),
    ("usr/bin/tcc", "usr/bin/cc"),
    ("usr/bin/lua5.4", "usr/bin/lua"),
    ("usr/bin/which.debianutils", "usr/bin/which"),
    ("usr/bin/python3", "usr/bin/python"),
)
MASTERS = {
    "etc/passwd": (
        "usr/share/base-passwd/passwd.master",
        "root:*:0:0:root:/root:/bin/sh\n"
        "nobody:*:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    ),
    "etc/group": (
        "usr/share/base-passwd/group.master",
        "root:*:0:\nnogroup:*:65534:\n",
    ),
    "etc/hosts": ("", "127.0.0.1 localhost\n::1 localhost\n"),
    "etc/hostname": ("", "localhost\n"),
    "etc/resolv.conf": ("", ""),
    "etc/nsswitch.conf": (
        "",
        "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"
        "services: files\nprotocols: files\n",
    ),
}


def skeleton(tree: Tree) -> None:
    """The merged /usr first, then the folders that no package ships."""
    for name in MERGED:
        (tree.root / "usr" / name).mkdir(parents=True, mode=0o755)
        (tree.root / name).symlink_to(f"usr/{name}")
    for name in FOLDERS.split():
        (tree.root / name).mkdir(parents=True, exist_ok=True)
    for name, mode in MODES.items():
        (tree.root / name).chmod(mode)


def complete(tree: Tree) -> None:
    """Links and files that maintainer scripts would have made."""
    for program, name in LINKS:
        link = tree.place(name)
        there = tree.place(program, follow=True)
        if there.is_file() and not link.exists() and not link.is_symlink():
            link.symlink_to(Path(program).name)
            os.utime(link, (0, 0), follow_symlinks=False)
    for name, (master, text) in MASTERS.items():
        path = tree.place(name, follow=True)
        if path.exists():
            continue
        source = tree.place(master) if master else None
        data = text.encode()
        if source is not None and source.is_file() and not source.is_symlink():
            data = source.read_bytes()
        write(path, data)


def dpkg_database(
    tree: Tree,
    arch: str,
    names: Mapping[Path, Sequence[str]],
    controls: Mapping[Path, Mapping[str, bytes]],
) -> None:
    """Tell the dpkg inside what is unpacked."""
    status = b""
    for deb, files in controls.items():
        control = files.get("control", b"")
        head, _, rest = control.partition(b"\n")
        status += head + b"\nStatus: install ok unpacked\n" + rest.rstrip(b"\n") + b"\n"
        conffiles = files.get("conffiles", b"").split(b"\n")
        shipped = [line for line in conffiles if line and b" " not in line]
        if shipped:
            status += b"Conffiles:\n"
            status += b"".join(b" " + line + b" newconffile\n" for line in shipped)
        status += b"\n"
        name = info_name(control.decode(errors="replace"))
        info = tree.place("var/lib/dpkg/info")
        listing = "".join(f"{line}\n" for line in names[deb])
        write(info / f"{name}.list", listing.encode())
        for kind, data in files.items():
            if kind != "control":
                mode = 0o755 if data.startswith(b"#!") else 0o644
                write(info / f"{name}.{kind}", data, mode)
    write(tree.place("var/lib/dpkg/info/format"), b"1\n")
    write(tree.place("var/lib/dpkg/status"), status)
    write(tree.place("var/lib/dpkg/available"), b"")
    write(tree.place("var/lib/dpkg/arch"), f"{arch}\n".encode())


def info_name(control: str) -> str:
    """The name of a package's info files; with its arch when Multi-Arch: same."""
    fields = dict(line.split(": ", 1) for line in control.splitlines() if ": " in line)
    name = Path(fields.get("Package", "unknown")).name
    if fields.get("Multi-Arch") == "same":
        return f"{name}:{fields.get('Architecture', '')}"
    return name


def write(path: Path, data: bytes, mode: int = 0o644) -> None:
    """A file with a fixed time, so that the same packages give the same tree."""
    path.write_bytes(data)
    path.chmod(mode)
    os.utime(path, (0, 0))
