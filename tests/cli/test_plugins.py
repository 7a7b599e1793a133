"""The listings of what is plugged in, plugins by ``-p``, and ``config show``."""

from __future__ import annotations

import json
import random
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import tomli

from personae.core import points
from personae.core.cli import main
from personae.core.config import loads
from personae.core.config.emit import to_toml
from personae.core.config.jsonschema import json_schema
from personae.core.hookdoc import hook_docs
from personae.core.machine import Machine
from personae.core.plugin import PluginError
from personae.plugins.audit import Options

FOUND = {
    "personae.plugins": [
        EntryPoint("zeta", "tests.cli.odd_plugins:MODULE", points.GROUP),
        EntryPoint("tracing", "personae.plugins.tracing:from_config", points.GROUP),
        EntryPoint("alpha", "tests.cli.odd_plugins:instance", points.GROUP),
    ]
}


def test_hooks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hooks"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(hook_docs()) + 1
    assert main(["hooks", "b_exec", "ContractSpec"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("b_exec(lwp: Lwp) -> None\n    The process is the new prog")
    assert text.count("May fail: ") == 8
    assert main(["hooks", "--json", "b_exec"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["args"], told["locks"]) == (["lwp"], "none.")
    assert main(["hooks", "b_exek"]) == 2
    assert "no hook 'b_exek' (did you mean 'b_exec'?)" in capsys.readouterr().err


def test_plugins(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "--json"]) == 0
    rows = {row["plugin"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["tracing"]["kind"] == "plugin"
    assert "personae_fork_step" in rows["tracing"]["hooks"]
    assert (rows["FSS"]["kind"], rows["process"]["kind"]) == ("class", "contract")
    assert {row["error"] for row in rows.values()} == {""}
    assert main(["plugins"]) == 0
    assert "tracing      plugin " in capsys.readouterr().out


def test_syscalls(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["syscalls", "linux"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "   172 getpid                   full" in lines
    assert main(["syscalls", "linx"]) == 125
    assert "did you mean 'linux'" in capsys.readouterr().err


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[EntryPoint]:
    """Entry points as another set of packages would give them."""
    rows = list(FOUND["personae.plugins"])
    monkeypatch.setattr(points, "entry_points", lambda group: rows)
    return rows


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_installation_does_not_matter(
    found: list[EntryPoint], seed: int
) -> None:
    random.Random(seed).shuffle(found)
    assert [p.name for p in points.plugin_points()] == ["alpha", "tracing", "zeta"]
    config = loads('[plugins]\nenable = ["zeta", "alpha", "tracing"]\n')
    assert points.wanted(config) == ["alpha", "tracing", "zeta"]


def test_two_packages_with_one_name(found: list[EntryPoint]) -> None:
    found.append(EntryPoint("alpha", "other:thing", points.GROUP))
    with pytest.raises(PluginError, match="two packages provide plugin 'alpha'"):
        points.load_plugin("alpha", loads(""))


def test_picks_go_before_the_file() -> None:
    config = loads('[plugins]\nenable = ["a", "b"]\n')
    assert points.wanted(config, ["c", "no:a"]) == ["b", "c"]
    assert points.wanted(config, ["a", "no:a", "no:b"]) == []


def test_run_with_a_plugin(capfd: pytest.CaptureFixture[str]) -> None:
    hello = Path(__file__).parents[2] / "brands" / "linux" / "guests" / "hello.elf"
    assert main(["run", "-p", "tracing", str(hello)]) == 0
    assert main(["run", "-p", "traicing", str(hello)]) == 125
    told = capfd.readouterr().err
    assert "no plugin 'traicing' is installed (did you mean 'tracing'?)" in told


def test_show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "base.toml").write_text(
        '[machine]\nseed = 1\ncpus = 2\n[[zone.w.fs]]\ndir = "/a"\ntype = "tmpfs"\n'
    )
    file = tmp_path / "top.toml"
    file.write_text('extends = "base.toml"\n[machine]\nseed = 2\n[zone.w.attr]\n')
    assert main(["config", "show", str(file)]) == 125
    assert f"{file}:4: zone.w.attr: expected an array" in capsys.readouterr().err
    file.write_text(
        'extends = "base.toml"\n[machine]\nseed = 2\n[zone.w.init]\nargs=[]\n'
    )
    out = ["--set", 'zone.w.init.args=["/x y"]', "--set", "machine.memory=64M"]
    assert main(["config", "show", str(file), *out]) == 0
    text = capsys.readouterr().out
    assert f"seed = 2  # {file}:3\n" in text
    assert f"cpus = 2  # {tmp_path / 'base.toml'}:3\n" in text
    assert 'memory = "64M"  # override\n' in text
    assert tomli.loads(text) == {
        "machine": {"seed": 2, "cpus": 2, "memory": "64M"},
        "zone": {
            "w": {"fs": [{"dir": "/a", "type": "tmpfs"}], "init": {"args": ["/x y"]}}
        },
    }
    assert main(["config", "show", "--json", str(file), *out]) == 0
    assert json.loads(capsys.readouterr().out) == tomli.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        'a = "x\\n\\"\\u007f"\nb = [1, [2.5, true]]\nc = 1979-05-27T07:32:00Z\n',
        '["odd key"]\n"a.b" = 1\n[["odd key".list]]\n[["odd key".list]]\nx = {}\n',
        "[a.b.c]\nd = [{x = 1}, 2]\n[a]\n",
        "e = []\nf = [{}]\n",
    ],
)
def test_what_is_printed_is_read_again(text: str) -> None:
    tables = tomli.loads(text)
    assert tomli.loads(to_toml(tables, {})) == tables


def test_the_schema_with_plugins() -> None:
    schema = json_schema({"audit": Options, "none": None})
    plugin = schema["properties"]["plugin"]["properties"]  # type: ignore[index]
    assert list(plugin) == ["audit"]
    assert plugin["audit"]["properties"]["kinds"]["items"]["enum"][0] == "fork"


def test_a_plugin_s_table_is_checked_by_its_schema(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "m.toml"
    file.write_text(
        '[plugins]\nenable = ["audit"]\n[plugin.audit]\nkinds = ["forc"]\nfiel = 1\n'
    )
    assert main(["config", "check", str(file)]) == 1
    assert capsys.readouterr().err == (
        f"{file}:4: plugin.audit.kinds[0]: unknown kind of record 'forc' (did you "
        "mean 'fork'?)\n"
        f"{file}:5: plugin.audit.fiel: unknown key (did you mean 'file'?)\n"
    )


def test_plugins_of_a_file_with_the_policy(tmp_path: Path) -> None:
    file = tmp_path / "m.toml"
    file.write_text('[plugins]\nenable = ["tracing"]\non-failure = "panic"\n')
    machine = Machine.from_toml(file)
    assert machine.plugins.policy == "panic"
    assert machine.plugins.names() == ["tracing"]
