"""The line of every key, table and element."""

from __future__ import annotations

import tomli
from hypothesis import given
from hypothesis import strategies as st

from personae.core.config.errors import Path
from personae.core.config.lines import line_index

TEXT = '''\
# a comment = [not a table]
top = 1
"quoted key" = """
[not.a.table]
x = ""quotes""
"""
'lit' = \'\'\'
y = 1 \'\'\'
[a]
b.c = 2   # dotted
inline = { x = 1, y = [1,
    2], "z.z" = { w = 3 } }
list = [
  # nothing

  "]",
  { k = "}" },
  [ "deep",
    "er" ],
]
[ a . "d e" ]
f = 1979-05-27 07:32:00Z
[[arr]]
n = 1
[arr.sub]
p = 1
[[arr.inner]]
q = 1
[[arr.inner]]
q = "a\\"b#"
[[arr]]
n = 2
[[arr.inner]]
q = 3
'''


def test_lines() -> None:
    """Nested tables, arrays of tables, inline tables, multi-line values, quotes."""
    expected: dict[Path, int] = {
        ("top",): 2,
        ("quoted key",): 3,
        ("lit",): 7,
        ("a",): 9,
        ("a", "b"): 10,
        ("a", "b", "c"): 10,
        ("a", "inline"): 11,
        ("a", "inline", "x"): 11,
        ("a", "inline", "y"): 11,
        ("a", "inline", "y", 0): 11,
        ("a", "inline", "y", 1): 12,
        ("a", "inline", "z.z"): 12,
        ("a", "inline", "z.z", "w"): 12,
        ("a", "list"): 13,
        ("a", "list", 0): 16,
        ("a", "list", 1): 17,
        ("a", "list", 1, "k"): 17,
        ("a", "list", 2): 18,
        ("a", "list", 2, 0): 18,
        ("a", "list", 2, 1): 19,
        ("a", "d e"): 21,
        ("a", "d e", "f"): 22,
        ("arr",): 23,
        ("arr", 0): 23,
        ("arr", 0, "n"): 24,
        ("arr", 0, "sub"): 25,
        ("arr", 0, "sub", "p"): 26,
        ("arr", 0, "inner"): 27,
        ("arr", 0, "inner", 0): 27,
        ("arr", 0, "inner", 0, "q"): 28,
        ("arr", 0, "inner", 1): 29,
        ("arr", 0, "inner", 1, "q"): 30,
        ("arr", 1): 31,
        ("arr", 1, "n"): 32,
        ("arr", 1, "inner"): 33,
        ("arr", 1, "inner", 0): 33,
        ("arr", 1, "inner", 0, "q"): 34,
    }
    assert expected == line_index(TEXT)


def test_every_value_has_a_line() -> None:
    """The index names exactly the paths that tomli's values have."""

    def paths(value: object, at: Path) -> set[Path]:
        found = {at} if at else set()
        if isinstance(value, dict):
            for key, one in value.items():
                found |= paths(one, (*at, key))
        elif isinstance(value, list):
            for number, one in enumerate(value):
                found |= paths(one, (*at, number))
        return found

    assert paths(tomli.loads(TEXT), ()) == set(line_index(TEXT))


def test_header_after_child() -> None:
    """A table that is written after its own sub-table stands on its own line."""
    index = line_index("[a.b]\nx = 1\n[a]\ny = 1\n")
    assert (index["a",], index["a", "b"]) == (3, 1)


@given(st.text(alphabet="a.=[]{}\"'#,\n\\ 1", max_size=30))
def test_no_text_breaks_the_scanner(text: str) -> None:
    """Whatever tomli accepts, the scanner follows."""
    try:
        tables = tomli.loads(text)
    except tomli.TOMLDecodeError:
        return
    assert {(key,) for key in tables} <= set(line_index(text))
