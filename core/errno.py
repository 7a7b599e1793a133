"""Errors: the numbers, and the only two exceptions of the kernel.

``KernelError`` is what a guest did or met and becomes its errno; ``Panic`` is
a fault of ours.  Integers appear only at the system-call edge, where the
brand translates them: inside, the numbers are those of illumos
(sys/errno.h), because the generic machinery is illumos'.
"""

from __future__ import annotations

from enum import IntEnum


class Errno(IntEnum):
    """Error numbers of illumos, sys/errno.h."""

    EPERM = 1
    ENOENT = 2
    ESRCH = 3
    EINTR = 4
    EIO = 5
    ENXIO = 6
    E2BIG = 7
    ENOEXEC = 8
    EBADF = 9
    ECHILD = 10
    EAGAIN = 11
    ENOMEM = 12
    EACCES = 13
    EFAULT = 14
    ENOTBLK = 15
    EBUSY = 16
    EEXIST = 17
    EXDEV = 18
    ENODEV = 19
    ENOTDIR = 20
    EISDIR = 21
    EINVAL = 22
    ENFILE = 23
    EMFILE = 24
    ENOTTY = 25
    ETXTBSY = 26
    EFBIG = 27
    ENOSPC = 28
    ESPIPE = 29
    EROFS = 30
    EMLINK = 31
    EPIPE = 32
    EDOM = 33
    ERANGE = 34
    ENOMSG = 35
    EIDRM = 36
    EDEADLK = 45
    ENOLCK = 46
    ECANCELED = 47
    ENOTSUP = 48
    EDQUOT = 49
    EOWNERDEAD = 58
    ENOTRECOVERABLE = 59
    ENODATA = 61
    ETIME = 62
    EPROTO = 71
    EBADMSG = 77
    ENAMETOOLONG = 78
    EOVERFLOW = 79
    EBADFD = 81
    EILSEQ = 88
    ENOSYS = 89
    ELOOP = 90
    ERESTART = 91
    ENOTEMPTY = 93
    EUSERS = 94
    ENOTSOCK = 95
    EDESTADDRREQ = 96
    EMSGSIZE = 97
    EPROTOTYPE = 98
    ENOPROTOOPT = 99
    EPROTONOSUPPORT = 120
    ESOCKTNOSUPPORT = 121
    EOPNOTSUPP = 122
    EPFNOSUPPORT = 123
    EAFNOSUPPORT = 124
    EADDRINUSE = 125
    EADDRNOTAVAIL = 126
    ENETDOWN = 127
    ENETUNREACH = 128
    ECONNABORTED = 130
    ECONNRESET = 131
    ENOBUFS = 132
    EISCONN = 133
    ENOTCONN = 134
    ESHUTDOWN = 143
    ETOOMANYREFS = 144
    ETIMEDOUT = 145
    ECONNREFUSED = 146
    EHOSTUNREACH = 148
    EALREADY = 149
    EINPROGRESS = 150
    ESTALE = 151


class KernelError(Exception):
    """An operation failed for a reason the guest is told.

    Args:
        errno: What the guest gets, translated by its brand.
        why: The reason in words, for traces and for people.
        control: The resource control of the process that refused, if it was one:
            its actions are the trap's to run.
    """

    def __init__(self, errno: Errno, why: str = "", control: str = "") -> None:
        super().__init__(errno, why)
        self.errno = errno
        self.why = why
        self.control = control

    def __str__(self) -> str:
        return f"{self.errno.name}: {self.why}" if self.why else self.errno.name


class Panic(Exception):
    """The kernel broke one of its own rules: a bug of personae, never a guest's."""
