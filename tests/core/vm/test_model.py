"""Address spaces against a model of a few dozen pages, with forks.

The model knows for each page: its protection, and the cell that holds its byte.
A private page's cell is copied by fork, a shared one's is not.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from personae.core.errno import Errno, KernelError
from personae.core.vm import PAGE, MapFlag

BASE = 0x4000_0000 - 8 * PAGE
"""Near the end of a 1 GiB slot, so that every level of tables has a border."""
NPAGES = 24
FILE_PAGES = 5
FIXED = MapFlag.FIXED

starts = st.integers(0, NPAGES - 1)
lengths = st.integers(1, 10)
prots = st.sampled_from([0, 1, 3, 3, 3])
which = st.integers(0, 3)


def failed(call, *args):
    """The errno that a call raises, or None."""
    try:
        call(*args)
    except KernelError as e:
        return e.errno
    return None


class Page:
    def __init__(self, prot, cell, shared, reset):
        self.prot, self.cell, self.shared, self.reset = prot, cell, shared, reset
        self.bus = False


class Spaces(RuleBasedStateMachine):
    new_world = None

    @initialize()
    def start(self):
        self.world = self.new_world()
        data = b"".join(bytes([100 + i]) * PAGE for i in range(FILE_PAGES))
        self.file = self.world.file(data[:-10])
        self.cells = [[100 + i] for i in range(FILE_PAGES)]
        self.spaces = [(self.world.space(), {})]

    def teardown(self):
        if hasattr(self, "world"):
            self.world.finish()

    def pick(self, n):
        return self.spaces[n % len(self.spaces)]

    def clip(self, start, n):
        return range(start, min(start + n, NPAGES))

    def replace(self, as_, model, pages, pages_of, *args):
        as_.map(BASE + pages[0] * PAGE, len(pages) * PAGE, *args)
        for i, page in enumerate(pages):
            model[page] = pages_of(i)

    @rule(n=which, start=starts, length=lengths, prot=prots, shared=st.booleans())
    def map_anon(self, n, start, length, prot, shared):
        as_, model = self.pick(n)
        flag = MapFlag.SHARED if shared else MapFlag.PRIVATE
        self.replace(
            as_,
            model,
            self.clip(start, length),
            lambda i: Page(prot, [0], shared, 0),
            prot,
            flag | FIXED,
        )

    @rule(
        n=which,
        start=starts,
        length=lengths,
        prot=prots,
        shared=st.booleans(),
        first=st.integers(0, FILE_PAGES),
    )
    def map_file(self, n, start, length, prot, shared, first):
        as_, model = self.pick(n)

        def page(i):
            idx = first + i
            if idx >= FILE_PAGES:
                new = Page(prot, [None], shared, None)
                new.bus = True
                return new
            cell = self.cells[idx]
            return Page(prot, cell, shared, cell)

        self.replace(
            as_,
            model,
            self.clip(start, length),
            page,
            prot,
            (MapFlag.SHARED if shared else MapFlag.PRIVATE) | FIXED,
            self.file,
            first * PAGE,
        )

    @rule(n=which, start=starts, length=lengths)
    def unmap(self, n, start, length):
        as_, model = self.pick(n)
        pages = self.clip(start, length)
        as_.unmap(BASE + start * PAGE, len(pages) * PAGE)
        for p in pages:
            model.pop(p, None)

    @rule(n=which, start=starts, length=lengths, prot=prots)
    def protect(self, n, start, length, prot):
        as_, model = self.pick(n)
        pages = self.clip(start, length)
        err = failed(as_.protect, BASE + start * PAGE, len(pages) * PAGE, prot)
        if err is not None:
            assert err is Errno.ENOMEM
            assert not all(p in model for p in pages)
        else:
            for p in pages:
                model[p].prot = prot

    @rule(n=which, start=starts, length=lengths)
    def dontneed(self, n, start, length):
        as_, model = self.pick(n)
        pages = self.clip(start, length)
        err = failed(as_.dontneed, BASE + start * PAGE, len(pages) * PAGE)
        if err is not None:
            assert err is Errno.ENOMEM
            assert not all(p in model for p in pages)
        for p in pages:
            page = model.get(p)
            if page is not None and not page.shared and not page.bus:
                page.cell = page.reset if page.reset else [0]

    @rule(n=which, start=starts, value=st.integers(1, 99))
    def write(self, n, start, value):
        as_, model = self.pick(n)
        page = model.get(start)
        err = failed(as_.copyout, BASE + start * PAGE + 7, bytes([value]))
        if err is not None:
            assert err is Errno.EFAULT
            assert page is None or page.bus or not page.prot & 2
        else:
            if not page.shared:
                page.cell = [0]
            page.cell[0] = value

    @rule(n=which, start=starts, length=st.integers(1, 3), to=starts)
    def remap(self, n, start, length, to):
        as_, model = self.pick(n)
        pages = self.clip(start, length)
        length = len(pages)
        if to + length > NPAGES:
            return
        old, new = BASE + start * PAGE, BASE + to * PAGE
        err = failed(as_.remap, old, length * PAGE, length * PAGE, 3, new)
        if err is not None:
            overlap = abs(to - start) < length
            assert err is (Errno.EINVAL if overlap else Errno.EFAULT)
        else:
            moved = [model.pop(p) for p in pages]
            model.update({to + i: page for i, page in enumerate(moved)})

    @precondition(lambda self: len(self.spaces) < 4)
    @rule(n=which)
    def fork(self, n):
        as_, model = self.pick(n)
        copy = {}
        for i, p in model.items():
            new = Page(p.prot, p.cell, p.shared, p.reset)
            new.bus = p.bus
            # A private page that nobody has written still follows the file.
            if not p.shared and p.cell is not p.reset:
                new.cell = list(p.cell)
            copy[i] = new
        self.spaces.append((self.world.fork(as_), copy))

    @precondition(lambda self: len(self.spaces) > 1)
    @rule(n=which)
    def exit(self, n):
        as_, _ = self.spaces.pop(n % len(self.spaces))
        self.world.free(as_)

    @invariant()
    def pages_agree(self):
        for as_, model in getattr(self, "spaces", ()):
            for i in range(NPAGES):
                page = model.get(i)
                readable = page is not None and page.prot & 3 and not page.bus
                where = BASE + i * PAGE + 7
                if not readable:
                    assert failed(as_.copyin, where, 1) is Errno.EFAULT
                else:
                    got = as_.copyin(where, 1)[0]
                    assert page.cell[0] == got

    @invariant()
    def list_is_sound(self):
        for as_, model in getattr(self, "spaces", ()):
            assert len(model) * PAGE == as_.size == sum(s.size for s in as_.segs)
            assert [s.base for s in as_.segs] == as_._bases
            for lower, upper in zip(as_.segs, as_.segs[1:], strict=False):
                assert lower.end <= upper.base
                assert not (lower.end == upper.base and lower.joins(upper))


def test_spaces(make_world):
    class Machine(Spaces):
        new_world = staticmethod(make_world)

    steps = settings(
        max_examples=60, stateful_step_count=40, deadline=None, derandomize=True
    )
    run_state_machine_as_test(Machine, settings=steps)
