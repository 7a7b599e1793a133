"""Address spaces against an independent model of what they mean.

The model knows ranges, pages and frames and nothing of tables: a private store
replaces the page's bytes in one space, a shared store changes the frame for all.
The C side is compared with it through the copies, and by a walk of the raw tables
with the algorithm of the privileged specification ("Virtual address translation
process"), and by a count of all references to all frames.
"""

from __future__ import annotations

import struct
from collections import Counter
from dataclasses import dataclass, field, replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from personae.hw import (
    HW_R,
    HW_W,
    HW_X,
    MAP_SHARED,
    PAGE_SIZE,
    Err,
    Machine,
    Stat,
    Trap,
)

V, SHARED = 1, 1 << 9
RWX = HW_R | HW_W | HW_X
TOP_PAGE = 1 << 26
SLOTS = struct.Struct("<512Q")
BASES = (0, 510, 1 << 9, (1 << 18) - 3, 1 << 18, (1 << 18) + 512, TOP_PAGE - 12)


@dataclass
class Frame:
    """The bytes of a page; only the first 16 are ever used."""

    data: bytes = bytes(16)


@dataclass(frozen=True)
class Entry:
    """What is mapped at the pages of a range."""

    kind: str  # zero, ask, frame
    prot: int
    shared: bool = False
    frame: Frame | None = None


@dataclass
class Space:
    """A list of (first page, end page, entry); one page each where frames are."""

    ranges: list[tuple[int, int, Entry]] = field(default_factory=list)

    def carve(self, start: int, end: int) -> list[tuple[int, int, Entry]]:
        """Take [start, end) out and return what was there."""
        inside, outside = [], []
        for lo, hi, entry in self.ranges:
            for a, b, keep in (
                (lo, min(hi, start), outside),
                (max(lo, start), min(hi, end), inside),
                (max(lo, end), hi, outside),
            ):
                if a < b:
                    keep.append((a, b, entry))
        self.ranges = outside
        return inside

    def put(self, start: int, end: int, entry: Entry) -> None:
        self.carve(start, end)
        self.ranges.append((start, end, entry))

    def at(self, page: int) -> Entry | None:
        return next((e for lo, hi, e in self.ranges if lo <= page < hi), None)

    def refusal(self, page: int, need: int) -> Trap | None:
        entry = self.at(page)
        if entry is None:
            return Trap.UNMAPPED
        if not entry.prot & need:
            return Trap.PROT
        return Trap.ASK if entry.kind == "ask" else None

    def load(self, page: int) -> bytes:
        entry = self.at(page)
        return entry.frame.data if entry and entry.frame else bytes(16)

    def store(self, page: int, data: bytes) -> None:
        entry = self.at(page)
        assert entry is not None
        if entry.frame and entry.shared:
            entry.frame.data = data
        else:
            self.put(page, page + 1, replace(entry, kind="frame", frame=Frame(data)))


pages = st.builds(lambda b, i: b + i, st.sampled_from(BASES), st.integers(0, 4))
sizes = st.one_of(
    st.integers(1, 8), st.sampled_from([512, 513, 1024, 1 << 18, (1 << 18) + 512])
)
prots = st.sampled_from([0, HW_R, HW_W, HW_R | HW_W, HW_R | HW_W, HW_X, RWX])
small = st.integers(0, 7)
words = st.binary(min_size=16, max_size=16)


def normal(prot: int) -> int:
    return prot | HW_R if prot & HW_W else prot


class Spaces(RuleBasedStateMachine):
    """The hardware and the model, side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.hw = Machine(64 << 20)
        self.spaces: dict[int, Space] = {self.hw.as_create(0): Space()}
        self.frames: dict[int, Frame] = {}

    def pick(self, n: int) -> tuple[int, Space]:
        ids = sorted(self.spaces)
        as_ = ids[n % len(ids)]
        return as_, self.spaces[as_]

    # ---- spaces and frames ----

    @rule()
    def create(self) -> None:
        if len(self.spaces) < 5:
            self.spaces[self.hw.as_create(0)] = Space()

    @rule(n=small)
    def clone(self, n: int) -> None:
        as_, space = self.pick(n)
        if len(self.spaces) < 5:
            child = self.hw.as_clone(as_, 0)
            assert child not in self.spaces
            self.spaces[child] = Space(list(space.ranges))

    @precondition(lambda self: len(self.spaces) > 1)
    @rule(n=small)
    def destroy(self, n: int) -> None:
        as_, _ = self.pick(n)
        self.hw.as_destroy(as_)
        del self.spaces[as_]

    @rule(data=words)
    def new_frame(self, data: bytes) -> None:
        pfn = self.hw.frame_alloc(0)
        self.frames[pfn] = Frame(data)
        assert self.hw.frame_write(pfn, 0, data) == Err.OK

    @precondition(lambda self: self.frames)
    @rule(n=small)
    def release_frame(self, n: int) -> None:
        pfn = sorted(self.frames)[n % len(self.frames)]
        self.hw.frame_rele(pfn)
        del self.frames[pfn]

    @precondition(lambda self: self.frames)
    @rule(n=small, data=words)
    def write_frame(self, n: int, data: bytes) -> None:
        pfn = sorted(self.frames)[n % len(self.frames)]
        assert self.hw.frame_read(pfn, 0, 16) == self.frames[pfn].data
        self.hw.frame_write(pfn, 0, data)
        self.frames[pfn].data = data

    # ---- ranges ----

    def done(self, rc: int, start: int, size: int) -> bool:
        fits = start + size <= TOP_PAGE
        assert rc == (Err.OK if fits else Err.EINVAL)
        return fits

    @rule(n=small, start=pages, size=sizes, prot=prots)
    def map_zero(self, n: int, start: int, size: int, prot: int) -> None:
        as_, space = self.pick(n)
        rc = self.hw.map_zero(as_, start << 12, size << 12, prot)
        if self.done(rc, start, size):
            space.put(start, start + size, Entry("zero", normal(prot)))

    @rule(n=small, start=pages, size=sizes, prot=prots, shared=st.booleans())
    def map_ask(self, n: int, start: int, size: int, prot: int, shared: bool) -> None:
        as_, space = self.pick(n)
        rc = self.hw.map_ask(as_, start << 12, size << 12, prot, int(shared))
        if self.done(rc, start, size):
            space.put(start, start + size, Entry("ask", normal(prot), shared))

    @rule(
        n=small,
        start=pages,
        which=st.lists(st.none() | small, min_size=1, max_size=6),
        prot=prots,
        shared=st.booleans(),
    )
    def map_frames(
        self, n: int, start: int, which: list[int | None], prot: int, shared: bool
    ) -> None:
        as_, space = self.pick(n)
        known = sorted(self.frames)
        pfns = [known[w % len(known)] if known and w is not None else 0 for w in which]
        rc = self.hw.map_frames(as_, start << 12, pfns, prot, int(shared) * MAP_SHARED)
        if self.done(rc, start, len(pfns)):
            for page, pfn in enumerate(pfns, start):
                entry = Entry("ask", normal(prot), shared)
                if pfn:
                    entry = replace(entry, kind="frame", frame=self.frames[pfn])
                space.put(page, page + 1, entry)

    @rule(n=small, start=pages, size=sizes)
    def unmap(self, n: int, start: int, size: int) -> None:
        as_, space = self.pick(n)
        if self.done(self.hw.unmap(as_, start << 12, size << 12), start, size):
            space.carve(start, start + size)

    @rule(n=small, start=pages, size=sizes, prot=prots)
    def protect(self, n: int, start: int, size: int, prot: int) -> None:
        as_, space = self.pick(n)
        rc = self.hw.protect(as_, start << 12, size << 12, prot)
        if self.done(rc, start, size):
            for lo, hi, entry in space.carve(start, start + size):
                space.put(lo, hi, replace(entry, prot=normal(prot)))

    @rule(n=small, start=pages, to=pages, size=sizes)
    def move(self, n: int, start: int, to: int, size: int) -> None:
        as_, space = self.pick(n)
        rc = self.hw.move(as_, start << 12, to << 12, size << 12)
        if start < to + size and to < start + size:
            assert rc == Err.EINVAL
        elif self.done(rc, max(start, to), size):
            taken = space.carve(start, start + size)
            space.carve(to, to + size)
            for lo, hi, entry in taken:
                space.put(lo - start + to, hi - start + to, entry)

    # ---- bytes ----

    def mapped(self, space: Space, n: int) -> int:
        """The n-th page of interest, where something is mapped if anything is."""
        edges = sorted({p for lo, hi, _ in space.ranges for p in (lo, hi - 1)})
        return edges[n % len(edges)] if edges else n

    @rule(n=small, at=small)
    def load(self, n: int, at: int) -> None:
        as_, space = self.pick(n)
        self.compare_load(as_, space, self.mapped(space, at))

    @rule(n=small, page=pages)
    def load_anywhere(self, n: int, page: int) -> None:
        as_, space = self.pick(n)
        self.compare_load(as_, space, page)

    def compare_load(self, as_: int, space: Space, page: int) -> None:
        got = self.hw.copyin(as_, page << 12, 16)
        trap = space.refusal(page, HW_R)
        if trap is None:
            assert got == space.load(page)
        else:
            assert got == b""
            where = (self.hw.fault_trap(), self.hw.fault_addr())
            assert where == (trap, page << 12)

    @rule(n=small, at=small, data=words)
    def store(self, n: int, at: int, data: bytes) -> None:
        as_, space = self.pick(n)
        self.compare_store(as_, space, self.mapped(space, at), data)

    @rule(n=small, start=pages, data=words, again=st.booleans())
    def fork_and_store(self, n: int, start: int, data: bytes, again: bool) -> None:
        """What fork is for: all sides store to the pages they share."""
        as_, space = self.pick(n)
        two = [p for p in (start, start + 1) if p < TOP_PAGE]
        if not again or any(space.refusal(p, HW_W) for p in two):
            self.map_zero(n, start, len(two), HW_W)
        for page in two:
            self.compare_store(as_, space, page, data[::-1])
        self.clone(n)
        for page in two:
            for other in sorted(self.spaces)[:: 1 if n & 1 else -1]:
                mine = data[:14] + b"%d%d" % (other % 10, page % 10)
                self.compare_store(other, self.spaces[other], page, mine)
                for each, its in self.spaces.items():
                    self.compare_load(each, its, page)

    def compare_store(self, as_: int, space: Space, page: int, data: bytes) -> None:
        got = self.hw.copyout(as_, page << 12, data)
        trap = space.refusal(page, HW_W)
        if trap is None:
            assert got == 16
            space.store(page, data)
        else:
            assert got == 0
            where = (self.hw.fault_trap(), self.hw.fault_addr())
            assert where == (trap, page << 12)

    @rule()
    def go_on_in_a_copy(self) -> None:
        image = self.hw.save()
        again = Machine.load(image)
        assert again is not None
        assert again.save() == image
        self.hw = again.clone()

    # ---- the tables, by the specification ----

    def slots(self, pfn: int) -> tuple[int, ...]:
        return SLOTS.unpack(self.hw.frame_read(pfn, 0, PAGE_SIZE))

    def translate(self, as_: int, page: int) -> tuple[int, int] | None:
        """The leaf (its R W X bits and its frame) of a page; None: page fault."""
        a = self.hw.as_root(as_)
        for i in (2, 1, 0):
            index = (page >> 9 * i) & 511
            raw = self.hw.frame_read(a, 8 * index, 8)
            (pte,) = struct.unpack("<Q", raw)
            if not pte & V or (pte & (HW_R | HW_W)) == HW_W:
                return None
            assert pte >> 54 == 0, "reserved bits are zero"
            if pte & (HW_R | HW_X):
                assert i == 0, "no superpages are made"
                assert pte & (1 << 4 | 1 << 6) == 1 << 4 | 1 << 6, "U and A are set"
                assert bool(pte & 1 << 7) or not pte & HW_W, "D is set with W"
                return pte & RWX, pte >> 10
            a = pte >> 10
        return None

    @invariant()
    def tables_mean_what_the_model_says(self) -> None:
        for as_, space in self.spaces.items():
            edges = {p for lo, hi, _ in space.ranges for p in (lo - 1, lo, hi - 1, hi)}
            for page in edges:
                if not 0 <= page < TOP_PAGE:
                    continue
                entry, leaf = space.at(page), self.translate(as_, page)
                if leaf is None:
                    # a page of a frame has no translation only when protected
                    assert not (entry and entry.frame and entry.prot)
                    if entry and entry.kind == "ask":
                        shared = self.hw.pte(as_, page << 12) & SHARED
                        assert bool(shared) == entry.shared
                    continue
                assert entry is not None
                assert leaf[0] & ~entry.prot == 0, "a table allows what it must not"
                assert leaf[0] | HW_W == entry.prot | HW_W
                assert self.hw.frame_read(leaf[1], 0, 16) == space.load(page)
                assert self.hw.pte_frame(as_, page << 12) == leaf[1]

    def census(self) -> tuple[Counter[int], Counter[int], set[int]]:
        """References to tables and to pages found in all tables; W private pages."""
        tables: Counter[int] = Counter()
        data: Counter[int] = Counter()
        stores: set[int] = set()
        todo = [(self.hw.as_root(as_), 2) for as_ in self.spaces]
        while todo:
            pfn, level = todo.pop()
            tables[pfn] += 1
            if tables[pfn] > 1:
                continue
            for pte in filter(None, self.slots(pfn)):
                if level and pte & V:
                    todo.append((pte >> 10, level - 1))
                elif level == 0 and (pte & V or pte >> 4 & 7 == 3):
                    data[pte >> 10] += 1
                    if pte & V and pte & HW_W and not pte & SHARED:
                        stores.add(pte >> 10)
        return tables, data, stores

    @rule()
    def every_reference_is_counted(self) -> None:
        tables, data, stores = self.census()
        assert all(data[pfn] == 1 for pfn in stores), "W means one owner"
        data.update(self.frames.keys())
        assert {p: self.hw.frame_refs(p) for p in data} == data
        assert {p: self.hw.frame_refs(p) for p in tables} == tables
        assert self.hw.stat(Stat.TABLES) == len(tables)
        assert self.hw.stat(Stat.FRAMES_USED) == len(tables) + len(data)
        assert self.hw.stat(Stat.SPACES) == len(self.spaces)

    def teardown(self) -> None:
        for as_, space in self.spaces.items():
            for lo, _, _ in list(space.ranges):
                self.compare_load(as_, space, lo)
        self.every_reference_is_counted()
        for as_ in self.spaces:
            self.hw.as_destroy(as_)
        for pfn in self.frames:
            self.hw.frame_rele(pfn)
        assert self.hw.stat(Stat.FRAMES_USED) == self.hw.stat(Stat.TABLES) == 0


Spaces.TestCase.settings = settings(
    max_examples=60, stateful_step_count=50, deadline=None, derandomize=True
)
TestSpaces = Spaces.TestCase
