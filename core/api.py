"""The public names: what a brand or plugin may import, module by module.

This is the one list.  What stands here keeps its meaning within an API version
(``API_VERSION``); everything else may change without notice.  A test holds that the
brands of ``examples/`` and of the scaffold import nothing else, and the reference
(docs/api.md) is made from it.

Must not know: the modules themselves; it only names them.
"""

from __future__ import annotations

PUBLIC: dict[str, tuple[str, tuple[str, ...]]] = {
    "personae.core": (
        "the everyday names, from the modules below",
        (
            "API_VERSION", "Brand", "Calls", "CldCode", "Completed", "CondVar",
            "Conformance", "Deadlock", "DefaultOps", "Errno", "ExecRules",
            "KernelError", "Machine", "MachineError", "NORETURN", "Panic",
            "PluginError", "SaveError", "Sig", "Sleep", "TimeLimit", "ZoneHandle",
            "__version__", "calls_of", "copyin", "copyinstr", "copyout", "hookimpl",
            "hookspec", "load_sysent", "psabi_start", "s32", "s64",
        ),
    ),
    "personae.core.brand": ("a personality", ("Brand", "DefaultOps", "REQUIRED")),
    "personae.core.conform": (
        "the conformance kit",
        ("Call", "Calls", "Case", "CaseResult", "Check", "Checks", "Conformance",
         "Stage", "cases", "run_case"),
    ),
    "personae.core.points": ("entry points of plugins", ("PluginPoint",)),
    "personae.core.config.markers": (
        "the options of a plugin or brand: what may stand in a table",
        ("Check", "HostFile", "Names", "OneOf", "OneOrMany", "Pattern", "Range",
         "Reader", "Size"),
    ),
    "personae.core.config.schema": ("the configuration, as data", ("Config",)),
    "personae.core.brands": (
        "the brands that are installed", ("brand_points", "load_brand", "load_brands"),
    ),
    "personae.core.hookspecs": (
        "hook points and the marks of their implementations",
        (
            "API_VERSION", "BrandSpec", "ClassSpec", "ContractSpec", "ObserverSpec",
            "hookimpl", "hookspec",
        ),
    ),
    "personae.core.plugin": ("what is wrong with a plugin", ("PluginError",)),
    "personae.core.observers": (
        "the plugins of a machine, ``machine.plugins``", ("Failure", "Observers"),
    ),
    "personae.core.override": (
        "system calls of a brand, wrapped by a plugin", ("CallsOf", "calls_of"),
    ),
    "personae.core.machine": (
        "the machine", ("Deadlock", "Machine", "MachineError", "TimeLimit"),
    ),
    "personae.core.zonerun": (
        "programs run from outside", ("Completed", "Job", "ZoneHandle"),
    ),
    "personae.core.errno": ("errors", ("Errno", "KernelError", "Panic")),
    "personae.core.signo": (
        "signals as data",
        (
            "CANTMASK", "CldCode", "SIG_DFL", "SIG_IGN", "SaFlag", "SiCode", "Sig",
            "SigAction", "SigInfo", "sigbit", "sigset",
        ),
    ),
    "personae.core.syscall": (
        "the table of system calls",
        (
            "Level", "NORETURN", "NoReturnType", "Result", "Sysent", "load_sysent",
            "s32", "s64", "sysret_a0",
        ),
    ),
    "personae.core.regs": (
        "registers of a lwp",
        (
            "A0", "A1", "A2", "A3", "A4", "A5", "A6", "A7", "CYCLE", "F0", "FCSR",
            "GP", "IDENT", "INSTRET", "MASK", "PC", "RA", "RES_ADDR", "S0", "S1", "SP",
            "T0", "T1", "T2", "TACCESS", "TP", "TVAL", "u64",
        ),
    ),
    "personae.core.copyio": (
        "memory of the calling program",
        (
            "copyin", "copyin_strings", "copyinstr", "copyout", "load", "space_of",
            "store",
        ),
    ),
    "personae.core.sync": ("waiting", ("CondVar", "Restart", "Sleep")),
    "personae.core.kernel": ("the kernel, as data", ("Kernel",)),
    "personae.core.proc": ("processes, as data", ("Proc", "ProcFlag", "ProcStat")),
    "personae.core.lwp": ("threads, as data", ("Lwp", "TState", "TpFlag")),
    "personae.core.zone": ("zones, as data", ("Zone", "ZoneState")),
    "personae.core.cred": ("credentials and privileges", ("Cred", "Priv")),
    "personae.core.fork": (
        "fork", ("ForkFlag", "ForkKind", "cfork", "fork1", "forkall", "vfork"),
    ),
    "personae.core.exec": ("exec", ("ExecInfo", "StartState", "exec_common")),
    "personae.core.execrules": ("exec, where brands differ", ("ExecRules",)),
    "personae.core.execload": ("the first stack", ("Stack", "build_stack")),
    "personae.core.progstart": ("the usual start", ("psabi_start",)),
    "personae.core.elf": ("program files", ("EType", "ElfImage", "PType", "Phdr")),
    "personae.core.exit": ("exit", ("exitlwps", "lwp_exit", "proc_exit")),
    "personae.core.wait": ("wait", ("IdType", "WaitFlag", "WaitResult", "waitid")),
    "personae.core.signal": (
        "signals", ("psignal", "set_action", "trapsig", "tsignal"),
    ),
    "personae.core.session": ("process groups", ("setpgid", "setsid")),
    "personae.core.limits": ("credentials of a process", ("crset",)),
    "personae.core.rctl": ("resource controls", ("rlimit_get", "rlimit_set")),
    "personae.core.policy": (
        "who may do what", ("can_signal", "hasprocperm", "zone_visible"),
    ),
    "personae.core.file": (
        "open files and descriptors",
        (
            "FAPPEND", "FCLOEXEC", "FCREAT", "FDIRECTORY", "FD_CLOEXEC", "FEXCL",
            "FNOFOLLOW", "FNONBLOCK", "FPATH", "FREAD", "FTRUNC", "FWRITE", "FdTable",
            "File", "FileFlag", "SEEK_CUR", "SEEK_END", "SEEK_SET", "file_close",
            "file_free", "file_lseek", "file_pread", "file_pwrite", "file_read",
            "file_write",
        ),
    ),
    "personae.core.vfs.lookup": ("paths", ("getcwd", "lookup")),
    "personae.core.vfs.vnode": (
        "vnodes",
        (
            "Dirent", "PATH_MAX", "R_OK", "VType", "Vattr", "Vfs", "Vnode", "W_OK",
            "X_OK", "major", "makedev", "minor", "mount",
        ),
    ),
    "personae.core.vfs.vnops": (
        "operations on paths",
        (
            "vn_chdir", "vn_link", "vn_mkdir", "vn_mknod", "vn_open", "vn_readlink",
            "vn_rename", "vn_rmdir", "vn_symlink", "vn_truncate", "vn_unlink",
        ),
    ),
    "personae.core.vfs.pipe": ("pipes", ("PipeVnode", "make_pipe")),
    "personae.core.vfs.specdev": (
        "device numbers",
        ("DEV_CONSOLE", "DEV_NULL", "DEV_RANDOM", "DEV_TTY", "DEV_ZERO"),
    ),
    "personae.core.vfs.devfs": ("/dev", ("DevFs",)),
    "personae.core.vfs.tmpfs": ("file systems in memory", ("TmpFs",)),
    "personae.core.vm.as_": ("address spaces", ("As",)),
    "personae.core.vm.heap": ("the break", ("brk",)),
    "personae.core.vm.layout": (
        "pages and protections",
        ("MapFlag", "PAGE", "Prot", "STACK_TOP", "USER_TOP", "page_down", "page_up"),
    ),
}  # fmt: skip
"""By module: what it is for, and its public names in alphabetic order."""


def is_public(module: str, name: str) -> bool:
    """Whether ``from module import name`` keeps to the public names.

    >>> is_public("personae.core.brand", "Brand"), is_public("personae.core.txn", "x")
    (True, False)
    """
    return module in PUBLIC and name in PUBLIC[module][1]
