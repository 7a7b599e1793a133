"""Objects with many fields, made at the cost of one copy.

A process has a hundred fields and a fork makes one, with its lwp and user area.  Such
a class says in its body what each field starts with; ``__init__`` copies all of that
as one dict and makes what must not be shared.

    class Thing:
        count: int = 0
        members: list[int]

        def __init__(self) -> None:
            self.__dict__ = _THING.copy()
            self.members = []

    _THING = fields_of(Thing)
"""

from __future__ import annotations

from typing import Any


def fields_of(cls: type) -> dict[str, Any]:
    """What the fields of an object start with; None for those ``__init__`` makes.

    They are in from the start, so that the dict of an object never has to grow.  The
    class gives its own up: a field that is there, too, is looked up the slow way.
    """
    fields = {name: vars(cls).get(name) for name in cls.__annotations__}
    for name in fields:
        if name in vars(cls):
            delattr(cls, name)
    return fields
