"""The door of a session: prefixes, input on demand, the end of output."""

from __future__ import annotations

import os
from typing import Any, cast

import pytest

from personae.core.cli.console import Console
from personae.core.cli.session import Program, ReaderGone, Session


class Stream:
    """One end of a guest's stream, as the door sees it."""

    def __init__(self) -> None:
        self.out = b""
        self.fed = b""
        self.eof = False
        self.wants_input = False

    def take_output(self) -> bytes:
        out, self.out = self.out, b""
        return out

    def feed(self, data: bytes) -> None:
        self.fed += data
        self.wants_input = False

    def feed_eof(self) -> None:
        self.eof = True
        self.wants_input = False


class FakeJob:
    """A program that does what the test says."""

    def __init__(self) -> None:
        self.stdin, self.stdout, self.stderr = Stream(), Stream(), Stream()
        self.tty = None
        self.done = False


class Pipes:
    """A console between pipes, and the far ends of these."""

    def __init__(self) -> None:
        self.source, self.feed = os.pipe()
        self.sink, self.out = os.pipe()
        self.console = Console(self.source, self.out, self.out)

    def output(self) -> bytes:
        return os.read(self.sink, 1000)


@pytest.fixture
def pipes() -> Pipes:
    return Pipes()


def session(pipes: Pipes, *prefixes: str) -> tuple[Session, list[Any]]:
    """A session of fake programs."""
    made = Session(cast(Any, None), console=pipes.console)
    jobs = [FakeJob() for _ in prefixes]
    for job, prefix in zip(jobs, prefixes, strict=True):
        zone, fake = cast(Any, None), cast(Any, job)
        program = Program(zone, fake, prefix.encode(), {1: True, 2: True})
        made.programs.append(program)
    return made, jobs


def test_output_passes(pipes: Pipes) -> None:
    door, (job,) = session(pipes, "")
    job.stdout.out, job.stderr.out = b"out", b"err"
    assert door.pump(False, None) is False
    assert pipes.output() == b"outerr"


def test_prefix(pipes: Pipes) -> None:
    """Each line of each zone is marked once, in whatever pieces it comes."""
    door, (web, lab) = session(pipes, "web | ", "lab | ")
    web.stdout.out = b"a\nb"
    door.pump(False, None)
    web.stdout.out, lab.stdout.out = b"c\n", b"x\n"
    door.pump(False, None)
    assert pipes.output() == b"web | a\nweb | bc\nlab | x\n"


def test_input_on_demand(pipes: Pipes) -> None:
    """Input is read when the guest waits for it and not before; then its end."""
    door, (job,) = session(pipes, "")
    os.write(pipes.feed, b"data")
    assert door.pump(True, None) is False
    assert job.stdin.fed == b""
    job.stdin.wants_input = True
    assert door.pump(False, None) is True
    assert job.stdin.fed == b"data"
    os.close(pipes.feed)
    job.stdin.wants_input = True
    assert door.pump(False, None) is True
    assert job.stdin.eof
    assert door.pump(True, None) is False


def test_reader_gone(pipes: Pipes) -> None:
    door, (job,) = session(pipes, "")
    os.close(pipes.sink)
    job.stdout.out = b"x"
    with pytest.raises(ReaderGone):
        door.pump(False, None)
