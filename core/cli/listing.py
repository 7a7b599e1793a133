"""The tables of zoneadm(8) list, for files and for machines."""

from __future__ import annotations

from collections.abc import Sequence

LIST_FORMAT = "{:>4} {:<16} {:<10} {:<30} {:<8} {:<6}"
"""The columns of zoneadm(8) list -v."""
FIELDS = ("id", "name", "state", "path", "brand", "ip")


def print_rows(rows: Sequence[Sequence[str]], form: str) -> None:
    """Print the rows: ``v`` as a table, ``p`` as fields, else names alone."""
    if form == "v":
        head = ("ID", "NAME", "STATUS", "PATH", "BRAND", "IP")
        print(LIST_FORMAT.format(*head).rstrip())
    for row in rows:
        ident, name, state, path, brand, ip = row
        if form == "v":
            print(LIST_FORMAT.format(*row).rstrip())
        elif form == "p":
            escaped = path.replace(":", "\\:")
            print(f"{ident}:{name}:{state}:{escaped}::{brand}:{ip}")
        else:
            print(name)
