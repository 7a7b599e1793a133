"""Credentials: who a process is and what it may do (sys/cred.h, sys/priv.h).

A ``Cred`` is shared by reference and never changed in place: ``copy`` makes the
changed one.  Each process and each lwp holds one reference.

A process that never touched its privilege sets is not *privilege aware*
(privileges(7)): with effective uid 0 it has all of its limit set, with any other
what its own sets say.  So ``copy(euid=...)`` alone gives what setuid programs
expect, and ``copy(effective=...)`` makes the process aware.
"""

from __future__ import annotations

from enum import IntEnum, auto
from typing import TYPE_CHECKING, Any

from personae.core.errno import Panic

if TYPE_CHECKING:
    from collections.abc import Iterable


class Priv(IntEnum):
    """Privileges, privileges(7); a name in lower case is its name in text."""

    # the basic set: what an ordinary user may do
    FILE_LINK_ANY = 0
    FILE_READ = auto()
    FILE_WRITE = auto()
    NET_ACCESS = auto()
    PROC_EXEC = auto()
    PROC_FORK = auto()
    PROC_INFO = auto()
    PROC_SECFLAGS = auto()
    PROC_SESSION = auto()
    # what a zone has by default
    CONTRACT_EVENT = auto()
    CONTRACT_IDENTITY = auto()
    CONTRACT_OBSERVER = auto()
    FILE_CHOWN = auto()
    FILE_CHOWN_SELF = auto()
    FILE_DAC_EXECUTE = auto()
    FILE_DAC_READ = auto()
    FILE_DAC_SEARCH = auto()
    FILE_DAC_WRITE = auto()
    FILE_OWNER = auto()
    FILE_SETID = auto()
    IPC_DAC_READ = auto()
    IPC_DAC_WRITE = auto()
    IPC_OWNER = auto()
    NET_ICMPACCESS = auto()
    NET_OBSERVABILITY = auto()
    NET_PRIVADDR = auto()
    NET_RAWACCESS = auto()
    PROC_AUDIT = auto()
    PROC_CHROOT = auto()
    PROC_LOCK_MEMORY = auto()
    PROC_OWNER = auto()
    PROC_SETID = auto()
    PROC_TASKID = auto()
    SYS_ACCT = auto()
    SYS_ADMIN = auto()
    SYS_AUDIT = auto()
    SYS_MOUNT = auto()
    SYS_NFS = auto()
    SYS_RESOURCE = auto()
    SYS_SHARE = auto()
    # only for the global zone, or by limitpriv
    CPC_CPU = auto()
    DTRACE_KERNEL = auto()
    DTRACE_PROC = auto()
    DTRACE_USER = auto()
    PROC_CLOCK_HIGHRES = auto()
    PROC_PRIOCNTL = auto()
    PROC_PRIOUP = auto()
    PROC_ZONE = auto()
    SYS_CONFIG = auto()
    SYS_DEVICES = auto()
    SYS_IPC_CONFIG = auto()
    SYS_LINKDIR = auto()
    SYS_NET_CONFIG = auto()
    SYS_RES_BIND = auto()
    SYS_RES_CONFIG = auto()
    SYS_SUSER_COMPAT = auto()
    SYS_TIME = auto()


PRIV_NONE: frozenset[Priv] = frozenset()
PRIV_ALL = frozenset(Priv)
PRIV_BASIC = frozenset(p for p in Priv if p <= Priv.PROC_SESSION)
PRIV_ZONE = frozenset(p for p in Priv if p <= Priv.SYS_SHARE)


def parse_privs(text: str, default: frozenset[Priv] = PRIV_ZONE) -> frozenset[Priv]:
    """Read a privilege set as zonecfg's ``limitpriv`` spells it.

    Words are separated by commas and count from left to right; ``!`` or ``-``
    takes away.  The set words are all, basic, zone, default and none.

    >>> Priv.SYS_TIME in parse_privs("default,sys_time")
    True
    >>> parse_privs("basic,!proc_fork") == PRIV_BASIC - {Priv.PROC_FORK}
    True

    Raises:
        ValueError: A word is no privilege; the text names it.
    """
    sets = {
        "all": PRIV_ALL,
        "basic": PRIV_BASIC,
        "zone": PRIV_ZONE,
        "default": default,
        "none": PRIV_NONE,
    }
    out: frozenset[Priv] = PRIV_NONE
    for raw in text.split(","):
        word = raw.strip().lower()
        take_away = word[:1] in ("!", "-")
        name = word[1:].strip() if take_away else word
        if not name:
            raise ValueError(f"{text!r}: an empty word is no privilege")
        if name in sets:
            found = sets[name]
        elif name.upper() in Priv.__members__:
            found = frozenset((Priv[name.upper()],))
        else:
            raise ValueError(f"{text!r}: there is no privilege {name!r}")
        out = out - found if take_away else out | found
    return out


def priv_text(privs: Iterable[Priv]) -> str:
    """A set as text, in the order of the enum.

    >>> priv_text({Priv.PROC_FORK, Priv.PROC_EXEC})
    'proc_exec,proc_fork'
    """
    return ",".join(p.name.lower() for p in sorted(privs)) or "none"


_FIELDS = ("uid", "gid", "euid", "egid", "suid", "sgid", "fsuid", "fsgid", "groups")
_SETS = ("epriv", "ipriv", "ppriv", "lpriv", "aware", "zoneid")


class Cred:
    """One identity.  Immutable but for its reference count.

    Args:
        uid: Real user id; the other user ids default to it.
        gid: Real group id; the other group ids default to it.
        zoneid: The zone it belongs to.
        groups: Supplementary groups.
        limit: Limit set; nothing can go beyond.
        inheritable: What a process without uid 0 keeps over exec and has.
    """

    __slots__ = (*_FIELDS, *_SETS, "ref")

    def __init__(
        self,
        uid: int = 0,
        gid: int = 0,
        *,
        zoneid: int = 0,
        groups: tuple[int, ...] = (),
        limit: frozenset[Priv] = PRIV_ALL,
        inheritable: frozenset[Priv] = PRIV_BASIC,
    ) -> None:
        self.uid = self.euid = self.suid = self.fsuid = uid
        self.gid = self.egid = self.sgid = self.fsgid = gid
        self.groups = groups
        self.zoneid = zoneid
        self.lpriv = limit
        self.ipriv = inheritable
        self.epriv = self.ppriv = inheritable & limit
        self.aware = False
        self.ref = 1

    @property
    def effective(self) -> frozenset[Priv]:
        """The privileges that count now (CR_OEPRIV)."""
        return self.lpriv if self.euid == 0 and not self.aware else self.epriv

    @property
    def permitted(self) -> frozenset[Priv]:
        """What the process may make effective (CR_OPPRIV)."""
        root = 0 in (self.uid, self.euid, self.suid)
        return self.lpriv if root and not self.aware else self.ppriv

    def has(self, priv: Priv) -> bool:
        """Whether a privilege is effective."""
        return priv in self.effective

    def copy(self, **changes: Any) -> Cred:
        """A changed copy with one reference, the caller's.

        Args:
            **changes: New values of fields.  ``euid`` and ``egid`` move ``fsuid`` and
                ``fsgid`` along unless these are given.  ``effective`` replaces the
                effective set, cut to what is permitted, and makes the result
                privilege aware.
        """
        new = Cred.__new__(Cred)
        for name in (*_FIELDS, *_SETS):
            setattr(new, name, getattr(self, name))
        new.ref = 1
        effective = changes.pop("effective", None)
        for eid, fsid in (("euid", "fsuid"), ("egid", "fsgid")):
            if eid in changes:
                changes.setdefault(fsid, changes[eid])
        for name, value in changes.items():
            if name not in _FIELDS and name not in _SETS:
                raise TypeError(f"a credential has no field {name!r}")
            setattr(new, name, value)
        if effective is not None:
            new.ppriv = new.permitted
            new.epriv = frozenset(effective) & new.ppriv
            new.aware = True
        return new

    def hold(self) -> Cred:
        """Take a reference (crhold); returns itself."""
        if self.ref <= 0:
            raise Panic(f"crhold of a dead {self!r}")
        self.ref += 1
        return self

    def rele(self) -> None:
        """Drop a reference (crfree)."""
        if self.ref <= 0:
            raise Panic(f"crfree of a dead {self!r}")
        self.ref -= 1

    def groupmember(self, gid: int) -> bool:
        """Whether the file-system group or a supplementary one is ``gid``."""
        return gid == self.fsgid or gid in self.groups

    def key(self) -> tuple[Any, ...]:
        """All but the reference count, to compare two credentials."""
        return tuple(
            tuple(sorted(v)) if isinstance(v, frozenset) else v
            for v in (getattr(self, name) for name in (*_FIELDS, *_SETS))
        )

    def __repr__(self) -> str:
        return (
            f"<Cred uid={self.uid}/{self.euid}/{self.suid} "
            f"gid={self.gid}/{self.egid}/{self.sgid} zone={self.zoneid} ref={self.ref}>"
        )


def kcred(zoneid: int = 0, limit: frozenset[Priv] = PRIV_ALL) -> Cred:
    """A credential of the kernel itself, or of a zone's zsched.

    Args:
        zoneid: The zone.
        limit: The zone's limit set (zone_kcred is cut to it).

    What its programs inherit is the basic set (cred_init, os/cred.c): one that gives
    up uid 0 keeps nothing else.
    """
    return Cred(0, 0, zoneid=zoneid, limit=limit)
