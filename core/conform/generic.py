"""The suites that every brand gets: fork, exec and exit by the books.

Each function takes a ``Stage``.  What a brand has no call for is skipped, with the
reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from personae.core.conform.guests import Status
from personae.core.conform.stage import Exits
from personae.core.ledger import ledger, ledger_diff

if TYPE_CHECKING:
    from personae.core.conform.stage import Stage
    from personae.core.zonerun import ZoneHandle

REPEAT = 25
"""How often a cycle is repeated where something could grow."""
ORDERS = 3
"""Orders of what runs in which processes are killed."""
TOLD: dict[int, str] = {
    Status.FORK_FAILED: "fork failed",
    Status.CHILD_REGS: "the child saw registers changed",
    Status.PARENT_REGS: "the parent saw registers changed",
    Status.NO_PID: "the parent got 0 for the child's pid",
    Status.WAIT_FAILED: "wait failed",
    Status.EXEC_FAILED: "exec failed",
}


def lacks(stage: Stage, *roles: str) -> bool:
    """Skip what follows if the brand has not got these calls."""
    missing = [r for r in roles if r not in stage.guests.calls]
    if missing:
        stage.skip(
            f"{', '.join(roles)} work together",
            f"the brand names no call for: {', '.join(missing)}",
            "Calls",
        )
    return bool(missing)


def told(statuses: list[int]) -> str:
    """What exit statuses of the kit's guests mean."""
    words = []
    for s in statuses:
        if s < 0:
            words.append(f"killed by signal {-s}")
        else:
            words.append(TOLD.get(s, f"exit {s}"))
    return ", then ".join(words) or "nobody ended"


def expect(
    stage: Stage,
    zone: ZoneHandle,
    elf: bytes,
    want: list[int],
    what: str,
    cite: str,
) -> bool:
    """Run a program; all ends of processes have to be these, in any order."""
    exits = Exits()
    zone.machine.plugins.register(exits)
    try:
        stage.run(zone, elf)
        stage.settle(zone)
    finally:
        zone.machine.plugins.unregister(exits)
    got = exits.take()
    return stage.check(sorted(got) == sorted(want), what, cite, told(got))


def registers(stage: Stage) -> None:
    """What fork returns on both sides, and what it leaves alone."""
    if lacks(stage, "fork", "exit", "wait"):
        return
    z = stage.zone()
    for role in ("fork", "vfork"):
        if role not in stage.guests.calls:
            stage.skip(f"{role} returns twice", "the brand has none", "FORK-01")
            continue
        expect(
            stage,
            z,
            stage.guests.forker(role),
            [Status.CHILD, Status.GOOD],
            f"{role} returns twice: to the child as the child, to the parent its pid, "
            "and no other register has changed",
            "FORK-01, FORK-02, FORK-03",
        )


def books(stage: Stage) -> None:
    """Fork, exec, exit and wait leave the books as they were."""
    if lacks(stage, "fork", "exit", "wait"):
        return
    z = stage.zone()
    k = z.machine.kernel
    programs: dict[str, tuple[bytes, list[int]]] = {
        "fork": (stage.guests.forker(), [Status.CHILD, Status.GOOD]),
        "an orphan": (stage.guests.orphan(), [Status.GOOD, Status.CHILD]),
    }
    if "vfork" in stage.guests.calls:
        vfork = stage.guests.forker("vfork")
        programs["vfork"] = (vfork, [Status.CHILD, Status.GOOD])
    if "exec" in stage.guests.calls:
        execer = stage.guests.execer()
        programs["exec"] = (execer, [Status.CHILD, Status.GOOD])
    for what, (elf, want) in programs.items():
        if not expect(stage, z, elf, want, f"{what} ends well", "FORK-39"):
            continue
        before = ledger(k)
        good = True
        for _ in range(REPEAT):
            stage.run(z, elf)
            stage.settle(z)
            good = good and not k.zone_procs(z.zone)
        left = ledger_diff(before, ledger(k))
        text = f"after {REPEAT} times {what} the ledger is as before"
        stage.check(not left, text, "FORK-39, FORK-40", "\n".join(left))
        stage.check(good, f"after {what} nobody is left", "FORK-91")


def killed(stage: Stage) -> None:
    """Processes that are ended from outside, at each step of their life.

    In several orders of what runs, so that parents are met running, waiting and
    already gone.
    """
    if lacks(stage, "fork", "exit", "wait"):
        return
    guests = stage.guests
    programs = [(guests.forker(), 20), (guests.orphan(150), 20)]
    programs.append((guests.orphan(150, waits=True), 20))
    if "exec" in stage.guests.calls:
        programs.append((guests.execer(), 20))
    left: list[str] = []
    met: set[tuple[str, ...]] = set()
    for order in range(ORDERS):
        z = stage.zone(machine=stage.machine(schedule_seed=order, quantum=100))
        for elf, pace in programs:
            left = left or _kill_at_each_step(stage, z, elf, pace, met)
    both = any(len(states) > 1 for states in met)
    stage.check(both, "both sides of a fork are among the killed", "FORK-39")
    if stage.cpus > 1:  # on one, a child of TS has ended before its parent waits
        asleep = any("TS_SLEEP" in states for states in met)
        stage.check(asleep, "and parents that wait", "FORK-39", repr(sorted(met)))
    stage.check(
        not left,
        "a process that is killed in the middle of fork, exec or wait leaves nothing",
        "FORK-39, FORK-91",
        "\n".join(left),
    )


def _kill_at_each_step(
    stage: Stage, z: ZoneHandle, elf: bytes, pace: int, met: set[tuple[str, ...]]
) -> list[str]:
    """Kill one program after 0, 1, 2 ... steps; what the first that is wrong left.

    A step is ``pace`` cycles, or up to a trap.
    """
    k = z.machine.kernel
    stage.run(z, elf, "victim")
    stage.settle(z)
    before = ledger(k)
    at, alive = 0, True
    while alive:
        z.start(["/conform/victim"])
        for _ in range(at):
            z.machine.step(k.now + pace)
        victims = k.zone_procs(z.zone)
        met.add(tuple(sorted(t.state.name for p in victims for t in p.lwps)))
        alive = bool(victims)
        stage.end_all(z)
        stage.settle(z)
        if left := ledger_diff(before, ledger(k)):
            return [f"killed after {at} steps:", *left]
        at += 1
    return []
