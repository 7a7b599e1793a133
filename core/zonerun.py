"""Running programs in a zone from outside, and a zone's root file system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from personae.core.config.units import parse_duration
from personae.core.errno import Errno, KernelError
from personae.core.exit import kill_proc
from personae.core.file import File, FileFlag
from personae.core.proc import Proc, ProcStat
from personae.core.signo import CldCode
from personae.core.start import start_program
from personae.core.vfs.hostfs import HostFs
from personae.core.vfs.hoststream import HostStream, StreamConsole
from personae.core.vfs.lookup import MAXSYMLINKS, cross, lookup
from personae.core.vfs.lower import HostLower, TarLower
from personae.core.vfs.overlay import OverlayFs
from personae.core.vfs.termios import Winsize
from personae.core.vfs.tmpfs import TmpFs
from personae.core.vfs.tty import Tty, tty_vnode
from personae.core.vfs.vnode import VType, mount

if TYPE_CHECKING:
    from personae.core.cred import Cred
    from personae.core.kernel import Kernel
    from personae.core.machine import Door, Machine
    from personae.core.vfs.vnode import Vnode
    from personae.core.zone import Zone

DEFAULT_ENV = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
}
"""Environment of a program that is given none."""


@dataclass(frozen=True)
class Completed:
    """What a program did; the shape of ``subprocess.CompletedProcess``.

    Attributes:
        args: Its arguments.
        returncode: Its exit status, or minus the number of the signal (illumos
            number) that ended it.
        stdout: What it and its children wrote to descriptor 1.
        stderr: Likewise descriptor 2.
        pid: Its process id.
    """

    args: tuple[str, ...]
    returncode: int
    stdout: bytes
    stderr: bytes
    pid: int

    def check_returncode(self) -> None:
        """Raise ``subprocess.CalledProcessError`` if the status is not 0."""
        if self.returncode:
            import subprocess

            raise subprocess.CalledProcessError(
                self.returncode, self.args, self.stdout, self.stderr
            )


class Job:
    """A program that was started and may still run.

    Attributes:
        proc: Its process.
        stdin: Its input from the host.
        stdout: Its output.
        stderr: Its error output.
        tty: Its terminal, in place of the three; None if it has none.
    """

    def __init__(
        self,
        args: tuple[str, ...],
        proc: Proc,
        streams: tuple[HostStream, HostStream, HostStream],
        tty: Tty | None = None,
    ) -> None:
        self.args = args
        self.proc = proc
        self.pid = proc.pid
        self.tty = tty
        self.stdin, self.stdout, self.stderr = streams
        self._out = bytearray()
        self._err = bytearray()

    def pump(self, idle: bool, until_ns: int | None) -> bool:
        """Collect output (the ``Door`` of a program without a host)."""
        del idle, until_ns
        if self.tty is not None:
            self._out += self.tty.take_output()
        if self.stdout.outbuf:
            self._out += self.stdout.take_output()
        if self.stderr.outbuf:
            self._err += self.stderr.take_output()
        return False

    @property
    def done(self) -> bool:
        """Whether it has exited."""
        return self.proc.stat is ProcStat.SZOMB

    def result(self) -> Completed:
        """What it did; it has exited."""
        self.pump(False, None)
        return Completed(
            self.args,
            returncode(self.proc),
            bytes(self._out),
            bytes(self._err),
            self.pid,
        )


def returncode(proc: Proc) -> int:
    """Exit status of a dead process, as subprocess gives it."""
    if proc.wcode == CldCode.EXITED:
        return proc.wdata & 0xFF
    return -proc.wdata


class ZoneHandle:
    """A zone of a machine, by its id: stays good over ``restore``."""

    def __init__(self, machine: Machine, zoneid: int) -> None:
        self.machine = machine
        self.id = zoneid

    @property
    def zone(self) -> Zone:
        """The kernel's object."""
        return self.machine.kernel.zones[self.id]

    @property
    def name(self) -> str:
        """Its name."""
        return self.zone.name

    def put(self, path: str, data: bytes, mode: int = 0o755) -> None:
        """Make a file in the zone's private layer."""
        z = self.zone
        assert z.root is not None
        folder, _, name = path.rpartition("/")
        here = make_dirs(z.root, folder, z.cred)
        vp = here.create(name.encode(), mode, z.cred, False)
        vp.setattr(z.cred, size=0)
        vp.write(None, 0, data, 0)

    def mount_tmpfs(self, path: str) -> None:
        """Mount an empty tmpfs."""
        z = self.zone
        assert z.root is not None
        here = make_dirs(z.root, path, z.cred)
        mount(TmpFs(self.machine.kernel, acct=z.acct), here)

    def start(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str = "/",
        input: bytes | None = b"",  # noqa: A002 (subprocess' name)
        init: bool = False,
        tty: tuple[int, int] | None = None,
        cred: Cred | None = None,
    ) -> Job:
        """Start a program; ``Machine.run_until`` runs it.

        Args:
            argv: Program and arguments.
            env: Its environment; ``DEFAULT_ENV`` if not given.
            cwd: Its working directory.
            input: All its input; None if input comes later through ``stdin``.
            init: Make it the zone's init; without a terminal, its streams are the
                zone's console.
            tty: Rows and columns of a terminal of its own, in place of the streams.
            cred: Whose rights it has; by default the zone's root user.

        Raises:
            KernelError: It can't be started.
        """
        k, zone = self.machine.kernel, self.zone
        streams = [HostStream(k, n) for n in (b"stdin", b"stdout", b"stderr")]
        if input is not None:
            streams[0].feed(input)
            streams[0].feed_eof()
        terminal = None
        if tty is None:
            if init:
                zone.console = StreamConsole(streams[0], streams[1])
            modes = (FileFlag.FREAD, FileFlag.FWRITE, FileFlag.FWRITE)
            files = [
                File(s.hold(), m, zone.cred)
                for s, m in zip(streams, modes, strict=True)
            ]
        else:
            terminal = zone.console = Tty(k)
            terminal.winsize = Winsize(*tty)
            files = [self._console() for _ in range(3)]
        environ = DEFAULT_ENV if env is None else env
        assert zone.zsched is not None
        proc = start_program(
            k,
            zone,
            [a.encode(errors="surrogateescape") for a in argv],
            [f"{n}={v}".encode(errors="surrogateescape") for n, v in environ.items()],
            files,
            cwd=lookup(k, zone.zsched, cwd.encode()),
            cred=cred,
            tty=terminal,
            init=init,
        )
        return Job(tuple(argv), proc, (streams[0], streams[1], streams[2]), terminal)

    def _console(self) -> File:
        """An open /dev/console of the zone, or its terminal where there is no /dev."""
        k, zone = self.machine.kernel, self.zone
        assert zone.zsched is not None
        flag = FileFlag.FREAD | FileFlag.FWRITE
        try:
            node = lookup(k, zone.zsched, b"/dev/console")
            vp = node.open(zone.zsched.lwps[0], flag | FileFlag.FNOCTTY)
        except KernelError:
            vp = tty_vnode(k, zone.console)
        return File(vp, flag, zone.cred)

    def run(
        self,
        argv: Sequence[str],
        *,
        input: bytes = b"",  # noqa: A002 (subprocess' name)
        timeout: str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str = "/",
        check: bool = False,
        door: Door | None = None,
    ) -> Completed:
        """Run a program until it exits.

        Args:
            argv: Program and arguments.
            input: All its input.
            timeout: Virtual time after which it is killed, such as "5s".
            env: Its environment.
            cwd: Its working directory.
            check: Raise if its status is not 0.
            door: The host's side; by default output is collected.

        Returns:
            Its result.

        Raises:
            KernelError: It can't be started.
            subprocess.CalledProcessError: With ``check``.
            Deadlock: It can never end.
            TimeLimit: The timeout is over; the program was killed.
        """
        job = self.start(argv, env=env, cwd=cwd, input=input)
        k = self.machine.kernel
        limit = None
        if timeout is not None:
            limit = k.now + k.cycles(parse_duration(timeout))
        try:
            self.machine.run_until([job.proc], door=door or job, limit=limit)
        finally:
            if not job.done:
                kill_proc(job.proc)
        result = job.result()
        if check:
            result.check_returncode()
        return result


def make_dirs(root: Vnode, path: str, cred: Cred) -> Vnode:
    """The folder ``path`` below ``root``, made where it is missing.

    Links are followed, and stay below ``root``.

    Raises:
        KernelError: ELOOP, too many links; ENOTDIR, a file is in the way.
    """
    here, parts = root, path.split("/")[::-1]
    trail = [root]
    links = 0
    while parts:
        part = parts.pop()
        if part == "..":
            trail = trail[:-1] or [root]
            here = trail[-1]
        elif part not in ("", "."):
            try:
                step = here.lookup(part.encode(), cred)
            except KernelError as e:
                if e.errno is not Errno.ENOENT:
                    raise
                step = here.mkdir(part.encode(), 0o755, cred)
            if step.v_type is VType.LNK:
                links += 1
                if links > MAXSYMLINKS:
                    raise KernelError(Errno.ELOOP, path)
                target = step.readlink().decode(errors="surrogateescape")
                if target.startswith("/"):
                    trail, here = [root], root
                parts += target.split("/")[::-1]
                continue
            here = cross(step)
            trail.append(here)
    return here


def install_root(
    kernel: Kernel,
    zone: Zone,
    rootfs: Path | None,
    mounts: Sequence[tuple[str, str, bool]],
) -> None:
    """Give a zone its root file system and its shared folders."""
    if rootfs is None:
        fs: TmpFs = TmpFs(kernel, acct=zone.acct)
    else:
        lower = HostLower(rootfs) if rootfs.is_dir() else TarLower(rootfs)
        fs = OverlayFs(kernel, lower, acct=zone.acct)
    zone.root = fs.root
    share_folders(zone, mounts)


def share_folders(zone: Zone, mounts: Sequence[tuple[str, str, bool]]) -> None:
    """Mount folders of the host in a zone: (host path, path in it, read only)."""
    assert zone.root is not None
    for source, target, readonly in mounts:
        here = make_dirs(zone.root, target, zone.cred)
        mount(HostFs(zone.kernel, source, readonly=readonly), here)


def show_root(zone: Zone, zonepath: str) -> None:
    """Let the global zone find the zone's root at ``ZONEPATH/root`` (zones(7))."""
    home, root = zone.kernel.zones[0].root, zone.root
    if home is None or root is None or root.v_vfs is None:
        return
    path = zonepath.rstrip("/") + "/root"
    if root.v_vfs.covered is None:
        here = make_dirs(home, path, zone.kernel.zones[0].cred)
        mount(root.v_vfs, here)
    zone.rootpath = path.encode(errors="surrogateescape")
