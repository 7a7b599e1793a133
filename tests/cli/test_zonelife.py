"""A zone's whole life by commands: zonecfg create ... delete, zoneadm install ..."""

from __future__ import annotations

from pathlib import Path

import pytest

from personae.core.cli.zonelang import LanguageError, parse, quote, unquote, values
from personae.core.ledgercheck import ledger_check
from personae.core.machine import Machine
from personae.core.vfs.tmpfs import TmpFs
from tests.cli.test_kept import Run, folder, kept, run

__all__ = ["folder", "kept", "run"]


def seen(run: Run, zone: str) -> str:
    """The zone's state as ``list -cp`` has it; empty if there is none."""
    lines = [line.split(":") for line in run("zoneadm", "list", "-cp")[1].splitlines()]
    return next((fields[2] for fields in lines if fields[1] == zone), "")


@pytest.mark.parametrize("brand", ["native", "linux"])
def test_whole_life(kept: Run, folder: Path, brand: str) -> None:
    text = (
        f"create; set brand={brand}; set max-lwps=100; add capped-memory; "
        "set physical=64M; end; add init; set args=[/init,/hello]; end; commit"
    )
    make = ("zonecfg", text)
    story = [
        (make, "configured"),
        (("zoneadm", "install", "-d", str(folder / brand)), "installed"),
        (("zoneadm", "boot"), "running"),
        (("zoneadm", "halt"), "installed"),
        (("zoneadm", "detach"), "configured"),
        (("zoneadm", "attach"), "installed"),
        (("zoneadm", "move", "/export/new"), "installed"),
        (("zoneadm", "mark", "incomplete"), "incomplete"),
        (("zoneadm", "uninstall", "-F"), "configured"),
        (("zoneadm", "install", "-d", str(folder / brand)), "installed"),
        (("zoneadm", "uninstall", "-F"), "configured"),
        (("zonecfg", "delete", "-F"), ""),
    ]
    for (command, *words), state in story:
        assert kept(command, "-z", "new", *words) == (0, "", ""), words
        assert seen(kept, "new") == state, words
        assert ledger_check(Machine.load("m").kernel) == []
        if state == "running":
            zone = Machine.load("m").zone("new").zone
            assert (zone.max_lwps, zone.brand.name) == (100, brand)
            assert kept("zlogin", "new", "/hello")[0] == 0
    assert kept("doctor", "m")[0] == 0


def test_clone(kept: Run) -> None:
    """The copy has what the other changed, and is its own."""
    m = Machine.load("m")
    m.zone("lab").put("/kept", b"x" * 70_000)
    m.save("m")
    assert kept("zonecfg", "-z", "two", "create -t lab")[0] == 0
    status, _, err = kept("zoneadm", "-z", "two", "clone", "lab")
    assert (status, err) == (
        1,
        "zoneadm: zone 'two': source zone 'lab' must be installed and halted: "
        "it is running\n",
    )
    kept("zoneadm", "-z", "lab", "halt")
    assert kept("zoneadm", "-z", "two", "clone", "-m", "copy", "lab")[0] == 0
    m = Machine.load("m")
    one, two = (m.kernel.installed[name].root for name in ("lab", "two"))
    copy = two.lookup(b"kept", m.kernel.kcred)
    assert copy.read(None, 0, 80_000, 0) == b"x" * 70_000
    assert isinstance(one.v_vfs, TmpFs)
    assert (two.v_vfs.used, two.v_vfs.nfiles) == (one.v_vfs.used, one.v_vfs.nfiles)
    copy.write(None, 0, b"y", 0)
    assert one.lookup(b"kept", m.kernel.kcred).read(None, 0, 1, 0) == b"x"
    assert ledger_check(m.kernel) == []
    assert kept("zoneadm", "-z", "lab", "uninstall", "-F")[0] == 0
    assert kept("zoneadm", "-z", "two", "boot")[0] == 0
    assert kept("zlogin", "two", "/true")[0] == 0


def test_export_is_read_back(kept: Run, folder: Path) -> None:
    text = (
        'create; set brand=linux; set hostname=h; set limitpriv="default,!sys_time"\n'
        "add fs; set dir=/t; set type=tmpfs; end # a comment; exit\n"
        f"add fs; set dir=/s; set special={folder}/linux; set options=[ro]; end\n"
        'add attr; set name=a; set value="say \\"x\\"; [y]"; end\n'
        'add init; set args=[/init,"a,b"]; set env=["K=v w"]; end\n'
        "add capped-cpu; set ncpus=1.5; end; add capped-memory; set swap=8M; end\n"
    )
    (folder / "commands").write_text(text)
    assert kept("zonecfg", "-z", "one", "-f", "commands") == (0, "", "")
    assert kept("zonecfg", "-z", "one", "export", "-f", "again")[0] == 0
    said = (folder / "again").read_text()
    (folder / "again").write_text(said.replace("/zones/one", "/zones/two"))
    assert kept("zonecfg", "-z", "two", "-f", "again")[0] == 0
    export = kept("zonecfg", "-z", "two", "export")[1]
    assert export.replace("/zones/two", "/zones/one") == said
    select = "select fs dir=/s; clear options; end; remove fs dir=/t; info fs"
    assert kept("zonecfg", "-z", "two", select)[1] == (
        f"fs:\n\tdir: /s\n\tspecial: {folder}/linux\n\ttype: lofs\n"
    )


@pytest.mark.parametrize(
    ("zone", "words", "status", "told"),
    [
        ("c", "zoneadm boot", 1, "zoneadm: zone 'c': must be installed before boot"),
        ("off", "zoneadm install", 1, "zoneadm: zone 'off': zone is already installed"),
        ("lab", "zoneadm uninstall -F", 1, "operation is invalid for running zones"),
        ("off", "zoneadm uninstall", 1, "say that you mean it with -F"),
        ("c", "zoneadm clone c", 1, "cannot be cloned from itself"),
        ("c", "zoneadm clone web", 1, "zone 'web' must be installed and halted"),
        ("c", "zoneadm clone", 2, "usage: clone"),
        ("c", "zoneadm clone -s x off", 1, "there are no snapshots"),
        ("c", "zoneadm attach", 1, "was not detached"),
        ("c", "zoneadm install -d nowhere", 1, "no such folder"),
        ("c", "zoneadm install -d zones.toml", 1, "no folder or tar archive"),
        ("off", "zoneadm mark done", 2, "the only mark is incomplete"),
        ("off", "zoneadm move x", 2, "write a plain absolute path"),
        ("global", "zoneadm uninstall -F", 1, "invalid for the global zone"),
        ("lab", "zonecfg delete -F", 1, "zone is running; delete not allowed"),
        ("c", "zonecfg delete", 1, "say that you mean it with -F"),
        ("c", "zonecfg create", 1, "zone 'c': already exists"),
        ("web", "zonecfg create -F", 1, "zone 'web': already running"),
        ("c", "zonecfg set max-lpws=1", 1, "did you mean 'max-lwps'"),
        ("c", "zonecfg set hostid=1", 1, "hostid: not supported in this version"),
        ("c", "zonecfg add dataset", 1, "use fs: there are no datasets"),
        ("c", "zonecfg add fs", 2, "'end' is missing"),
        ("c", "zonecfg add fs; end", 1, "fs: dir not specified"),
        ("c", "zonecfg add capped-memory; end", 1, "at least one of"),
        ("c", "zonecfg frob", 2, "frob: unknown subcommand"),
        ("c", 'zonecfg set pool="x', 2, "never ends"),
        ("c", "zonecfg remove net", 1, "there is no such net"),
        ("c", "zonecfg add dedicated-cpu; set ncpus=1; end", 1, "dedicated-cpu"),
    ],
)
def test_errors(kept: Run, zone: str, words: str, status: int, told: str) -> None:
    assert kept("zonecfg", "-z", "c", "create")[0] == 0
    before = Path("m").read_bytes()
    command, *rest = words.split()
    got = kept(command, "-z", zone, *rest)
    assert (got[0], got[1]) == (status, "")
    assert told in got[2]
    assert got[2].count("\n") == 1
    assert Path("m").read_bytes() == before


def test_language() -> None:
    commands = parse('a "x;y" b\n# no\n\nset v=[p, "q,r"]; c')
    assert [(c.words, c.line) for c in commands] == [
        (["a", '"x;y"', "b"], 1),
        (["set", 'v=[p, "q,r"]'], 4),
        (["c"], 4),
    ]
    assert values('[p, "q,r"]') == (["p", "q,r"], True)
    for word in ("", "a b", 'q"\\', "[x]", "a;b\nc"):
        assert unquote(quote(word)) == word
    with pytest.raises(LanguageError, match="line 2"):
        parse('x\n"y')
