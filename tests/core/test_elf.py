"""Reading and loading ELF files, above all those that are wrong."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personae.core import elf
from personae.core.elf import EType
from personae.core.errno import Errno, KernelError
from personae.core.execload import build_stack, load_image, place_image
from personae.core.vm import PAGE, STACK_TOP, USER_TOP, MapFlag
from personae.core.vm.layout import ET_DYN_BASE
from tests.core.vm.elfmaker import (
    BASE,
    CODE,
    DYN,
    EHDR,
    PHDR,
    Part,
    R,
    W,
    X,
    code,
    hello,
    make_elf,
)
from tests.core.vm.world import World


@pytest.fixture
def world():
    w = World()
    yield w
    w.finish()


def shape(as_):
    return [(m.base, m.end, m.prot, m.off) for m in as_.maps()]


def test_header_and_segments(world):
    image = elf.read(world.file(hello()))
    assert (image.type, image.entry, image.interp) == (EType.EXEC, CODE, None)
    assert [(p.vaddr, p.prot) for p in image.loads] == [(BASE, 5), (BASE + 0x2100, 3)]
    assert image.phdr == BASE + EHDR.size
    assert (image.phnum, image.flags, image.exec_stack) == (3, 5, False)
    assert (image.lo, image.hi) == (BASE, BASE + 0x6000)


def test_interpreter_and_stack_flag(world):
    data = hello(DYN, 0, interp=b"/lib/ld.so\0", execstack=True)
    image = elf.read(world.file(data))
    assert (image.type, image.interp) == (EType.DYN, b"/lib/ld.so")
    assert image.exec_stack


def part(**kw):
    return Part(CODE, code(0x73), **kw)


def patched(data, phdr, field, value):
    """Change a field of a program header."""
    at = EHDR.size + phdr * PHDR.size
    fields = list(PHDR.unpack_from(data, at))
    fields[field] = value
    out = bytearray(data)
    PHDR.pack_into(out, at, *fields)
    return bytes(out)


OFFSET, VADDR, FILESZ, MEMSZ, ALIGN = 2, 3, 5, 6, 7
BROKEN = {
    "empty": b"",
    "text": b"hello world, this is no program at all; " * 10,
    "magic only": b"\x7fELF",
    "header cut": hello()[:63],
    "headers cut": hello()[:100],
    "32 bits": hello(ident=b"\x7fELF\x01\x01\x01" + bytes(9)),
    "big endian": hello(ident=b"\x7fELF\x02\x02\x01" + bytes(9)),
    "x86": hello(machine=62),
    "version": hello(version=2),
    "relocatable": hello(etype=1),
    "core": hello(etype=4),
    "phentsize": hello(phentsize=32),
    "no phdrs": hello(phnum=0),
    "many phdrs": hello(phnum=65535),
    "phoff": hello(phoff=1 << 63),
    "phoff end": hello(phoff=(1 << 64) - 1),
    "entry": hello(entry=USER_TOP),
    "no loads": patched(patched(hello(), 0, 0, 0), 1, 0, 0),
    "file part larger": patched(hello(), 1, FILESZ, 0x3001),
    "behind the file": patched(hello(), 1, OFFSET, 1 << 40),
    "offset end": patched(hello(), 1, OFFSET, (1 << 64) - 0xF00),
    "overlap": patched(hello(), 1, VADDR, BASE + 0x100),
    "descending": patched(hello(), 0, VADDR, BASE + 0x100000),
    "kernel half": patched(hello(), 1, VADDR, (1 << 63) + 0x100),
    "memsz": patched(hello(), 1, MEMSZ, (1 << 64) - 1),
    "memsz top": patched(hello(), 1, MEMSZ, USER_TOP),
    "skewed": patched(hello(), 1, VADDR, BASE + 0x2101),
    "align": patched(hello(), 1, ALIGN, 3 * PAGE),
    "align huge": patched(hello(), 1, ALIGN, 1 << 62),
    "interp empty": hello(interp=b"\0\0"),
    "interp open": hello(interp=b"/lib/ld.so"),
    "interp short": hello(interp=b"\0"),
    "interp long": patched(hello(interp=b"/ld\0") + bytes(5000), 0, FILESZ, 4097),
    "interp outside": patched(hello(interp=b"/ld\0"), 0, OFFSET, 1 << 62),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_enoexec(world, name):
    with pytest.raises(KernelError) as e:
        elf.read(world.file(BROKEN[name]))
    assert e.value.errno is Errno.ENOEXEC


# ---- loading ----


def load(world, data, interp=False):
    as_ = world.space()
    image = elf.read(world.file(data))
    bias = place_image(as_, image, interp=interp)
    load_image(as_, image, bias)
    return as_, bias


def test_fixed_program(world):
    as_, bias = load(world, hello())
    assert bias == 0
    assert shape(as_) == [
        (BASE, BASE + 0x1000, 5, 0),
        (BASE + 0x2000, BASE + 0x3000, 3, 0x1000),
        (BASE + 0x3000, BASE + 0x6000, 3, 0),
    ]
    assert as_.copyin(BASE + 0x2100, 40) == b"data" * 10
    assert as_.copyin(BASE + 0x2128, 0x1000) == bytes(0x1000)


def test_file_bytes_behind_the_segment_are_not_bss(world):
    """What follows in the file's page is not seen; the file itself is unchanged."""
    data = hello() + b"garbage" * 100
    as_, _ = load(world, data)
    assert as_.copyin(BASE + 0x2128, 600) == bytes(600)
    vnode = world.files[0]
    assert b"garbage" in world.hw.frame_read(vnode.getpage(1), 0, PAGE)


def test_position_independent_program(world):
    as_, bias = load(world, hello(DYN, 0))
    assert bias == ET_DYN_BASE == 0x2AAAAAA000
    assert as_.copyin(bias + 0x2100, 4) == b"data"


def test_large_alignment_is_kept(world):
    data = make_elf(
        Part(0x800, code(0x73), align=1 << 21),
        Part(0x201000, b"x", R | W, align=1 << 21),
        etype=DYN,
    )
    _, bias = load(world, data)
    assert bias % (1 << 21) == 0
    _, bias = load(world, data, interp=True)
    assert bias % (1 << 21) == 0


def test_interpreter_goes_where_mappings_go(world):
    as_, bias = load(world, hello(DYN, 0), interp=True)
    assert bias == as_.mmap_base - 0x6000
    assert as_.copyin(bias + 0x2100, 4) == b"data"


def test_bss_without_file_bytes(world):
    data = make_elf(part(), Part(BASE + 0x4010, b"", R | W, 0x2000))
    as_, _ = load(world, data)
    assert shape(as_)[1] == (BASE + 0x4000, BASE + 0x7000, 3, 0)


def test_bss_in_the_last_page_of_data(world):
    data = make_elf(
        part(), Part(BASE + 0x2100, b"data", R | W), Part(BASE + 0x2200, b"", W, 0x1000)
    )
    as_, _ = load(world, data + b"junk" * 1000)
    assert as_.copyin(BASE + 0x2100, 4) == b"data"
    assert as_.copyin(BASE + 0x2200, 0x1000) == bytes(0x1000)


def test_read_only_bss(world):
    data = make_elf(part(), Part(BASE + 0x2100, b"data", R, 0x100)) + b"junk" * 100
    as_, _ = load(world, data)
    assert as_.copyin(BASE + 0x2100, 0x100) == b"data" + bytes(0xFC)
    assert as_.find(BASE + 0x2100).prot == 1


def test_too_low_is_enoexec(world):
    with pytest.raises(KernelError) as e:
        load(world, make_elf(Part(0x1800, code(0x73), X | R)))
    assert e.value.errno is Errno.ENOEXEC


# ---- fuzz ----

SEED = hello(interp=b"/lib/ld.so\0")
HEADERS = EHDR.size + 4 * PHDR.size
WORDS = st.sampled_from(
    [0, 1, 2, PAGE - 1, PAGE, 1 << 31, 1 << 38, (1 << 38) - 1, 1 << 63, (1 << 64) - 1]
)
POKES = st.lists(
    st.tuples(st.integers(0, HEADERS // 8 - 1), WORDS | st.integers(0, (1 << 64) - 1)),
    max_size=4,
)
BYTES = st.lists(
    st.tuples(st.integers(0, HEADERS - 1), st.integers(0, 255)), max_size=4
)


@given(pokes=POKES, flips=BYTES, cut=st.none() | st.integers(0, len(SEED)))
@settings(max_examples=400, deadline=None, derandomize=True)
def test_mutations_never_surprise(pokes, flips, cut):
    """Any file is loaded or refused by an errno, and nothing is left behind."""
    data = bytearray(SEED)
    for word, value in pokes:
        data[word * 8 : word * 8 + 8] = value.to_bytes(8, "little")
    for at, value in flips:
        data[at] = value
    world = World()
    try:
        load(world, bytes(data[:cut]))
    except KernelError as e:
        errno = e.errno
    else:
        errno = None
    assert errno in (None, Errno.ENOEXEC, Errno.ENOMEM)
    world.finish()


# ---- the first stack ----


def with_stack(world):
    as_ = world.space()
    flags = MapFlag.PRIVATE | MapFlag.FIXED | MapFlag.GROWSDOWN
    as_.map(STACK_TOP - 0x4000, 0x4000, 3, flags)
    return as_


def test_stack_layout(world):
    as_ = with_stack(world)
    argv, envp = [b"prog", b"", b"x y"], [b"A=1"]
    st = build_stack(as_, STACK_TOP, argv, envp, [(6, 4096)], {25: b"r" * 16})
    assert st.sp % 16 == 0
    argc, a0, a1, a2, end, e0, eend = as_.load(st.sp, "<7Q")
    assert (argc, end, eend) == (3, 0, 0)
    assert [as_.copyinstr(a) for a in (a0, a1, a2)] == argv
    assert as_.copyinstr(e0) == b"A=1"
    vec = as_.load(st.sp + 56, "<6Q")
    assert vec[:2] == (6, 4096)
    assert vec[2] == 25
    assert vec[3] % 16 == 0
    assert as_.copyin(vec[3], 16) == b"r" * 16
    assert vec[4:] == (0, 0)
    assert st.auxv == [(6, 4096), (25, vec[3])]
    assert as_.copyin(st.arg_range[0], st.arg_range[1] - st.arg_range[0]) == (
        b"prog\0\0x y\0"
    )
    assert as_.copyin(st.env_range[0], st.env_range[1] - st.env_range[0]) == b"A=1\0"


def test_stack_grows_for_its_strings(world):
    as_ = with_stack(world)
    argv = [b"x" * 100000] * 10
    st = build_stack(as_, STACK_TOP, argv, [], [])
    assert as_.load(st.sp, "<Q") == (10,)


def test_strings_larger_than_the_stack(world):
    as_ = with_stack(world)
    with pytest.raises(KernelError) as e:
        build_stack(as_, STACK_TOP, [b"x" * 100000] * 100, [], [])
    assert e.value.errno is Errno.E2BIG
