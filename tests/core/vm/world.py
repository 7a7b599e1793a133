"""Fakes for tests of memory: a kernel of nothing but memory, a file of pages."""

from types import SimpleNamespace

from personae.core.errno import Errno, KernelError
from personae.core.txn import Transaction
from personae.core.vm import PAGE, As, as_dup, as_free, page_up
from personae.hw import Machine, Stat


class FakeVnode:
    """A file in frames; counts its holders."""

    v_vfs = None

    def __init__(self, kernel, data, mappable=True):
        self.kernel = kernel
        self.size = len(data)
        self.data = bytearray(data)
        self.frames = {}
        self.v_count = 0
        self.mappable = mappable

    def hold(self):
        self.v_count += 1
        return self

    def rele(self):
        assert self.v_count > 0
        self.v_count -= 1

    def getattr(self):
        return SimpleNamespace(size=self.size, mode=0o755, uid=0, gid=0)

    def getpage(self, idx):
        if not self.mappable:
            raise KernelError(Errno.ENODEV, "not mappable")
        if idx * PAGE >= page_up(self.size):
            raise KernelError(Errno.EFAULT, "behind the end")
        if idx not in self.frames:
            pfn = self.kernel.hw.frame_alloc(0)
            if pfn == 0:
                raise KernelError(Errno.ENOMEM, "no frame")
            self.frames[idx] = pfn
            page = bytes(self.data[idx * PAGE : (idx + 1) * PAGE])
            self.kernel.hw.frame_write(pfn, 0, page)
        return self.frames[idx]

    def getpages(self, first, n):
        return [self.getpage(i) for i in range(first, first + n)]

    def read(self, lwp, off, n, flag):
        return bytes(self.data[off : off + n])

    def drop(self):
        for pfn in self.frames.values():
            self.kernel.hw.frame_rele(pfn)
        self.frames.clear()


class World:
    """The kernel's memory, with everything made in it, for the check at the end."""

    def __init__(self):
        self.hw = Machine(64 << 20, 1)
        self.kernel = SimpleNamespace(hw=self.hw, current=None)
        self.before = self.used()
        self.spaces = []
        self.files = []

    def used(self):
        return self.hw.stat(Stat.FRAMES_USED)

    def space(self, proc=None, acct=0):
        as_ = As(self.kernel, acct, proc)
        self.spaces.append(as_)
        return as_

    def file(self, data, mappable=True):
        vnode = FakeVnode(self.kernel, data, mappable)
        self.files.append(vnode)
        return vnode

    def fork(self, as_, acct=0):
        with Transaction("fork") as txn:
            child = as_dup(txn, self.kernel, as_, acct)
            txn.commit()
        self.spaces.append(child)
        return child

    def free(self, as_):
        self.spaces.remove(as_)
        as_free(as_)

    def finish(self):
        for as_ in self.spaces:
            as_free(as_)
        for vnode in self.files:
            assert vnode.v_count == 0
            vnode.drop()
        assert self.before == self.used()
