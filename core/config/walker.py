"""Walk a parsed document along the schema classes and collect every problem.

The walker is generic: it knows dataclasses, unions with None, literals,
tuples, string-keyed tables and the markers, and nothing of zones.  It never
stops at the first problem; a value that is wrong is reported and left out.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from personae.core.config.errors import Path, Problem, Where, did_you_mean, dotted
from personae.core.config.markers import Check, Names, Reader
from personae.core.config.units import kind

_PLAIN: dict[object, tuple[tuple[type, ...], str]] = {
    bool: ((bool,), "true or false"),
    int: ((int,), "an integer"),
    float: ((int, float), "a number"),
    str: ((str,), "a string"),
}


class _Bad:
    """Stands for a value that was reported and has no result."""


BAD = _Bad()


@dataclasses.dataclass
class Walk:
    """The state of one walk: where things stand, and what was found.

    Args:
        where: The place of a path, for messages.
        folder: The folder that relative host paths at a path start from.
        remarks: What to say of an unknown key, instead of guessing.
    """

    where: Callable[[Path], Where]
    folder: Callable[[Path], str]
    remarks: Mapping[str, str] = dataclasses.field(default_factory=dict)
    problems: list[Problem] = dataclasses.field(default_factory=list)

    def reported(self, path: Path) -> bool:
        """Whether this very key already has a problem."""
        return any(problem.path == dotted(path) for problem in self.problems)

    def error(self, path: Path, text: str) -> _Bad:
        """Note an error at a path and return the value that stands for it."""
        self.problems.append(Problem(self.where(path), dotted(path), text))
        return BAD

    def warning(self, path: Path, text: str) -> None:
        """Note something the user should know but that stops nothing."""
        where = self.where(path)
        self.problems.append(Problem(where, dotted(path), text, "warning"))

    def value(self, hint: Any, raw: object, path: Path) -> Any:
        """Check ``raw`` against a type hint; return its value, or BAD."""
        markers: tuple[object, ...] = ()
        if get_origin(hint) is Annotated:
            hint, *rest = get_args(hint)
            markers = tuple(rest)
        for marker in markers:
            if isinstance(marker, Reader):
                try:
                    return marker.read(raw, self.folder(path))
                except ValueError as error:
                    return self.error(path, str(error))
        found = self.typed(hint, raw, path, markers)
        if found is BAD:
            return BAD
        for marker in markers:
            if isinstance(marker, Check) and not isinstance(marker, Names):
                try:
                    marker.check(found)
                except ValueError as error:
                    return self.error(path, str(error))
        return found

    def typed(
        self, hint: Any, raw: object, path: Path, markers: tuple[object, ...]
    ) -> Any:
        """Dispatch on the bare type."""
        origin = get_origin(hint)
        if origin in (Union, types.UnionType):
            inner = [arg for arg in get_args(hint) if arg is not types.NoneType]
            return self.value(inner[0], raw, path)
        if origin is Literal:
            return self.literal(get_args(hint), raw, path)
        if origin is tuple:
            return self.array(get_args(hint)[0], raw, path)
        if origin is dict:
            return self.named(get_args(hint)[1], raw, path, markers)
        if dataclasses.is_dataclass(hint):
            return self.table(typing.cast(type, hint), raw, path)
        if hint is object:
            return raw
        accepted, meant = _PLAIN[hint]
        if not isinstance(raw, accepted) or (
            isinstance(raw, bool) and hint is not bool
        ):
            shown = f" {raw!r}" if isinstance(raw, (int, float, str)) else ""
            return self.error(path, f"expected {meant}, got {kind(raw)}{shown}")
        return raw

    def literal(self, words: tuple[object, ...], raw: object, path: Path) -> Any:
        """One of a few words."""
        if raw in words and not isinstance(raw, bool):
            return raw
        names = [str(word) for word in words]
        allowed = ", ".join(repr(word) for word in words)
        close = did_you_mean(raw, names) if isinstance(raw, str) else ""
        hint = f" ({close})" if close.startswith("did") else ""
        shown = repr(raw) if isinstance(raw, (int, float, str)) else kind(raw)
        return self.error(path, f"expected one of {allowed}, got {shown}{hint}")

    def array(self, item: Any, raw: object, path: Path) -> Any:
        """An array, or an array of tables."""
        if not isinstance(raw, list):
            wants_tables = dataclasses.is_dataclass(item)
            hint = ""
            if wants_tables and isinstance(raw, dict):
                hint = f"; write it as [[{dotted(path)}]]"
            return self.error(path, f"expected an array, got {kind(raw)}{hint}")
        found = [self.value(item, one, (*path, i)) for i, one in enumerate(raw)]
        return BAD if BAD in found else tuple(found)

    def named(
        self, item: Any, raw: object, path: Path, markers: tuple[object, ...]
    ) -> Any:
        """A table whose keys are names of the user's choice."""
        if not isinstance(raw, dict):
            return self.error(path, f"expected a table, got {kind(raw)}")
        found = {}
        for name, one in raw.items():
            for marker in markers:
                if isinstance(marker, Names):
                    try:
                        marker.check(name)
                    except ValueError as error:
                        self.error((*path, name), str(error))
            found[name] = self.value(item, one, (*path, name))
        return {name: one for name, one in found.items() if one is not BAD}

    def table(self, cls: type, raw: object, path: Path) -> Any:
        """A table with fixed keys: one dataclass."""
        if not isinstance(raw, dict):
            return self.error(path, f"expected a table, got {kind(raw)}")
        before = len(self.problems)
        hints = get_type_hints(cls, include_extras=True)
        known = {key_of(field): field for field in fields_of(cls)}
        rest = rest_keys(cls, raw)
        values: dict[str, Any] = {}
        extra: dict[str, object] = {}
        for key, one in raw.items():
            if key in known:
                name = known[key].name
                found = self.value(hints[name], one, (*path, key))
                if found is not BAD:
                    values[name] = found
            elif key in rest:
                extra[key] = self.value(dict[str, object], one, (*path, key))
            else:
                hint = self.remarks.get(key) or did_you_mean(key, [*known, *rest])
                self.error((*path, key), f"unknown key ({hint})")
        for key, field in known.items():
            if key not in raw and is_required(field):
                self.error(path, f"the key {key!r} is missing")
        if any(p.severity == "error" for p in self.problems[before:]):
            missing = [f for f in known.values() if is_required(f)]
            if any(field.name not in values for field in missing):
                return BAD
        for field in dataclasses.fields(cls):
            if field.metadata.get("from") == "name" and path:
                values[field.name] = str(path[-1])
            if field.metadata.get("from") == "rest":
                values[field.name] = extra
        return cls(**values)


def key_of(field: dataclasses.Field[Any]) -> str:
    """The TOML key of a field: kebab case unless its metadata says otherwise."""
    return str(field.metadata.get("key", field.name.replace("_", "-")))


def fields_of(cls: type) -> list[dataclasses.Field[Any]]:
    """The fields that are keys of the table, without those filled by the walker."""
    return [f for f in dataclasses.fields(cls) if "from" not in f.metadata]


def is_required(field: dataclasses.Field[Any]) -> bool:
    """Whether the key must stand in the table."""
    return (
        field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    )


def rest_keys(cls: type, raw: Mapping[str, object]) -> frozenset[str]:
    """Further keys that this table allows, such as a brand's own table."""
    for field in dataclasses.fields(cls):
        if field.metadata.get("from") == "rest":
            owner = raw.get(str(field.metadata["named-by"]))
            return frozenset([owner]) if isinstance(owner, str) else frozenset()
    return frozenset()
