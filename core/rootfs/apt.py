"""The host's apt, with a private state folder: lists, closure, downloads.

Nothing of the host's /etc/apt or dpkg status is read except its proxy and,
unless a mirror is named, the address of its Debian archive; nothing of the
host is changed.  apt verifies the signature of the Release file and the hash
of every index and package; that is never switched off.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from personae.core.rootfs.errors import RootfsError

TOOLS = ("apt-get", "apt-cache", "apt-config", "dpkg-deb", "gpgv")
KEYRINGS = (
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "/usr/share/keyrings/debian-archive-keyring.pgp",
)
APT_HELPER = "/usr/lib/apt/apt-helper"
PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]*(:[a-z0-9-]+)?(=[A-Za-z0-9.+:~-]+)?")
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
HINTS = (
    (
        r"NO_PUBKEY|is not signed|EXPKEYSIG|BADSIG",
        "the archive's signature is not made by a key of the keyring: install a newer "
        "debian-archive-keyring, or name the right keys with --keyring FILE",
    ),
    (
        r"Hash Sum mismatch|unexpected size|Mirror sync in progress",
        "the mirror's files do not match its signed Release; it is being updated: "
        "try again later, or name another one with --mirror URL",
    ),
    (
        r"Unable to locate package|has no installation candidate",
        "check the spelling: it is no package of this suite and architecture",
    ),
    (
        r"Could not resolve|Failed to fetch|Connection|Could not connect|Temporary",
        "the mirror cannot be reached: check the network and the proxy, name another "
        "with --mirror URL, or use --offline with a filled cache",
    ),
    (r"No space left", "free some space, or name another cache with --cache DIR"),
)


@dataclass(frozen=True)
class Package:
    """One package of the closure, as a line of a lock file has it."""

    name: str
    version: str
    arch: str
    sha256: str
    size: int
    uri: str
    installed: int

    @property
    def file(self) -> str:
        """The name of its .deb in apt's archives folder."""
        return f"{self.name}_{self.version.replace(':', '%3a')}_{self.arch}.deb"

    def line(self) -> str:
        """The line of the lock file."""
        fields = (self.name, self.version, self.arch, self.sha256)
        return f"{' '.join(fields)} {self.size} {self.uri} {self.installed}"


@dataclass(frozen=True)
class Archive:
    """A Debian archive seen through a private apt.

    Args:
        suite: Such as ``trixie``.
        arch: Such as ``riscv64``.
        mirror: The archive's address.
        cache: The folder of lists and packages.
        keyring: Keys that may sign it.
    """

    suite: str
    arch: str
    mirror: str
    cache: Path
    keyring: Path

    def prepare(self) -> None:
        """Write the private configuration."""
        for text, what in ((self.suite, "suite"), (self.arch, "architecture")):
            if not WORD.fullmatch(text):
                raise RootfsError(f"bad {what} {text!r}: such as trixie or riscv64")
        if not re.fullmatch(r"(https?|file|copy):[^\s\[\]]+", self.mirror):
            raise RootfsError(f"bad mirror {self.mirror!r}: an http, https or file URL")
        if re.search(r"[\s\[\]\"]", f"{self.keyring}{self.cache}"):
            raise RootfsError("the keyring's and the cache's path must have no blanks")
        for name in ("lists/partial", "archives/partial", "none/partial", "empty"):
            (self.cache / name).mkdir(parents=True, exist_ok=True)
        (self.cache / "status").write_text("")
        (self.cache / "apt.conf").write_text(self._settings())

    def _settings(self) -> str:
        cache, empty = self.cache, self.cache / "empty"
        settings = {
            "APT::Architecture": self.arch,
            "APT::Install-Recommends": "false",
            "APT::Install-Suggests": "false",
            "APT::Sandbox::User": user_name(),
            "APT::Get::Assume-Yes": "true",
            "Acquire::Languages": "none",
            "Acquire::PDiffs": "false",
            "Acquire::Check-Valid-Until": "true",
            "Dir::Etc::main": "/dev/null",
            "Dir::Etc::parts": empty,
            "Dir::Etc::sourcelist": cache / "sources.list",
            "Dir::Etc::sourceparts": empty,
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": empty,
            "Dir::Etc::trusted": "/dev/null",
            "Dir::Etc::trustedparts": empty,
            "Dir::State": cache,
            "Dir::State::lists": cache / "lists",
            "Dir::State::status": cache / "status",
            "Dir::State::extended_states": cache / "extended_states",
            "Dir::Cache": cache,
            "Dir::Cache::archives": cache / "archives",
            "Dir::Cache::pkgcache": "",
            "Dir::Cache::srcpkgcache": "",
            "Dir::Log": cache / "log",
        }
        lines = [f'{key} "{value}";' for key, value in settings.items()]
        lines.append(f'APT::Architectures {{ "{self.arch}"; }};')
        return "\n".join([*lines, *host_proxy()]) + "\n"

    def update(self) -> str:
        """Refresh the package lists; what was taken, in words.

        A caching mirror may hand out a new Release with old lists for days after
        a point release.  Then the alias ``stable`` may still be a matching pair;
        it is taken only if its signed Release says that it is the wanted suite.
        """
        trouble = ""
        for suite in dict.fromkeys((self.suite, "stable")):
            line = f"[arch={self.arch} signed-by={self.keyring}] {self.mirror} {suite}"
            (self.cache / "sources.list").write_text(f"deb {line} main\n")
            shutil.rmtree(self.cache / "lists")
            (self.cache / "lists" / "partial").mkdir(parents=True)
            got = self._run("apt-get", "-qq", "-oAPT::Update::Error-Mode=any", "update")
            if got.returncode:
                trouble = trouble or got.stderr
                continue
            facts = self.release()
            if self.suite in (facts.get("Codename"), facts.get("Suite")):
                taken = f"{suite} {facts.get('Version', '')}".strip()
                return f"{taken} of {facts.get('Date', 'an unknown date')}"
            other = f"its 'stable' is {facts.get('Codename')}, not {self.suite}"
            trouble = trouble or other
        shutil.rmtree(self.cache / "lists")
        raise RootfsError(
            f"no usable package lists of {self.suite} at {self.mirror}"
            + explained(trouble)
        )

    def release(self) -> dict[str, str]:
        """The head of the Release file whose signature apt has verified."""
        facts: dict[str, str] = {}
        for file in sorted((self.cache / "lists").glob("*Release")):
            for line in file.read_text(errors="replace").splitlines():
                key, colon, value = line.partition(": ")
                if colon and key in ("Codename", "Suite", "Version", "Date"):
                    facts.setdefault(key, value)
        return facts

    def have_lists(self) -> bool:
        """Whether the cache holds package lists."""
        return any((self.cache / "lists").glob("*_Packages*"))

    def closure(self, names: Sequence[str]) -> list[Package]:
        """The packages that these need, from the verified lists."""
        for name in names:
            if not PACKAGE.fullmatch(name):
                raise RootfsError(f"bad package name {name!r}: such as busybox-static")
        # --print-uris leaves out what the archives folder holds: show an empty one
        archives = f"-oDir::Cache::archives={self.cache / 'none'}"
        got = self._run("apt-get", "-qq", archives, "--print-uris", "install", *names)
        if got.returncode:
            raise RootfsError(
                f"cannot resolve {' '.join(names)}{explained(got.stderr)}"
            )
        uris = {
            pool_name(found[1]): found[1]
            for found in re.finditer(r"^'([^']+)' ", got.stdout, re.MULTILINE)
        }
        if not uris:
            raise RootfsError(f"apt names no package to fetch for {' '.join(names)}")
        packages = self._available(uris)
        if len(packages) != len(uris):
            raise RootfsError(
                f"the lists know {len(packages)} of {len(uris)} packages; remove the "
                f"cache {self.cache} and try again"
            )
        return sorted(packages, key=lambda p: (p.name, p.version))

    def _available(self, uris: dict[str, str]) -> list[Package]:
        """The entries of the package lists whose file is wanted."""
        got = self._run("apt-cache", "dumpavail")
        found: dict[str, Package] = {}
        for entry in got.stdout.split("\n\n"):
            fields = dict(
                line.split(": ", 1)
                for line in entry.splitlines()
                if ": " in line and not line.startswith(" ")
            )
            uri = uris.get(fields.get("Filename", ""))
            if uri is not None:
                found[uri] = Package(
                    fields["Package"],
                    fields["Version"],
                    fields["Architecture"],
                    fields["SHA256"],
                    int(fields["Size"]),
                    uri,
                    int(fields.get("Installed-Size", "0")),
                )
        return list(found.values())

    def download(self, packages: Sequence[Package], names: Sequence[str]) -> list[Path]:
        """Fetch what the cache lacks and verify every file; the .debs."""
        if names:
            got = self._run("apt-get", "-qq", "--download-only", "install", *names)
            if got.returncode:
                raise RootfsError(f"cannot download{explained(got.stderr)}")
        debs = []
        for package in packages:
            deb = self.cache / "archives" / package.file
            if not deb.is_file():
                self._fetch(package, deb)
            if sha256(deb) != package.sha256:
                deb.unlink()
                raise RootfsError(
                    f"{deb.name} is not what the lists or the lock file name (SHA256); "
                    "it was removed from the cache: try again"
                )
            debs.append(deb)
        return debs

    def _fetch(self, package: Package, deb: Path) -> None:
        """One file by its address; apt-helper honours the proxy and the hash."""
        part = deb.with_suffix(".part")
        digest = f"SHA256:{package.sha256}"
        got = self._run(
            APT_HELPER, "-qq", "download-file", package.uri, str(part), digest
        )
        if got.returncode or not part.is_file():
            raise RootfsError(f"cannot download {package.uri}{explained(got.stderr)}")
        part.rename(deb)

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            # apt would read the defaults for lists it clears: all are set in there
            "APT_CONFIG": str(self.cache / "apt.conf"),
            "DEBIAN_FRONTEND": "noninteractive",
            "LC_ALL": "C.UTF-8",
        }
        return run(command, environment)


def run(
    command: Sequence[str], environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a tool of the host and keep what it says."""
    try:
        return subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except FileNotFoundError:
        raise RootfsError(f"{command[0]} is not installed on this host") from None


def explained(stderr: str) -> str:
    """The first words of a tool's complaint, and what to do about it."""
    lines = [line for line in stderr.splitlines() if line.strip()]
    hint = next((cure for sign, cure in HINTS if re.search(sign, stderr)), "")
    text = "".join(f"\n  {line}" for line in lines[:6])
    return f":{text}" * bool(lines) + f"\n  {hint}" * bool(hint)


def pool_name(uri: str) -> str:
    """The name that an archive's index has for a file: ``pool/main/...``."""
    _, found, rest = unquote(uri).partition("/pool/")
    return f"pool/{rest}" if found else uri


def sha256(path: Path) -> str:
    """The hash of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def user_name() -> str:
    """Who runs this: apt must not change to another user for our cache."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return "root"


def host_proxy() -> list[str]:
    """The host's proxy settings for apt."""
    got = run(("apt-config", "dump"))
    return [
        line
        for line in got.stdout.splitlines()
        if re.match(r"Acquire::https?::Proxy", line, re.IGNORECASE)
    ]


def host_mirror() -> str:
    """The Debian archive that this host's own apt uses."""
    got = run(("apt-get", "indextargets", "--format", "$(SITE)"))
    for site in got.stdout.split():
        if re.search(r"/debian/?$", site):
            return site
    raise RootfsError(
        "this host's apt sources name no Debian archive; give one with --mirror URL"
    )


def host_keyring() -> Path:
    """The keys of the Debian archive."""
    for name in KEYRINGS:
        if Path(name).is_file():
            return Path(name)
    raise RootfsError(
        f"no keys to verify the archive with: {KEYRINGS[0]} is not there; on Debian: "
        "apt-get install debian-archive-keyring, else name a file with --keyring"
    )


def require_tools() -> None:
    """All that is needed is there, or one message names all that is not."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise RootfsError(
            f"missing on this host: {', '.join(missing)}; on Debian or Ubuntu: "
            "apt-get install apt dpkg gpgv debian-archive-keyring"
        )


def read_lock(path: Path) -> list[Package]:
    """The packages that a lock file names."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise RootfsError(f"{path}: cannot be read: {error.strerror}") from None
    packages = []
    for number, line in enumerate(lines, 1):
        found = re.fullmatch(
            r"([a-z0-9][a-z0-9+.-]*) ([A-Za-z0-9.+:~-]+) ([a-z0-9-]+) "
            r"([0-9a-f]{64}) ([0-9]+) ([a-z]+:\S+)(?: ([0-9]+))?",
            line.strip(),
        )
        if not found:
            raise RootfsError(
                f"{path}:{number}: not a line of a lock file: "
                "package version arch sha256 size uri"
            )
        name, version, arch, digest, size, uri, installed = found.groups()
        packages.append(
            Package(name, version, arch, digest, int(size), uri, int(installed or 0))
        )
    if not packages:
        raise RootfsError(f"{path}: the lock file names no package")
    return packages
