"""Validation: what is accepted, and every message of a bad file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest

from personae.core.config import Config, ConfigError, Known, load, loads
from personae.core.config.jsonschema import json_schema
from personae.core.config.markers import OneOf, Range
from personae.core.config.rules import UNSUPPORTED
from personae.core.config.units import When

KNOWN = Known({"linux": ("release", "version"), "native": None}, {"faults"})


def problems(text: str) -> list[str]:
    """The messages about a text, errors and warnings, in order of lines."""
    try:
        found = loads(text, "z.toml", known=KNOWN).warnings
    except ConfigError as error:
        found = error.problems
    return [str(problem) for problem in found]


GOOD = """\
schema = 1

[machine]
seed = 42
cpus = 4
memory = "64M"
epoch = 2026-01-01T00:00:00Z

[plugins]
enable = ["faults"]

[plugin.faults]
output = "x"

[zone.global]
brand = "native"

[zone.web]
brand = "linux"
max-processes = 64

[zone.web.capped-memory]
physical = "32M"

[zone.web.linux]
release = "9"

[zone.web.init]
args = ["/bin/sh", "-c", "exit 3"]
env = { PATH = "/bin" }
user = { uid = 0 }

[[zone.web.fs]]
dir = "/scratch"
type = "tmpfs"

[[zone.web.attr]]
name = "answer"
type = "int"
value = "42"

[[fault]]
zone = "web"
process = "sh"
syscall = ["fork", "clone"]
when = "3+2"
error = "EAGAIN"

[[fault]]
point = "as_dup"
when = 1
error = "ENOMEM"
"""


def test_good() -> None:
    """A file that uses most tables, and what comes out of it."""
    config = loads(GOOD, "good.toml", known=KNOWN)
    web = config.zones["web"]
    assert config.warnings == ()
    assert (
        config.machine.seed,
        config.machine.cpus,
        config.machine.memory,
    ) == (42, 4, 64 << 20)
    assert config.machine.epoch == 1_767_225_600 * 10**9
    assert (
        web.name,
        web.brand,
        web.max_processes,
        web.max_lwps,
    ) == ("web", "linux", 64, 640)
    assert web.capped_memory is not None
    assert web.init is not None
    assert web.capped_memory.physical == 32 << 20
    assert web.brand_options == {"release": "9"}
    assert (
        web.init.args,
        web.init.env,
        web.init.user.uid,
        web.init.user.gid,
    ) == (("/bin/sh", "-c", "exit 3"), {"PATH": "/bin"}, 0, 0)
    assert config.faults[0].syscall == ("fork", "clone")
    assert When(1, 1, 1) == config.faults[1].when
    assert config.plugin_tables == {"faults": {"output": "x"}}
    assert str(config.locate("zone", "web", "brand")) == "good.toml:19"
    assert str(config.locate("zone", "web", "hostname")) == "good.toml:18"


def test_empty() -> None:
    """An empty file is a machine with the defaults and no zone."""
    assert Config(source="z.toml") == loads("", "z.toml")


def test_max_lwps_alone() -> None:
    """Alone it sets max-processes to the same; zonecfg(8)."""
    zone = loads("[zone.a]\nmax-lwps = 5").zones["a"]
    assert (zone.max_lwps, zone.max_processes) == (5, 5)


def test_all_errors_at_once() -> None:
    """One run shows everything, in the order of the lines."""
    text = """\
[machine]
cpus = "4x"
memory = "64MB"
sede = 3
[zone.lab]
brnd = "linux"
init = { args = [1,
   "x"], cwd = "a" }
[[zone.lab.fs]]
dir = "/x"
special = "/nope"
"""
    expected = [
        "z.toml:2: machine.cpus: expected an integer, got a string '4x'",
        "z.toml:3: machine.memory: bad size '64MB': a number with K, M, G or T, as in "
        '"64M"; did you mean "64M"?',
        "z.toml:4: machine.sede: unknown key (did you mean 'seed'?)",
        "z.toml:6: zone.lab.brnd: unknown key (did you mean 'brand'?)",
        "z.toml:7: zone.lab.init.args[0]: expected a string, got an integer 1",
        "z.toml:8: zone.lab.init.cwd: bad value 'a': an absolute path inside the "
        "zone, such as /data",
        "z.toml:11: zone.lab.fs[0].special: '/nope': no such file or folder on the "
        "host; create it or correct 'special'",
    ]
    assert expected == problems(text)


BAD = [
    # shapes and types
    ("zone = 3", "z.toml:1: zone: expected a table, got an integer"),
    ("[zone]\nweb = 1", "z.toml:2: zone.web: expected a table, got an integer"),
    ("[[zone]]\nname = 'x'", "z.toml:1: zone: expected a table, got an array"),
    ("[machine]\nseed = true", "z.toml:2: machine.seed: expected an integer, got a "
     "boolean True"),
    ("[machine]\nseed = -1", "z.toml:2: machine.seed: must be at least 0, got -1"),
    ("[machine]\ncpus = 65", "z.toml:2: machine.cpus: must be at most 64, got 65"),
    ("[machine]\nengine = 'rust'", "z.toml:2: machine.engine: expected one of 'c', "
     "'python', got 'rust'"),
    ("[machine]\nmemory = '1K'", "z.toml:2: machine.memory: must be at least 1048576 "
     "bytes, got 1024"),
    ("[machine]\nepoch = 2026-01-01", "z.toml:2: machine.epoch: expected a date such "
     "as \"2026-01-01T00:00:00Z\", got datetime.date(2026, 1, 1)"),
    ("schema = 2", "z.toml:1: schema: expected one of 1, got 2"),
    ("shcema = 1", "z.toml:1: shcema: unknown key (did you mean 'schema'?)"),
    ("[zone.a]\nautoboot = 'yes'", "z.toml:2: zone.a.autoboot: expected true or false, "
     "got a string 'yes'"),
    ("[zone.a]\nip-type = 'exlusive'", "z.toml:2: zone.a.ip-type: expected one of "
     "'shared', 'exclusive', got 'exlusive' (did you mean 'exclusive'?)"),
    ("[zone.a.fs]\ndir = '/x'", "z.toml:1: zone.a.fs: expected an array, got a table; "
     "write it as [[zone.a.fs]]"),
    ("[zone.a.init]\ncwd = '/'", "z.toml:1: zone.a.init: the key 'args' is missing"),
    ("[zone.a.init]\nargs = []", "z.toml:2: zone.a.init.args: an empty array names no "
     "program"),
    # zones
    ("[zone.'a b']", "z.toml:1: zone.\"a b\": bad name 'a b': letters, digits, '-', "
     "'_' and '.', at most 63, as in zonecfg(8)"),
    ("[zone.SUNWx]", "z.toml:1: zone.SUNWx: names that begin with SUNW are "
     "reserved, zonecfg(8): choose another"),
    ("[zone.global]\nzonepath = '/'", "z.toml:2: zone.global.zonepath: the global "
     "zone has no such property"),
    ("[zone.a]\nbrand = 'linus'", "z.toml:2: zone.a.brand: no brand 'linus' is "
     "installed (did you mean 'linux'?)"),
    ("[zone.a]\nbrand = 'linux'\n[zone.a.native]\nx = 1", "z.toml:3: zone.a.native: "
     "unknown key (the table of another brand, 'native')"),
    ("[zone.a.capped-memory]", "z.toml:1: zone.a.capped-memory: at least one of "
     "'physical', 'swap', 'locked' must be given"),
    ("[zone.a]\nmax-lwps = 3\nmax-processes = 9", "z.toml:2: zone.a.max-lwps: 3 is "
     "below max-processes 9: a process has an lwp"),
    ("[zone.a]\nrootfs = 'nope'", "z.toml:2: zone.a.rootfs: 'nope': no such file or "
     "folder on the host; make one with: personae rootfs TARGET busybox-static"),
    ("[zone.global]\nbrand = 'linux'", "z.toml:2: zone.global.brand: the global zone "
     "is always of brand 'native'"),
    ("[zone.global]\nmax-lwps = 9", "z.toml:2: warning: zone.global.max-lwps: not "
     "supported in this version: the global zone has no limits"),
    ("[zone.a]\nbrand = 'linux'\n[zone.a.linux]\nrelase = '6'", "z.toml:4: "
     "zone.a.linux.relase: brand 'linux' has no such option (did you mean 'release'?)"),
    ("[zone.a.init]\nargs = ['x']\nuser = { uid = 7 }", "z.toml:3: zone.a.init.user: "
     "not supported in this version: the first process runs as root"),
    # file systems
    ("[[zone.a.fs]]\ndir = '/x'", "z.toml:1: zone.a.fs[0]: the key 'special' is "
     "missing: the host folder to mount"),
    ("[[zone.a.fs]]\ndir = '/a/../b'\ntype = 'tmpfs'", "z.toml:2: zone.a.fs[0].dir: "
     "'/a/../b' must not contain '..'"),
    ("[[zone.a.fs]]\ndir = '/x'\nspecial = '/'\ntype = 'tmpfs'", "z.toml:3: "
     "zone.a.fs[0].special: a tmpfs has no host folder; remove the key"),
    ("[[zone.a.fs]]\ndir = '/x'\ntype = 'tmpfs'\noptions = ['ro',\n'nodevice']",
     "z.toml:5: zone.a.fs[0].options[1]: unknown mount option 'nodevice' (did you mean "
     "'nodevices'?)"),
    ("[[zone.a.fs]]\ndir = '/x'\ntype = 'tmpfs'\noptions = ['ro', 'rw']",
     "z.toml:4: zone.a.fs[0].options: both 'ro' and 'rw': keep one"),
    ("[[zone.a.fs]]\ndir = '/x'\ntype = 'tmpfs'\n[[zone.a.fs]]\ndir = '/x'\ntype = "
     "'tmpfs'", "z.toml:5: zone.a.fs[1].dir: '/x' is already taken at z.toml:1"),
    # attributes and faults
    ("[[zone.a.attr]]\nname = 'n'\ntype = 'uint'\nvalue = '-3'", "z.toml:4: "
     "zone.a.attr[0].value: '-3' is not an unsigned integer, as type = 'uint' says"),
    ("[[fault]]\nsyscall = 'fork'\nerror = 'EAGIAN'", "z.toml:3: fault[0].error: "
     "unknown error name 'EAGIAN' (did you mean 'EAGAIN'?)"),
    ("[[fault]]\nsyscall = 'fork'", "z.toml:1: fault[0]: the key 'error' is missing"),
    ("[[fault]]\nerror = 'EIO'", "z.toml:1: fault[0]: give one of 'syscall' and "
     "'point'"),
    ("[[fault]]\nerror = 'EIO'\nsyscall = 'fork'\npoint = 'as_dup'", "z.toml:1: "
     "fault[0]: give one of 'syscall' and 'point', not both"),
    ("[zone.web]\n[[fault]]\nerror = 'EIO'\nsyscall = 'fork'\nzone = 'wed'",
     "z.toml:5: fault[0].zone: no zone 'wed' in this file (did you mean 'web'?)"),
    ("[[fault]]\nerror = 'EIO'\nsyscall = 'fork'\nwhen = '0'", "z.toml:4: "
     "fault[0].when: bad occurrence '0': counted from 1, first before last"),
    ("[plugins]\nenable = ['fault']", "z.toml:2: plugins.enable[0]: no plugin 'fault' "
     "is installed (did you mean 'faults'?)"),
    ("[plugin.faults]\nx = 1", "z.toml:1: warning: plugin.faults: has no effect: "
     "plugin 'faults' is not in plugins.enable"),
    ("[plugins]\nenable = ['faults']\ndisable = ['faults']", "z.toml:1: plugins: "
     "'faults' is both enabled and disabled: keep one"),
    # not TOML
    ("[a", "z.toml:1: not TOML: Expected ']' at the end of a table declaration "
     "(at the end of the file)"),
    ("x = 1\nx = 2", "z.toml:2: not TOML: Cannot overwrite a value "
     "(at the end of the file)"),
    ("[zone.a]\n\n[zone.a]", "z.toml:3: not TOML: Cannot declare ('zone', 'a') twice "
     "(column 8)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), BAD)
def test_bad(text: str, expected: str) -> None:
    """Each of these has exactly one problem, told in these words."""
    assert [expected] == problems(text)


def test_nan() -> None:
    """Not a number is not in any range."""
    expected = "z.toml:2: zone.a.capped-cpu.ncpus: must be at least 0.01, got nan"
    assert expected in problems("[zone.a.capped-cpu]\nncpus = nan")


@pytest.mark.parametrize(
    "text", ["a=" + "[" * 5000, "a=" + "9" * 5000, 'a = "x', "\0", "[[[["]
)
def test_hostile(text: str) -> None:
    """Texts that once upset a parser end in a ConfigError."""
    with pytest.raises(ConfigError):
        loads(text)


SAMPLE = """\
[machine]
cpus = 4
[pool.batch]
cpus = "2-3"
scheduler = "FX"
[zone.web]
brand = "linux"
pool = "batch"
cpu-shares = 10
ip-type = "exclusive"
limitpriv = "default,!sys_time"
[zone.web.capped-memory]
swap = "128M"
locked = "1M"
[zone.web.capped-cpu]
ncpus = 1.5
[[zone.web.fs]]
dir = "/scratch"
type = "tmpfs"
options = ["devices", "nosetuid", "noexec"]
[[zone.web.net]]
physical = "vnic0"
allowed-address = "10.0.0.2/24"
[zone.lab.dedicated-cpu]
ncpus = "1-2"
"""


def test_unsupported_is_said() -> None:
    """Each key of the table of unsupported ones is reported, none is ignored."""
    text = SAMPLE.replace("cpus = 4", 'cpus = 4\nengine = "python"')
    reported = [line for line in problems(text) if "not supported" in line]
    assert len(UNSUPPORTED) == len(reported)
    assert all("not supported in this version: " in line for line in reported)


def test_dedicated_cpu_excludes() -> None:
    """dedicated-cpu stands alone: no pool, no cpu-shares; zonecfg(8)."""
    text = SAMPLE.replace("[zone.lab.", '[zone.lab]\npool = "batch"\n[zone.lab.')
    expected = (
        "z.toml:25: zone.lab.pool: excluded by 'dedicated-cpu': keep one of the two"
    )
    assert expected in problems(text)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('pool = "batch"', 'pool = "bacth"', "no pool 'bacth' in this file (did you "
         "mean 'batch'?)"),
        ('"2-3"', '"2-4"', "CPU 4 does not exist: machine.cpus is 4"),
        ("!sys_time", "!sys_tim", "no privilege or set '!sys_tim' (did you mean "
         "'sys_time'?)"),
        ("10.0.0.2/24", "10.0.0", "expected an address such as \"10.0.0.2/24\", got "
         "'10.0.0'"),
        ("allowed-address", "address", "only for zones with ip-type = 'shared'"),
    ],
)  # fmt: skip
def test_rules(old: str, new: str, expected: str) -> None:
    """Rules between keys."""
    assert any(expected in line for line in problems(SAMPLE.replace(old, new)))


def test_file_errors(tmp_path: Path) -> None:
    """A file that is absent, a folder, or not UTF-8."""
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load(tmp_path / "absent.toml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b"# ok\nx = '\xe9'\n")
    with pytest.raises(ConfigError, match=r"latin\.toml:2: is not UTF-8"):
        load(tmp_path / "latin.toml")


def test_relative_paths(tmp_path: Path) -> None:
    """Host paths start from the file's folder."""
    (tmp_path / "root").mkdir()
    file = tmp_path / "z.toml"
    file.write_text("[zone.a]\nrootfs = 'root'\n")
    assert str(tmp_path / "root") == load(file).zones["a"].rootfs


def test_extends(tmp_path: Path) -> None:
    """Tables merge over the base, arrays replace, places name the right file."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "root").mkdir()
    base, top = tmp_path / "sub" / "base.toml", tmp_path / "top.toml"
    base.write_text(
        "[machine]\nseed = 1\ncpus = 2\n[zone.a]\nrootfs = 'root'\nbogus = 1\n"
        "[zone.a.init]\nargs = ['a', 'b']\n"
    )
    top.write_text(
        "extends = 'sub/base.toml'\n[machine]\nseed = 2\n[zone.a]\nhostname = 'h'\n"
        "[zone.a.init]\nargs = ['c']\n"
    )
    with pytest.raises(ConfigError, match=r"base\.toml:6: zone\.a\.bogus") as caught:
        load(top)
    assert len(caught.value.problems) == 1
    base.write_text(base.read_text().replace("bogus = 1\n", ""))
    config = load(top)
    assert (config.machine.seed, config.machine.cpus) == (2, 2)
    zone = config.zones["a"]
    assert zone.init is not None
    assert (str(tmp_path / "sub" / "root"), "h", ("c",)) == (
        zone.rootfs,
        zone.hostname,
        zone.init.args,
    )
    assert f"{top}:7" == str(config.locate("zone", "a", "init", "args", 0))


def test_extends_loops(tmp_path: Path) -> None:
    """A base that leads back, and a base that is not there."""
    file = tmp_path / "z.toml"
    file.write_text("extends = 'z.toml'")
    with pytest.raises(ConfigError, match=r"z\.toml:1: extends: .* leads back"):
        load(file)
    file.write_text("\nextends = 'no.toml'")
    with pytest.raises(ConfigError, match=r"z\.toml:2: extends: .*no such file"):
        load(file)


def test_overrides() -> None:
    """Values by dotted key; a bad one is told as an override."""
    config = loads("[machine]\nseed = 1", overrides={"machine.seed": 7})
    assert config.machine.seed == 7
    with pytest.raises(ConfigError) as caught:
        loads("", overrides={"machine.sed": 7})
    expected = "override: machine.sed: unknown key (did you mean 'seed'?)"
    assert expected == str(caught.value)


def test_json_schema() -> None:
    """The committed schema is the one that the classes give."""
    committed = Path(__file__).parents[2] / "docs" / "zones.schema.json"
    assert json.loads(committed.read_text()) == json_schema()


@dataclass(frozen=True)
class ZoneOptions:
    """The table of a brand that describes it by a class."""

    nproc: Annotated[int, Range(1, 64), "most processes"] = 64
    kind: Annotated[str, OneOf(("old", "new"), "kind")] = "new"


def test_a_brand_s_table_by_a_class() -> None:
    known = Known({"mine": ZoneOptions})
    good = '[zone.a]\nbrand = "mine"\n[zone.a.mine]\nnproc = 5\n'
    assert loads(good, known=known).zones["a"].brand_options == {"nproc": 5}
    with pytest.raises(ConfigError) as e:
        loads(good.replace("5", "0") + 'kind = "od"\nmore = 1\n', "z.toml", known=known)
    assert str(e.value).splitlines() == [
        "z.toml:4: zone.a.mine.nproc: must be at least 1, got 0",
        "z.toml:5: zone.a.mine.kind: unknown kind 'od' (did you mean 'old'?)",
        "z.toml:6: zone.a.mine.more: unknown key (known: nproc, kind)",
    ]
