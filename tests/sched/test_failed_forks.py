"""A fork that fails leaves class lists, data and parameters as they were."""

from __future__ import annotations

import pytest

from personae.core.brand import Brand
from personae.core.classes import load_classes
from personae.core.errno import Errno, KernelError
from personae.core.fork import ForkKind, cfork
from personae.core.getproc import PUNISHED
from personae.core.kernel import Kernel, KernelConfig
from personae.core.ledger import ledger, ledger_diff
from personae.core.ledgercheck import ledger_check
from tests.core.realkernel import Failer, NullOps, first
from tests.sched.stage import CLASSES


@pytest.mark.parametrize("kind", list(ForkKind))
@pytest.mark.parametrize("cls", CLASSES)
def test_every_step(cls: str, kind: ForkKind) -> None:
    """Each step fails once; the ledger is the same before and after."""
    k = Kernel(
        KernelConfig(memory=64 << 20),
        [Brand("native", NullOps(), {})],
        load_classes(),
    )
    k.zones[0].sched_class = cls
    lwp = first(k)
    assert lwp.cls is not None
    assert lwp.cls.name == cls
    failer = Failer()
    k.observers.register(failer)
    failer.at = "contract_process_fork"
    with pytest.raises(KernelError):
        cfork(lwp, kind)
    # What is punished with a delay comes before any class has been asked.
    steps = [s for s in failer.seen if s not in PUNISHED]
    assert any(s.startswith("cl_fork") for s in steps)
    before = ledger(k)
    for step in steps:
        failer.at = step
        with pytest.raises(KernelError) as e:
            cfork(lwp, kind)
        assert e.value.errno in tuple(Errno)
        assert ledger_diff(before, ledger(k)) == [], step
    failer.at = ""
    assert ledger_check(k) == []
