"""exec on a real kernel with a brand of a few lines."""

import subprocess

import pytest

from personae.core import exec as exec_
from personae.core.brand import Brand
from personae.core.cred import Cred
from personae.core.errno import Errno, KernelError
from personae.core.exec import ExecInfo, StartState, exec_common, script_line
from personae.core.execload import build_stack
from personae.core.fork import fork1, vfork
from personae.core.hookspecs import hookimpl
from personae.core.kernel import Kernel, KernelConfig
from personae.core.lwp import TState
from personae.core.newproc import newproc
from personae.core.proc import ProcFlag
from personae.core.rctl import rlimit_set
from personae.core.signal import set_action
from personae.core.signo import Sig, SigAction
from personae.core.vfs.tmpfs import TmpFs
from personae.core.vfs.vnode import VType
from personae.core.vm import PAGE, STACK_TOP, Fault, MapFlag, brk
from personae.core.vm.layout import ET_DYN_BASE
from personae.hw import Stat, Trap
from tests.core.vm.elfmaker import CODE, DYN, Part, R, W, code, hello, make_elf

ECALL_AT = 4
"""hello() reaches its system call after one instruction of this length."""


class Ops:
    """The smallest brand that programs can start in."""

    def __init__(self):
        self.infos = []
        self.fail = None
        self.execs = 0

    @hookimpl
    def b_elfexec(self, lwp, image, info: ExecInfo):
        self.infos.append(info)
        if self.fail is not None:
            raise self.fail
        stack = build_stack(
            info.as_,
            info.sp,
            info.argv,
            info.envp,
            info.elf_auxv(),
            {25: info.random, 31: info.execfn + b"\0"},
        )
        return StartState(
            stack.sp,
            info.start,
            {11: 77},
            stack.auxv,
            stack.arg_range,
            stack.env_range,
        )

    @hookimpl
    def b_exec(self, lwp):
        self.execs += 1

    @hookimpl
    def b_lwp_setrval(self, lwp, v1, v2):
        lwp.regs[10], lwp.regs[11] = v1, v2

    @hookimpl
    def b_sendsig(self, lwp, sig, info, act, mask):
        raise AssertionError

    @hookimpl
    def b_sysret(self, lwp, v1, v2):
        lwp.regs[10] = v1

    @hookimpl
    def b_syserr(self, lwp, errno):
        lwp.regs[10] = errno


class Box:
    """A kernel with one process and files to execute."""

    def __init__(self):
        self.ops = Ops()
        config = KernelConfig(memory=64 << 20)
        self.kernel = Kernel(config, [Brand("native", self.ops, {})])
        self.zone = self.kernel.zones[0]
        self.fs = TmpFs(self.kernel)
        self.zone.root = self.fs.root
        self.cred = self.kernel.kcred
        self.lwp = newproc(
            self.kernel, self.kernel.p0, system=False, name=b"init", zone=self.zone
        )
        self.proc = self.lwp.proc
        self.proc.user.u_cdir = self.fs.root.hold()
        self.kernel.current = self.lwp
        self.lwp.state = TState.TS_ONPROC

    def put(self, name, data, mode=0o755):
        vp = self.fs.root.create(name, mode, self.cred, False)
        vp.write(None, 0, data, 0)
        return vp

    def exec(self, path, argv=(b"prog",), envp=(), **kw):
        exec_common(self.lwp, path, list(argv), list(envp), **kw)

    def run(self, lwp=None):
        """Run to the next trap."""
        lwp = lwp or self.lwp
        return self.kernel.hw.run(0, lwp.ctx, lwp.proc.as_.hwid, 1000)

    def used(self):
        hw = self.kernel.hw
        return hw.stat(Stat.FRAMES_USED), hw.stat(Stat.SPACES)

    def errno(self, *args, **kw):
        with pytest.raises(KernelError) as e:
            self.exec(*args, **kw)
        return e.value.errno


@pytest.fixture
def box():
    return Box()


def test_a_program_runs(box):
    vp = box.put(b"prog", hello())
    box.exec(b"/prog", [b"prog", b"one", b"two"], [b"A=1"])
    assert box.lwp.regs[32] == CODE
    assert box.run() == Trap.ECALL
    assert box.lwp.regs[10] == 3
    assert box.lwp.regs[11] == 77
    assert box.ops.execs == 1
    assert box.proc.exec is vp
    assert box.proc.execdir is box.fs.root
    assert box.proc.flag & ProcFlag.SEXECED


def test_what_the_process_knows(box):
    box.put(b"prog", hello())
    box.exec(b"/prog", [b"prog", b"x"], [b"A=1"])
    p, u = box.proc, box.proc.user
    assert (u.u_comm, u.u_psargs) == (b"prog", b"prog x")
    assert (u.u_argv, u.u_envp) == ([b"prog", b"x"], [b"A=1"])
    assert p.as_.copyin(u.u_arg_range[0], 7) == b"prog\0x\0"
    assert (p.stkbase, p.stksize) == (STACK_TOP, 132 << 10)
    assert (p.brkbase, p.brksize) == (0x16000, 0)
    aux = dict(u.u_auxv)
    assert aux[9] == CODE
    assert aux[3] == 0x10040
    assert p.as_.copyinstr(aux[31]) == b"/prog"
    assert [m.name for m in p.as_.maps()][-1] == b"[stack]"


def test_position_independent_with_interpreter(box):
    box.put(b"prog", hello(DYN, 0, interp=b"/ld.so\0"))
    box.put(b"ld.so", hello(DYN, 0))
    box.exec(b"/prog")
    info = box.ops.infos[-1]
    assert info.base == ET_DYN_BASE
    assert info.entry == ET_DYN_BASE + 0x800
    assert info.interp_base == box.proc.as_.mmap_base - 0x6000
    assert box.lwp.regs[32] == info.start == info.interp_base + 0x800
    assert box.proc.brkbase == ET_DYN_BASE + 0x6000
    assert box.run() == Trap.ECALL


def test_second_exec_frees_the_first_program(box):
    box.put(b"prog", hello())
    box.put(b"other", hello(DYN, 0))
    box.exec(b"/prog")
    box.exec(b"/other")
    box.exec(b"/prog")
    before = box.used()
    box.exec(b"/other")
    box.exec(b"/prog")
    assert box.used() == before
    assert box.run() == Trap.ECALL


def test_same_run_same_addresses():
    seen = []
    for _ in range(2):
        box = Box()
        box.put(b"prog", hello(DYN, 0))
        box.exec(b"/prog", envp=[b"A=1"])
        seen.append((box.lwp.regs[2], box.lwp.regs[32], box.ops.infos[-1].random))
    assert seen[0] == seen[1]


# ---- failures leave the caller alone ----


def failing(box):
    """Calls that fail, by name."""
    root = box.fs.root
    root.mkdir(b"dir", 0o755, box.cred)
    root.mknod(b"fifo", VType.FIFO, 0o777, 0, box.cred)
    box.put(b"noexec", hello(), 0o644)
    box.put(b"text", b"just text\n")
    box.put(b"empty", b"")
    box.put(b"cut", hello()[:300])
    box.put(b"nointerp", hello(DYN, 0, interp=b"/missing\0"))
    box.put(b"badinterp", hello(DYN, 0, interp=b"/text\0"))
    box.put(b"dirinterp", hello(DYN, 0, interp=b"/dir\0"))
    box.put(b"huge", make_elf(Part(CODE, code(0x73)), Part(0x100000, b"", W, 1 << 37)))
    box.put(b"loop", b"#!/loop\n")
    box.put(b"s-none", b"#!\n")
    box.put(b"s-missing", b"#!/missing\n")
    box.put(b"s-cut", b"#!/" + b"x" * 400)
    return {
        b"/missing": Errno.ENOENT,
        b"/missing/x": Errno.ENOENT,
        b"/text/x": Errno.ENOTDIR,
        b"": Errno.ENOENT,
        b"/dir": Errno.EACCES,
        b"/fifo": Errno.EACCES,
        b"/noexec": Errno.EACCES,
        b"/text": Errno.ENOEXEC,
        b"/empty": Errno.ENOEXEC,
        b"/cut": Errno.ENOEXEC,
        b"/nointerp": Errno.ENOENT,
        b"/badinterp": Errno.ENOEXEC,
        b"/dirinterp": Errno.EACCES,
        b"/loop": Errno.ELOOP,
        b"/s-none": Errno.ENOEXEC,
        b"/s-missing": Errno.ENOENT,
        b"/s-cut": Errno.ENOEXEC,
        b"/" + b"x" * 300: Errno.ENAMETOOLONG,
    }


def test_failures_change_nothing(box):
    box.put(b"prog", hello())
    box.exec(b"/prog")
    cases = failing(box)
    for path in cases:  # file pages that are mapped once stay in the cache
        box.errno(path)
    as_, regs, refs = box.proc.as_, bytes(box.lwp.regs), box.proc.cred.ref
    before = box.used()
    for path, expected in cases.items():
        assert box.errno(path) is expected, path
        assert box.used() == before, path
    assert box.proc.as_ is as_
    assert bytes(box.lwp.regs) == regs
    assert box.proc.cred.ref == refs
    assert box.run() == Trap.ECALL


def test_a_failing_brand_changes_nothing(box):
    box.put(b"prog", hello())
    box.exec(b"/prog")
    as_, before = box.proc.as_, box.used()
    box.ops.fail = KernelError(Errno.ENOMEM, "no")
    assert box.errno(b"/prog") is Errno.ENOMEM
    assert (box.proc.as_, box.used()) == (as_, before)


@pytest.mark.parametrize("frames", range(7))
def test_out_of_memory_changes_nothing(box, frames):
    box.put(b"prog", hello())
    box.exec(b"/prog")
    hw = box.kernel.hw
    as_, before = box.proc.as_, box.used()
    box.zone.acct = acct = hw.acct_create(max(frames, 1))
    hw.acct_limit(acct, frames)
    assert box.errno(b"/prog") is Errno.ENOMEM
    assert (box.proc.as_, box.used()) == (as_, before)
    assert hw.acct_used(acct) == 0


def test_address_space_limit(box):
    box.put(b"prog", hello())
    box.proc.vmem_ctl = 1 << 16
    assert box.errno(b"/prog") is Errno.ENOMEM


def test_argument_limits(box):
    box.put(b"prog", hello())
    box.proc.stk_ctl = 8 << 20
    assert box.errno(b"/prog", [b"x" * (128 << 10)]) is Errno.E2BIG
    assert box.errno(b"/prog", [b"x" * 100000] * 21) is Errno.E2BIG
    assert box.errno(b"/prog", [b""] * 300000) is Errno.E2BIG
    box.exec(b"/prog", [b"x" * 100000] * 20)
    box.proc.stk_ctl = 1 << 16
    box.exec(b"/prog", [b"x" * 1000] * 50)
    assert box.errno(b"/prog", [b"x" * 1000] * 130) is Errno.E2BIG
    box.proc.stk_ctl = (1 << 64) - 1
    box.exec(b"/prog", [b"x" * 100000] * 40)


def test_no_arguments_become_one(box):
    box.put(b"prog", hello())
    box.exec(b"/prog", [])
    assert box.ops.infos[-1].argv == [b""]


# ---- rights ----


def test_root_needs_one_x_bit_and_others_theirs(box):
    box.put(b"prog", hello(), 0o100)
    box.exec(b"/prog")
    box.lwp.cred = box.proc.cred = Cred(uid=5, gid=5)
    assert box.errno(b"/prog") is Errno.EACCES
    box.put(b"all", hello(), 0o001)
    box.exec(b"/all")


def test_noexec_mount(box):
    box.put(b"prog", hello())
    box.fs.noexec = True
    assert box.errno(b"/prog") is Errno.EACCES


def as_user(box, uid):
    cred = Cred(uid=uid, gid=uid)
    box.proc.cred = cred
    box.lwp.cred = cred.hold()
    return cred


def set_mode(box, vp, **changes):
    vp.setattr(box.kernel.kcred, **changes)


def test_setuid(box):
    vp = box.put(b"prog", hello())
    set_mode(box, vp, uid=7, gid=8)
    set_mode(box, vp, mode=0o6755)
    old = as_user(box, 5)
    box.exec(b"/prog")
    new = box.proc.cred
    assert (new.uid, new.euid, new.suid, new.fsuid) == (5, 7, 7, 7)
    assert (new.gid, new.egid, new.sgid, new.fsgid) == (5, 8, 8, 8)
    assert box.lwp.cred is new
    assert (old.ref, new.ref) == (0, 2)
    assert box.ops.infos[-1].secure
    assert box.proc.flag & ProcFlag.SUGID


def test_setuid_is_ignored(box):
    vp = box.put(b"prog", hello())
    set_mode(box, vp, uid=7)
    set_mode(box, vp, mode=0o4755)
    old = as_user(box, 5)
    box.exec(b"/prog", nosuid=True)
    box.fs.nosuid = True
    box.exec(b"/prog")
    assert box.proc.cred is old
    assert old.ref == 2
    assert not box.ops.infos[-1].secure


# ---- scripts ----


def test_script(box):
    box.put(b"prog", hello())
    box.put(b"script", b"#! /prog  -x y \nrest\n")
    box.exec(b"/script", [b"name", b"arg"])
    info = box.ops.infos[-1]
    assert info.argv == [b"/prog", b"-x y", b"/script", b"arg"]
    assert info.execfn == b"/script"
    assert box.proc.user.u_comm == b"script"
    assert box.run() == Trap.ECALL
    assert box.lwp.regs[10] == 4


def test_scripts_of_scripts(box):
    box.put(b"s0", hello())
    for i in range(1, 8):
        box.put(b"s%d" % i, b"#!/s%d" % (i - 1))
    box.exec(b"/s5", [b"x"])
    assert box.ops.infos[-1].argv == [b"/s0", b"/s1", b"/s2", b"/s3", b"/s4", b"/s5"]
    assert box.errno(b"/s6", [b"x"]) is Errno.ELOOP


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"#!/bin/sh\nx", (b"/bin/sh", None)),
        (b"#!/bin/sh", (b"/bin/sh", None)),
        (b"#!\t /bin/sh \t\n", (b"/bin/sh", None)),
        (b"#!/bin/sh a b\t\n", (b"/bin/sh", b"a b")),
        (b"#!/bin/sh\0junk\n", (b"/bin/sh", None)),
        (b"#!/bin/sh a\0junk\n", (b"/bin/sh", b"a")),
        (b"#!/x " + b"y" * 251, (b"/x", b"y" * 251)),
        (b"#!", None),
        (b"#! \t\n/bin/sh", None),
        (b"#!" + b"x" * 254, None),
    ],
)
def test_script_line(head, expected):
    if expected is None:
        with pytest.raises(KernelError) as e:
            script_line(head)
        assert e.value.errno is Errno.ENOEXEC
    else:
        assert script_line(head) == expected


# ---- signals, files, vfork ----


def test_handlers_go_and_ignoring_stays(box):
    box.put(b"prog", hello())
    set_action(box.proc, Sig.SIGUSR1, SigAction(handler=0x1234))
    set_action(box.proc, Sig.SIGUSR2, SigAction(handler=1))
    box.lwp.sigaltstack = (1, 2, 0)
    box.exec(b"/prog")
    sigs = box.proc.user.u_signal
    assert Sig.SIGUSR1 not in sigs
    assert sigs[Sig.SIGUSR2].handler == 1
    assert box.lwp.sigaltstack == (0, 0, 2)


def test_vfork_child_hands_the_space_back(box):
    box.put(b"prog", hello())
    box.exec(b"/prog")
    as_, parent = box.proc.as_, box.proc
    child = vfork(box.lwp)
    assert child.as_ is as_
    (lwp,) = child.lwps
    child.as_.copyout(STACK_TOP - 200000, b"child grew the stack")
    assert child.stksize > parent.stksize
    exec_common(lwp, b"/prog", [b"child"], [])
    assert parent.as_ is as_
    assert child.as_ is not as_
    assert not child.flag & ProcFlag.SVFORK
    assert not parent.flag & ProcFlag.SVFWAIT
    assert parent.stksize == as_.find(STACK_TOP - 1).size
    assert as_.copyin(STACK_TOP - 200000, 5) == b"child"
    assert box.run(lwp) == Trap.ECALL
    assert lwp.regs[10] == 1


def test_failed_exec_of_a_vfork_child_keeps_the_loan(box):
    box.put(b"prog", hello())
    box.exec(b"/prog")
    child = vfork(box.lwp)
    with pytest.raises(KernelError):
        exec_common(child.lwps[0], b"/missing", [b"x"], [])
    assert child.as_ is box.proc.as_
    assert child.flag & ProcFlag.SVFORK


def test_pages_of_a_program_are_shared(box):
    """A second process of a program costs tables and stack, not its file pages."""
    text = code(*([0x13] * 40000))
    box.put(b"big", make_elf(Part(CODE, text), Part(0x100000, b"data", R | W)))
    box.exec(b"/big")
    before = box.used()[0]
    child = vfork(box.lwp)
    exec_common(child.lwps[0], b"/big", [b"x"], [])
    assert box.used()[0] - before < 20
    assert len(text) // PAGE == 39


def test_a_running_program_is_busy(box):
    """One count for each address space that runs it, whoever owns the space."""
    vp = box.put(b"prog", hello())
    other = box.put(b"other", hello())
    box.exec(b"/prog")
    assert vp.v_text == 1
    child = vfork(box.lwp)
    assert vp.v_text == 1
    exec_common(child.lwps[0], b"/other", [b"x"], [])
    assert (vp.v_text, other.v_text) == (1, 1)
    child = fork1(box.lwp)
    assert vp.v_text == 2
    exec_common(child.lwps[0], b"/other", [b"x"], [])
    box.errno(b"/missing")
    assert (vp.v_text, other.v_text) == (1, 2)


def test_data_limit(box):
    box.put(b"prog", hello())
    box.exec(b"/prog")
    start = box.proc.brkbase
    rlimit_set(box.proc, "DATA", 1 << 16, 1 << 20, box.cred)
    assert brk(box.proc, start + (1 << 16)) == start + (1 << 16)
    with pytest.raises(KernelError) as e:
        brk(box.proc, start + (1 << 16) + 1)
    assert e.value.errno is Errno.ENOMEM


def test_truncation_takes_mapped_pages_away(box):
    """Behind the new end is SIGBUS; what the file gets later is what is seen."""
    box.put(b"prog", hello())
    box.exec(b"/prog")
    vp = box.put(b"file", b"old!" * 3000)
    as_ = box.proc.as_
    shared = as_.map(0, 3 * PAGE, 3, MapFlag.SHARED, vp)
    private = as_.map(0, 3 * PAGE, 3, MapFlag.PRIVATE, vp)
    as_.copyout(shared + PAGE, b"seen")
    as_.copyout(private + PAGE, b"mine")
    child = fork1(box.lwp)
    vp.setattr(box.cred, size=100)
    for space in (as_, child.as_):
        for at in (shared, private):
            assert space.copyin(at, 4) == b"old!"
            assert space.copyin(at + 100, 4) == bytes(4)
            assert space.fault(at + PAGE, 0, 5) is Fault.BUS_ADRERR
    vp.setattr(box.cred, size=3 * PAGE)
    assert as_.copyin(private + PAGE, 4) == bytes(4)
    as_.copyout(shared + PAGE, b"new!")
    assert vp.read(None, PAGE, 4, 0) == b"new!"
    assert child.as_.copyin(shared + PAGE, 4) == b"new!"


PROGRAM = """
char data[5000] = "data", bss[20000];
const char *pointer = data;
__attribute__((noreturn)) void _start(void) {
    register long a0 asm("a0") = data[0] * 0x10000 + bss[19999] * 0x100 + data[4999];
    register const char *a1 asm("a1") = pointer;
    bss[19999] = 1;
    asm volatile("ecall" : : "r"(a0), "r"(a1), "r"(bss));
    for (;;) ;
}
"""


@pytest.mark.parametrize("kind", ["-static", "-static-pie"])
def test_compiled_programs(box, cross_cc, tmp_path, kind):
    """What a real linker makes is loaded as it should be."""
    source, out = tmp_path / "p.c", tmp_path / "p.elf"
    source.write_text(PROGRAM)
    flags = ["-O1", "-nostdlib", "-Wl,--no-dynamic-linker", kind]
    subprocess.run([cross_cc, *flags, "-o", out, source], check=True)
    box.put(b"prog", out.read_bytes())
    for _ in range(2):
        box.exec(b"/prog")
        assert box.run() == Trap.ECALL
        assert box.lwp.regs[10] == ord("d") * 0x10000


def test_constants_of_the_brand_face():
    assert (exec_.AT_PHDR, exec_.AT_ENTRY) == (3, 9)
