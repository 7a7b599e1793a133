"""The dispatch parameter table of the time-sharing class (ts_dptbl(5))."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TsLevel:
    """One row of the dispatch parameter table (tsdpent_t, ts_dptbl(5)).

    Attributes:
        quantum: Ticks of 10 ms.
        tqexp: Level after the quantum has expired.
        slpret: Level after a sleep.
        maxwait: Seconds it may wait before it gets ``lwait``.
        lwait: Level after a long wait.
    """

    quantum: int
    tqexp: int
    slpret: int
    maxwait: int
    lwait: int


def _ts_dptbl() -> tuple[TsLevel, ...]:
    """The default table: ten levels share a quantum, an expiry costs ten levels."""
    quanta = (20, 16, 12, 8, 4, 4)
    slpret = (50, 51, 52, 53, 55, 58)
    rows = []
    for level in range(60):
        tens = level // 10
        back = slpret[tens]
        if 35 <= level < 40:
            back = 54
        elif 45 <= level < 50:
            back = min(level + 11, 58)
        rows.append(
            TsLevel(
                quantum=quanta[tens],
                tqexp=max(0, level - 10),
                slpret=back,
                maxwait=0,
                lwait=59 if level >= 49 else back,
            )
        )
    rows[59] = TsLevel(quantum=2, tqexp=49, slpret=59, maxwait=32000, lwait=59)
    return tuple(rows)


TS_DPTBL = _ts_dptbl()
TS_DEFAULT = 29
"""Level of a lwp that enters the class (ts_cpupri of ts_enterclass)."""
