"""Doors between lwps of a real kernel, without a guest: who waits for whom."""

from __future__ import annotations

from typing import Any

import pytest

from personae.core.door import (
    Call,
    Door,
    DoorAttr,
    door_bind,
    door_call,
    door_client,
    door_create,
    door_return,
    door_revoke,
    door_unref,
)
from personae.core.errno import Errno, KernelError
from personae.core.exit import freeproc, proc_exit
from personae.core.file import FREAD, File
from personae.core.fork import ForkKind, cfork, fork1
from personae.core.getproc import ForkPunish, punish_end
from personae.core.kernel import Kernel
from personae.core.ledger import ledger, ledger_diff
from personae.core.ledgercheck import ledger_check
from personae.core.lwp import Lwp
from personae.core.proc import Proc
from personae.core.signo import CldCode, Sig, sigbit
from personae.core.sync import Sleep
from tests.core.realkernel import Failer, first, kernel, run


class Scene:
    """A server and a client, each a process with one lwp."""

    def __init__(self, attr: int = 0) -> None:
        self.k: Kernel = kernel()
        self.client: Lwp = first(self.k)
        self.server: Lwp = fork1(self.client).lwps[0]
        self.door: Door = door_create(self.server, 0x1000, 7, attr)
        p = self.server.proc
        self.fd = p.fds.install(self.server, File(self.door, FREAD, p.cred), 256)
        self.placed: list[Lwp] = []

    def place(self, server: Lwp) -> str:
        self.placed.append(server)
        return "frame"

    def call(self) -> Any:
        return door_call(self.client, self.door, 3, 0, self.place)

    def wait(self) -> None:
        with pytest.raises(Sleep):
            door_return(self.server, None)

    def serve(self) -> None:
        """The server waits, the client calls, the server has the call."""
        self.wait()
        with pytest.raises(Sleep):
            self.call()
        assert door_return(self.server, None) == "frame"
        self.server.sysstate = None

    def exit(self, lwp: Lwp) -> None:
        run(self.k, lwp)
        p = lwp.proc
        proc_exit(lwp, CldCode.EXITED, 0)
        self.k.current = None
        if p.pidp is not None:
            freeproc(p)


def fails(errno: Errno) -> Any:
    return pytest.raises(KernelError, match=errno.name)


def test_a_call_there_and_back() -> None:
    s = Scene()
    s.serve()
    assert (s.placed, s.door.active) == ([s.server], 1)
    assert door_client(s.server).client is s.client
    with pytest.raises(Sleep):  # for the next call
        door_return(s.server, lambda call: ("result", call.door))
    assert s.call() == ("result", s.door)
    assert s.door.active == 0
    with fails(Errno.EINVAL):
        door_client(s.server)
    assert ledger_check(s.k) == []


def test_a_caller_waits_for_a_server() -> None:
    s = Scene()
    with pytest.raises(Sleep) as nobody:
        s.call()
    assert s.placed == []
    assert nobody.value.cvs == (s.door.pool.cv,)
    s.wait()
    with pytest.raises(Sleep):
        s.call()
    assert s.placed == [s.server]


def test_a_server_that_was_interrupted_is_not_called() -> None:
    s = Scene()
    s.wait()
    s.server.sysstate = None  # a signal has ended its call
    with pytest.raises(Sleep):
        s.call()
    assert s.placed == []


def test_arguments_that_find_no_place_leave_the_server_waiting() -> None:
    s = Scene()
    s.wait()

    def place(server: Lwp) -> None:
        raise KernelError(Errno.E2BIG, repr(server))

    with fails(Errno.E2BIG):
        door_call(s.client, s.door, 3, 0, place)
    s.client.sysstate = None
    assert s.door.active == 0
    with pytest.raises(Sleep):
        s.call()
    assert s.placed == [s.server]


def test_results_that_find_no_place_are_the_servers_to_mend() -> None:
    s = Scene()
    s.serve()

    def deliver(call: Call) -> None:
        raise KernelError(Errno.EMFILE, repr(call))

    with fails(Errno.EMFILE):
        door_return(s.server, deliver)
    assert s.door.active == 1
    with pytest.raises(Sleep):
        door_return(s.server, lambda _: 5)
    assert s.call() == 5


@pytest.mark.parametrize("attr", [0, int(DoorAttr.NO_CANCEL)])
def test_the_caller_ends(attr: int) -> None:
    s = Scene(attr)
    s.server.sigmask = sigbit(Sig.SIGCANCEL)  # so that it stays pending
    spare = fork1(s.client).lwps[0]
    s.serve()
    s.exit(s.client)
    assert s.door.active == 0
    assert s.server.sig == (0 if attr else sigbit(Sig.SIGCANCEL))
    with pytest.raises(Sleep):
        door_return(s.server, lambda _: pytest.fail("there is nobody"))
    s.client = spare
    with pytest.raises(Sleep):
        s.call()
    assert s.placed == [s.server, s.server]


@pytest.mark.parametrize("waiting", [False, True])
def test_the_server_ends(waiting: bool) -> None:
    s = Scene()
    if waiting:
        with pytest.raises(Sleep):
            s.call()
    else:
        s.serve()
    s.exit(s.server)
    with fails(Errno.EBADF if waiting else Errno.EINTR):
        s.call()
    s.client.sysstate = None
    assert s.door.revoked
    with fails(Errno.EBADF):
        s.call()
    assert ledger_check(s.k) == []


def test_revoked() -> None:
    s = Scene()
    s.serve()
    with fails(Errno.EPERM):
        door_revoke(s.client, s.door)
    door_revoke(s.server, s.door)
    with pytest.raises(Sleep):
        door_return(s.server, lambda _: 9)
    assert s.call() == 9  # what is in progress goes on
    s.client.sysstate = None
    with fails(Errno.EBADF):
        s.call()


def test_a_private_door_has_its_own_servers() -> None:
    s = Scene(int(DoorAttr.PRIVATE))
    s.wait()  # in the pool of the process
    with pytest.raises(Sleep):
        s.call()
    assert s.placed == []
    s.server.sysstate = None
    door_bind(s.server, s.door)
    s.wait()
    with pytest.raises(Sleep):
        s.call()
    assert s.placed == [s.server]
    s.server.sysstate = None
    s.server.door.call = None
    door_revoke(s.server, s.door)
    with fails(Errno.EINVAL):
        door_return(s.server, None)


def test_unreferenced_after_the_call_in_progress() -> None:
    s = Scene(int(DoorAttr.UNREF))
    s.serve()
    fds = s.server.proc.fds
    fds.close(s.server, fds.alloc(fds.getf(s.fd), 256))
    assert s.door.delay
    with pytest.raises(Sleep):
        door_return(s.server, None)
    assert (s.door.delay, bool(s.door.attr & DoorAttr.UNREF)) == (False, False)
    teller = fork1(s.server).lwps[0]
    teller.proc.doors = s.server.proc.doors  # as if it were a lwp of that process
    with pytest.raises(Sleep):
        door_unref(teller, lambda server, door: (server, door))
    assert s.server.sysstate.frame == (s.server, s.door)
    teller.proc.doors = None


@pytest.mark.parametrize("kind", [ForkKind.FORK1, ForkKind.FORKALL])
def test_a_fork_that_fails_leaves_doors_as_they_were(kind: ForkKind) -> None:
    s = Scene(int(DoorAttr.UNREF))
    s.serve()
    run(s.k, s.server)
    failer = Failer()
    s.k.observers.register(failer)
    child: Proc = cfork(s.server, kind, 0)
    steps = list(failer.seen)
    s.exit(child.lwps[0])
    assert s.door.delay  # that child had a descriptor, and has closed it
    s.door.delay = False
    run(s.k, s.server)
    before = ledger(s.k)
    for step in steps:
        failer.at = step
        with pytest.raises((KernelError, Sleep)):
            cfork(s.server, kind, 0)
        if isinstance(s.server.sysstate, ForkPunish):
            punish_end(s.server)
        assert ledger_diff(before, ledger(s.k)) == [], step
    assert (s.door.active, s.door.delay) == (1, False)


def test_a_child_serves_no_door() -> None:
    s = Scene()
    s.serve()
    child = fork1(s.server)
    assert child.doors is None
    assert child.lwps[0].door is None
    with fails(Errno.EPERM):
        door_revoke(child.lwps[0], s.door)
    with fails(Errno.EINVAL):
        door_client(child.lwps[0])
