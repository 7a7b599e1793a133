"""exec: put another program in place of the one that runs (os/exec.c).

Everything that may fail is done before the point of no return: the file is
found and checked, a whole new address space is built beside the old one, and
the brand builds the start of the program in it.  A failure frees the new space
and the caller goes on unharmed.  From there on nothing fails: the other lwps
end, ``relvm`` drops the old space (or hands it back to a vfork parent, whose it
is), and the one lwp that is left starts the new program.

The addresses are those of Linux without randomisation (``vm.layout``), the same
in each run.

Must not know: any particular brand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from personae.core import elf
from personae.core.blame import hook_panic
from personae.core.ctmpl import ctmpl_exec
from personae.core.door import door_exit, door_slam
from personae.core.errno import Errno, KernelError, Panic
from personae.core.execload import load_image, place_image, read_image
from personae.core.exit import exitlwps
from personae.core.file import FREAD
from personae.core.getproc import exec_close
from personae.core.pctx import freectx, freepctx
from personae.core.policy import secpolicy_basic_exec
from personae.core.priv import can_forget
from personae.core.proc import ProcFlag, ProcPrFlag
from personae.core.prstop import prinvalidate, relvm_barrier
from personae.core.ptimer import timers_cancel
from personae.core.regs import INSTRET, PC, RES_ADDR, SP
from personae.core.vfork import relvm
from personae.core.vfs.lookup import lookup
from personae.core.vfs.vnode import R_OK, S_ISGID, S_ISUID, X_OK, VType
from personae.core.vm.as_ import As, as_free
from personae.core.vm.layout import (
    PAGE,
    RW,
    STACK_FIRST,
    STACK_TOP,
    MapFlag,
    Prot,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from personae.core.brand import Brand
    from personae.core.cred import Cred
    from personae.core.elf import ElfImage
    from personae.core.lwp import Lwp
    from personae.core.proc import Proc
    from personae.core.vfs.vnode import Vnode

ARG_MAX = 128 << 10
"""Room for arguments and environment whatever the stack's limit (ARG_MAX)."""
ARG_ROOM_MAX = 6 << 20
"""And the most there is: three quarters of a default stack (fs/exec.c)."""
ARG_STRLEN_MAX = 32 * PAGE
"""Longest single string with its NUL (MAX_ARG_STRLEN)."""
SCRIPT_LINE = 256
"""How much of a script's first line counts (BINPRM_BUF_SIZE)."""
SCRIPT_NESTING = 5
"""A script may be interpreted by a script, so many times."""

AT_PHDR, AT_PHENT, AT_PHNUM, AT_PAGESZ, AT_BASE, AT_FLAGS, AT_ENTRY = range(3, 10)
"""Entries of the auxiliary vector that the ELF ABI fixes for all systems."""

_NREGS = INSTRET
"""Those that a program sees come before what the machine counts."""
_ZEROS = memoryview(bytes(8 * _NREGS)).cast("Q")


@dataclass
class ExecInfo:
    """What ``b_elfexec`` is told beside the image.

    Attributes:
        as_: The new address space, program and interpreter loaded.
        interp: The interpreter's image, if the program has one.
        entry: The program's entry point.
        start: Where to begin: the interpreter's entry point, else the program's.
        phdr: Address of the program headers; 0: not in memory.
        phnum: How many.
        base: What was added to the program's addresses.
        interp_base: Where the interpreter begins; 0: none.
        brk: End of the program's data, where the break starts.
        sp: Where the stack goes, downwards; 0 if the brand maps it.
        argv: Arguments, as a script's first line has changed them.
        envp: Environment.
        execfn: The path that was given.
        cred: Credentials of the new program.
        secure: Whether it has more rights than the caller (AT_SECURE).
        random: 16 bytes for the program (AT_RANDOM).
    """

    as_: As
    interp: ElfImage | None
    entry: int
    start: int
    phdr: int
    phnum: int
    base: int
    interp_base: int
    brk: int
    sp: int
    argv: list[bytes]
    envp: list[bytes]
    execfn: bytes
    cred: Cred
    secure: bool
    random: bytes
    phent: int = elf.PHDR.size

    def elf_auxv(self) -> list[tuple[int, int]]:
        """The entries that are the same for all brands."""
        return [
            (AT_PHDR, self.phdr),
            (AT_PHENT, self.phent),
            (AT_PHNUM, self.phnum),
            (AT_PAGESZ, PAGE),
            (AT_BASE, self.interp_base),
            (AT_FLAGS, 0),
            (AT_ENTRY, self.entry),
        ]


@dataclass
class StartState:
    """What ``b_elfexec`` answers: how the program begins.

    Attributes:
        sp: Stack pointer.
        pc: First instruction.
        regs: Other registers that are not 0, by their slot in ``lwp.regs``.
        auxv: The auxiliary vector, for /proc.
        arg_range: First and last+1 address of the argument strings.
        env_range: The same of the environment.
        stack: First and last+1 address of the stack; None: the one of exec.
        brk: Where the break starts; None: behind the program's data.
    """

    sp: int
    pc: int
    regs: dict[int, int] = field(default_factory=dict)
    auxv: list[tuple[int, int]] = field(default_factory=list)
    arg_range: tuple[int, int] = (0, 0)
    env_range: tuple[int, int] = (0, 0)
    stack: tuple[int, int] | None = None
    brk: int | None = None


@dataclass
class _Found:
    """The program file behind a path, after the scripts."""

    image: ElfImage
    argv: list[bytes]


def exec_common(
    lwp: Lwp,
    path: bytes,
    argv: list[bytes],
    envp: list[bytes],
    *,
    vnode: Vnode | None = None,
    nosuid: bool = False,
) -> None:
    """Run the program at ``path`` in the process of ``lwp``.

    After a success the registers are those of the new program: the handler answers
    NORETURN.

    Args:
        lwp: The caller.
        path: Its path; also what the program is told.
        argv: Arguments; an empty list becomes one empty argument.
        envp: Environment.
        vnode: The file, if the caller has it already (fexecve).
        nosuid: Ignore set-id bits (no_new_privs).

    Raises:
        KernelError: Nothing has changed.  E2BIG ENOENT ENOTDIR EACCES ELOOP
            ENAMETOOLONG ENOEXEC ENOMEM EPERM.
    """
    relvm_barrier(lwp.proc)
    try:
        _exec(lwp, path, argv or [b""], envp, vnode, nosuid)
    except KernelError as e:
        for watch in lwp.kernel.observers.personae_exec_failure:
            watch(lwp.proc, path, int(e.errno))
        raise


def _exec(
    lwp: Lwp,
    path: bytes,
    argv: list[bytes],
    envp: list[bytes],
    vnode: Vnode | None,
    nosuid: bool,
) -> None:
    proc = lwp.proc
    if lwp.agent:
        raise KernelError(Errno.ENOTSUP, "the agent lwp of /proc can't exec")
    _check_args(proc, argv, envp)
    secpolicy_basic_exec(lwp.cred)
    if vnode is None:
        vnode = lookup(proc.kernel, proc, path)
    found = _find(lwp, vnode, path, argv)
    image = found.image
    cred, secure = _new_cred(proc, image.vnode, lwp.cred, nosuid)
    brand, data = _brand_of(proc), None
    if brand is not proc.brand:
        data = brand.ops.b_lwpdata_alloc(proc)
    as_ = As(proc.kernel, proc.zone.acct, proc)
    try:
        info = _build(lwp, as_, image, path, found.argv, envp, cred, secure)
        start: StartState = brand.ops.b_elfexec(lwp, image, info)
        image.vnode.open(lwp, FREAD)  # closed by the next exec, or the exit
    except BaseException:
        as_free(as_)
        if brand is not proc.brand:
            brand.ops.b_lwpdata_free(proc, data)
        if cred is not lwp.cred:
            cred.rele()
        raise
    _commit(lwp, image.vnode, info, start, brand, data)


# ---- before the point of no return ----


def _brand_of(proc: Proc) -> Brand:
    """The brand of the new program.

    A native process that zone_enter brought into a branded zone becomes one of that
    zone with its next program; every other one stays what it is.
    """
    entered = proc.flag & ProcFlag.SZONETOP and proc.brand is proc.kernel.native_brand
    return proc.zone.brand if entered else proc.brand


def _check_args(proc: Proc, argv: Sequence[bytes], envp: Sequence[bytes]) -> None:
    """E2BIG above the limits of fs/exec.c: a quarter of the stack, 6 MiB."""
    room = max(min(ARG_ROOM_MAX, (proc.stk_ctl or 8 << 20) // 4), ARG_MAX)
    need = 8 * (len(argv) + len(envp))
    for s in (*argv, *envp):
        if len(s) >= ARG_STRLEN_MAX:
            raise KernelError(Errno.E2BIG, f"a string of {len(s)} bytes")
        need += len(s) + 1
    if need > room:
        raise KernelError(Errno.E2BIG, f"{need} bytes of arguments, room for {room}")


def _check_file(vnode: Vnode, cred: Cred) -> None:
    """A regular file that ``cred`` may execute; root needs one x bit as well."""
    if vnode.v_type is not VType.REG:
        raise KernelError(Errno.EACCES, "not a regular file")
    if vnode.v_vfs is not None and vnode.v_vfs.noexec:
        raise KernelError(Errno.EACCES, "mounted noexec")
    vnode.access(cred, X_OK)
    if not vnode.getattr().mode & 0o111:
        raise KernelError(Errno.EACCES, "nobody may execute it")


def _find(lwp: Lwp, vnode: Vnode, path: bytes, argv: list[bytes]) -> _Found:
    """Follow #! lines to a program."""
    kernel, proc = lwp.kernel, lwp.proc
    for _ in range(SCRIPT_NESTING + 1):
        _check_file(vnode, lwp.cred)
        head = vnode.read(lwp, 0, PAGE, 0)
        if not head.startswith(b"#!"):
            mapped = not proc.brand.exec_rules.read_in
            return _Found(elf.read(vnode, lwp, head, mapped=mapped), argv)
        interp, arg = script_line(head[:SCRIPT_LINE])
        argv = [interp, *([] if arg is None else [arg]), path, *argv[1:]]
        path = interp
        vnode = lookup(kernel, proc, path)
    raise KernelError(Errno.ELOOP, "scripts are nested too deeply")


def script_line(head: bytes) -> tuple[bytes, bytes | None]:
    r"""Interpreter and optional argument of a script's first line (binfmt_script.c).

    Args:
        head: The first ``SCRIPT_LINE`` bytes of the file, or all of it.

    >>> script_line(b"#! /bin/sh  -e x \nls")
    (b'/bin/sh', b'-e x')

    Raises:
        KernelError: ENOEXEC, no interpreter, or its name is cut off.
    """
    line, newline, _ = head[2:].partition(b"\n")
    text = line.lstrip(b" \t")
    cut = min((i for i in map(text.find, (b" ", b"\t", b"\0")) if i >= 0), default=-1)
    if cut < 0 and not newline and len(head) >= SCRIPT_LINE:
        raise KernelError(Errno.ENOEXEC, "the interpreter's name is cut off")
    interp = text if cut < 0 else text[:cut]
    if not interp:
        raise KernelError(Errno.ENOEXEC, "a script without an interpreter")
    rest = b"" if cut < 0 else text[cut:].partition(b"\0")[0].strip(b" \t")
    return interp, rest or None


def _new_cred(proc: Proc, vnode: Vnode, cred: Cred, nosuid: bool) -> tuple[Cred, bool]:
    """Credentials of the new program: set-id bits, saved ids, privilege sets.

    Returns:
        ``cred`` itself if nothing changes, else a new one with one reference; and
        whether it has more rights than the caller had.
    """
    attr = vnode.getattr()
    euid, egid = cred.euid, cred.egid
    traced = proc.prflag & ProcPrFlag.P_PR_PTRACE
    mounted_nosuid = vnode.v_vfs is not None and vnode.v_vfs.nosuid
    if not (nosuid or mounted_nosuid or traced):
        if attr.mode & S_ISUID:
            euid = attr.uid
        # setgid without group execute marks mandatory locking, not a set-id file
        if attr.mode & S_ISGID and attr.mode & 0o010:
            egid = attr.gid
    secure = cred.uid != euid or cred.gid != egid
    privs = cred.ipriv & cred.lpriv
    if (
        euid == cred.euid == cred.suid == cred.fsuid
        and egid == cred.egid == cred.sgid == cred.fsgid
        and privs == cred.epriv == cred.ppriv
    ):
        return cred, secure
    new = cred.copy(
        euid=euid, suid=euid, egid=egid, sgid=egid, epriv=privs, ppriv=privs
    )
    if new.aware and can_forget(new):
        new.aware = False  # it tries to (privileges(7))
    return new, secure


def _build(
    lwp: Lwp,
    as_: As,
    image: ElfImage,
    path: bytes,
    argv: list[bytes],
    envp: list[bytes],
    cred: Cred,
    secure: bool,
) -> ExecInfo:
    """Load program, interpreter and stack into the new space."""
    rules = lwp.proc.brand.exec_rules
    as_.set_text(image.vnode)
    if rules.lowest != as_.lowest:
        as_.lowest = rules.lowest
    if rules.stack:
        _map_stack(as_, image)
    base = place_image(as_, image, interp=False)
    load = read_image if rules.read_in else load_image
    load(as_, image, base)
    entry = start = (image.entry + base) % (1 << 64)
    interp, interp_base = None, 0
    if image.interp is not None:
        interp = _find_interp(lwp, image.interp)
        bias = place_image(as_, interp, interp=True)
        load_image(as_, interp, bias)
        interp_base = interp.lo + bias
        start = (interp.entry + bias) % (1 << 64)
    return ExecInfo(
        as_=as_,
        interp=interp,
        entry=entry,
        start=start,
        phdr=image.phdr + base if image.phdr else 0,
        phnum=image.phnum,
        base=base,
        interp_base=interp_base,
        brk=image.hi + base,
        sp=STACK_TOP if rules.stack else 0,
        argv=argv,
        envp=envp,
        execfn=path,
        cred=cred,
        secure=secure,
        random=lwp.kernel.random_bytes(16),
    )


def _map_stack(as_: As, image: ElfImage) -> None:
    """A stack at the top, which grows."""
    prot = RW | Prot.EXEC if image.exec_stack else RW
    size = max(min(STACK_FIRST, as_.stack_limit() & -PAGE), PAGE)
    as_.map(
        STACK_TOP - size,
        size,
        prot,
        MapFlag.PRIVATE | MapFlag.FIXED | MapFlag.GROWSDOWN,
        name=b"[stack]",
    )


def _find_interp(lwp: Lwp, path: bytes) -> ElfImage:
    vnode = lookup(lwp.kernel, lwp.proc, path)
    _check_file(vnode, lwp.cred)
    return elf.read(vnode, lwp)


# ---- the point of no return ----


def _commit(
    lwp: Lwp,
    vnode: Vnode,
    info: ExecInfo,
    start: StartState,
    brand: Brand,
    data: Any,
) -> None:
    """The process becomes the new program.  Nothing here fails."""
    proc = lwp.proc
    exitlwps(lwp)
    timers_cancel(proc)
    door_slam(lwp)
    door_exit(proc)
    freectx(lwp, isexec=True)
    freepctx(proc, isexec=True)
    relvm(proc)
    proc.as_ = info.as_
    proc.fds.close_on_exec(lwp)
    proc.kernel.sigexec(proc)
    if brand is not proc.brand:
        _setbrand(lwp, brand, data)
    ctmpl_exec(lwp)
    _set_cred(lwp, info)
    if proc.trace and (info.secure or not _readable(vnode, lwp.cred)):
        prinvalidate(proc)
    _set_names(proc, vnode, info, start)
    _set_layout(proc, info, start)
    regs = lwp.regs
    regs[:_NREGS] = _ZEROS
    regs[RES_ADDR] = 0
    for slot, value in start.regs.items():
        regs[slot] = value
    regs[SP] = start.sp
    regs[PC] = start.pc
    lwp.clear_child_tid = lwp.robust_list = 0
    proc.flag |= ProcFlag.SEXECED
    proc.kernel.count("sysexec")
    try:
        proc.brand.ops.b_exec(lwp)
    except Panic:
        raise
    except Exception as e:
        raise hook_panic(proc.kernel, "exec: beyond the point of no return", e) from e
    for watch in proc.kernel.observers.personae_proc_exec:
        watch(proc, info.execfn)


def _setbrand(lwp: Lwp, brand: Brand, data: Any) -> None:
    """Process and lwp become those of another brand (brand_setbrand, os/brand.c)."""
    proc = lwp.proc
    proc.brand.ops.b_freelwp(lwp)
    proc.brand.ops.b_clearbrand(proc)
    proc.brand = brand
    with proc.lock:
        brand.ops.b_setbrand(proc)
        brand.ops.b_initlwp(lwp, data)
        brand.ops.b_initlwp_post(lwp)


def _readable(vnode: Vnode, cred: Cred) -> bool:
    try:
        vnode.access(cred, R_OK)
    except KernelError:
        return False
    return True


def _set_cred(lwp: Lwp, info: ExecInfo) -> None:
    """Process and lwp hold one reference of their credentials each."""
    proc, new = lwp.proc, info.cred
    proc.flag &= ~(ProcFlag.SUGID | ProcFlag.SNOCD)
    if info.secure:
        proc.flag |= ProcFlag.SUGID
    if new is lwp.cred and new is proc.cred:
        return
    mine = new if new is not lwp.cred else new.hold()
    was, proc.cred = proc.cred, mine
    if lwp.cred is not new:
        old, lwp.cred = lwp.cred, new.hold()
        old.rele()
    for watch in proc.kernel.observers.personae_cred:
        watch(proc, was)
    was.rele()


def _set_names(proc: Proc, vnode: Vnode, info: ExecInfo, start: StartState) -> None:
    user = proc.user
    user.u_comm = info.execfn.rsplit(b"/", 1)[-1][:15]
    user.u_psargs = b" ".join(info.argv)[:79]
    user.u_argv, user.u_envp = list(info.argv), list(info.envp)
    user.u_auxv = list(start.auxv)
    user.u_arg_range, user.u_env_range = start.arg_range, start.env_range
    user.u_start = proc.kernel.wall_ns
    user.u_execsw = "elf"
    parent = vnode.parent_name()
    execdir = None if parent is None else parent[0].hold()
    vnode.hold()
    exec_close(proc, proc.kernel.current)
    proc.exec, proc.execdir = vnode, execdir
    proc.exec_path = info.execfn


def _set_layout(proc: Proc, info: ExecInfo, start: StartState) -> None:
    """Break and stack of the new program."""
    top = STACK_TOP if start.stack is None else start.stack[1]
    stack = info.as_.find(top - 1)
    if stack is None:
        raise Panic(f"{proc!r}: a new program without a stack below {top:#x}")
    proc.stkbase, proc.stksize, proc.stkprot = top, stack.size, stack.prot
    proc.brkbase = proc.bssbase = info.brk if start.brk is None else start.brk
    proc.brksize = 0
    proc.datprot = RW
