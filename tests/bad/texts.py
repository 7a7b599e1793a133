"""Bad files: what they hold, by a name that says what is wrong."""

from __future__ import annotations

# ---- configuration files ----

TOML = {
    "not-toml": "[machine\nseed = 1\n",
    "unfinished-string": '[zone.a]\nbrand = "linux\n',
    "twice-the-same-key": "[machine]\nseed = 1\nseed = 2\n",
    "unknown-table": "[machnie]\nseed = 1\n",
    "unknown-key": '[zone.a]\nbrnd = "linux"\n',
    "wrong-type": '[machine]\ncpus = "two"\n',
    "out-of-range": "[machine]\ncpus = 0\n",
    "size-without-unit": '[machine]\nmemory = "64 megabytes"\n',
    "epoch-without-offset": "[machine]\nepoch = 2026-01-01T00:00:00\n",
    "bool-for-number": "[machine]\nseed = true\n",
    "table-for-array": '[zone.a.fs]\ndir = "/x"\n',
    "missing-key": "[zone.a.init]\nenv = {}\n",
    "no-program": "[zone.a.init]\nargs = []\n",
    "no-such-brand": '[zone.a]\nbrand = "linus"\n',
    "no-such-brand-option": '[zone.a]\nbrand = "linux"\n[zone.a.linux]\nrelaese = "6"\n',
    "another-brand-s-table": '[zone.a]\nbrand = "native"\n[zone.a.linux]\nrelease = "6"\n',
    "zone-name": '[zone."a b"]\nbrand = "linux"\n',
    "reserved-zone-name": '[zone.SUNWx]\nbrand = "linux"\n',
    "no-such-rootfs": '[zone.a]\nrootfs = "nowhere"\n',
    "no-such-pool": '[zone.a]\npool = "fast"\n',
    "cpu-beyond": '[pool.p]\ncpus = "0-3"\n',
    "excluded-by-dedicated": (
        "[machine]\ncpus = 2\n[zone.a]\ncpu-shares = 2\n[zone.a.dedicated-cpu]\nncpus = 1\n"
    ),
    "lwps-below-processes": "[zone.a]\nmax-lwps = 1\nmax-processes = 2\n",
    "no-such-privilege": '[zone.a]\nlimitpriv = "default,!proc_frok"\n',
    "relative-path": '[[zone.a.fs]]\ndir = "data"\ntype = "tmpfs"\n',
    "mount-option": '[[zone.a.fs]]\ndir = "/d"\ntype = "tmpfs"\noptions = ["raed"]\n',
    "two-mounts-at-one-place": (
        '[[zone.a.fs]]\ndir = "/d"\ntype = "tmpfs"\n[[zone.a.fs]]\ndir = "/d"\n'
        'type = "tmpfs"\n'
    ),
    "fault-of-nothing": '[[fault]]\nerror = "EAGAIN"\n',
    "fault-errno": '[[fault]]\npoint = "pid_allocate"\nerror = "EAGIAN"\n',
    "fault-when": '[[fault]]\npoint = "x"\nerror = "EIO"\nwhen = "often"\n',
    "fault-zone": '[[fault]]\npoint = "x"\nerror = "EIO"\nzone = "web"\n',
    "no-such-plugin": '[plugins]\nenable = ["traicing"]\n',
    "plugin-option": '[plugins]\nenable = ["tracing"]\n[plugin.tracing]\nstpes = true\n',
    "plugin-option-type": (
        '[plugins]\nenable = ["tracing"]\n[plugin.tracing]\nonly = "fork"\n'
    ),
    "plugin-policy": '[plugins]\non-failure = "ignore"\n',
    "on-and-off": '[plugins]\nenable = ["audit"]\ndisable = ["audit"]\n',
    "extends-nothing": 'extends = "base.toml"\n',
    "extends-itself": 'extends = "file.toml"\n',
    "another-format": "schema = 2\n",
}

# ---- tables of system calls ----

ROW = '[[syscall]]\nnumber = 1\nname = "one"\n'
SYSCALLS = {
    "not-toml": "[[syscall]\n",
    "no-rows": 'title = "x"\n',
    "no-number": '[[syscall]]\nname = "one"\nlevel = "absent"\n',
    "no-name": '[[syscall]]\nnumber = 1\nlevel = "absent"\n',
    "number-is-text": '[[syscall]]\nnumber = "1"\nname = "one"\nlevel = "absent"\n',
    "negative-number": '[[syscall]]\nnumber = -1\nname = "one"\nlevel = "absent"\n',
    "two-of-one-number": f'{ROW}level = "absent"\n{ROW}level = "absent"\n',
    "no-such-level": f'{ROW}level = "ful"\nhandler = "sys_one"\n',
    "full-without-handler": f'{ROW}level = "full"\n',
    "absent-with-handler": f'{ROW}level = "absent"\nhandler = "sys_one"\n',
    "partial-without-note": f'{ROW}level = "partial"\nhandler = "sys_one"\n',
    "no-such-handler": f'{ROW}level = "full"\nhandler = "sys_oen"\n',
    "handler-is-no-function": f'{ROW}level = "full"\nhandler = "sys_five"\n',
    "handler-takes-nothing": f'{ROW}level = "full"\nhandler = "sys_none"\n',
    "handler-takes-too-much": f'{ROW}level = "full"\nhandler = "sys_seven"\n',
    "unknown-key": f'{ROW}level = "absent"\nhandlr = "sys_one"\n',
    "three-faults": f'{ROW}level = "ful"\n[[syscall]]\nnumber = 2\nnmae = "two"\n',
}
