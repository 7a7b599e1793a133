"""Schedule seeds: other interleavings, each of them repeatable.

A program with a race shows its several outcomes, one without has the same results
under any seed and number of CPUs.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from personae.core.kernel import KernelConfig
from personae.core.ledgercheck import ledger_check
from personae.core.shuffle import SHORTEST, Shuffle

Build = Callable[[str, Path], Path]
Boot = Callable[..., Any]

SEEDS = range(50)
CPUS = (1, 2, 4)
CASES = Path(__file__).parents[1] / "brands"
GLIBC_RACE = """
#include <pthread.h>
#include <stdio.h>
static volatile long count;
static void *work(void *arg) {
    for (int i = 0; i < 300; i++) {
        long v = count;
        for (volatile int n = 0; n < 20; n++);
        count = v + 1;
    }
    return arg;
}
int main(void) {
    pthread_t t[2];
    for (int i = 0; i < 2; i++) pthread_create(&t[i], 0, work, 0);
    for (int i = 0; i < 2; i++) pthread_join(t[i], 0);
    printf("%ld\\n", count);
    return 0;
}
"""


@pytest.fixture(scope="module")
def race(tmp_path_factory: pytest.TempPathFactory, build_case: Build) -> Path:
    """Two threads that count without a lock, and print what they came to."""
    source = tmp_path_factory.mktemp("race") / "race.c"
    source.write_text(GLIBC_RACE, encoding="utf-8")
    return build_case("linux", source)


def outcome(boot: Boot, race: Path, seed: int) -> tuple[bytes, str]:
    z = boot("linux", {"race": race}, schedule_seed=seed)
    r = z.run(["/race"], timeout="60s")
    assert r.returncode == 0
    return r.stdout, z.machine.digest()


def test_a_race_is_met(boot: Boot, race: Path) -> None:
    """The plain order hides it; among twenty seeds it shows."""
    assert outcome(boot, race, 0)[0] == b"600\n"
    assert len({outcome(boot, race, seed)[0] for seed in range(1, 21)}) >= 2


def test_a_seed_is_one_schedule(boot: Boot, race: Path) -> None:
    digests = [outcome(boot, race, seed) for seed in (0, 1, 2, 0, 1, 2)]
    assert digests[:3] == digests[3:]
    assert len(set(digests)) == 3


@pytest.mark.parametrize("cpus", CPUS)
def test_vfork_and_fork_under_seeds(boot: Boot, guest_file: Any, cpus: int) -> None:
    """Fifty schedules, the same output, and books that agree."""
    for seed in SEEDS:
        files = {n: guest_file("native", n) for n in ("forktest", "vforktest", "true")}
        z = boot("native", files, cpus=cpus, schedule_seed=seed)
        r = z.run(["/forktest", "5"], timeout="60s")
        assert (seed, r.returncode, r.stdout) == (seed, 0, b"forktest: 5 cycles ok\n")
        assert z.run(["/vforktest"], timeout="60s").returncode == 0, seed
        assert ledger_check(z.machine.kernel) == [], seed


@pytest.mark.parametrize("cpus", CPUS)
@pytest.mark.parametrize(
    ("case", "seeds"),
    [
        ("native/cases/05-vfork-shares-and-suspends", 20),
        ("native/cases/60-forksys", 20),
        ("native/cases/65-lwps", 2),
        ("native/cases/68-vfork-holds-siblings", 3),
        ("linux/cases/01-zombie-sigcont", 50),
        ("linux/cases/30-exec-from-thread", 20),
        ("linux/cases/36-main-thread-exits", 20),
    ],
)
def test_cases_under_seeds(
    boot: Boot, build_case: Build, case: str, seeds: int, cpus: int
) -> None:
    """A case that says what is wrong has nothing to say under any schedule."""
    brand = case.partition("/")[0]
    elf = build_case(brand, CASES / f"{case}.c")
    for seed in range(1, seeds + 1):
        z = boot(brand, {"case": elf}, cpus=cpus, schedule_seed=seed)
        r = z.run(["/case"], timeout="200s")
        assert (seed, r.returncode, r.stdout) == (seed, 0, b"")


def test_generator() -> None:
    """Splitmix64 as published: the first three numbers of seed 0."""
    s = Shuffle(0)
    full = [s.below(2**64) for _ in range(3)]
    assert full == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


def test_slices_vary() -> None:
    s = Shuffle(1)
    lengths = [s.slice(1_000_000) for _ in range(2000)]
    assert SHORTEST <= min(lengths) < 2000
    assert 900_000 < max(lengths) <= 1_000_000
    assert s.slice(10) == 10


def test_state_pickles() -> None:
    s = Shuffle(9)
    s.below(5)
    again = pickle.loads(pickle.dumps(s))
    assert [s.below(99) for _ in range(9)] == [again.below(99) for _ in range(9)]


def test_absent_is_plain() -> None:
    assert KernelConfig().schedule_seed == 0
