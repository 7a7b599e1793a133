"""What a guest can make the kernel keep is bounded, in the host's memory too."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

KINDS = {
    "signals": 50_000,
    "pipes": 20_000,
    "files": 100_000,
    "names": 100_000,
    "dirs": 2_000,
    "maps": 70_000,
    "zombies": 500,
}
"""What is piled up, and how often it is tried."""
ROOM = 192 << 20
"""More than the host's process may grow by, with 64 MiB of physical memory."""

RUN = """
import json, resource, sys
from pathlib import Path
from personae.core.machine import Machine
brand, guests, kinds = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10

def machine():
    z = Machine(memory="64M").add_zone("z", brand=brand)
    for name in ("kernbomb", "true"):
        z.put(f"/{name}", (guests / f"{name}.elf").read_bytes())
    assert 3 == z.run(["/true", "3"]).returncode
    return z

out = {}
for kind, n in kinds.items():
    z = machine()
    before = peak()
    r = z.run(["/kernbomb", kind, str(n)])
    assert 3 == z.run(["/true", "3"]).returncode
    out[kind] = [r.returncode, r.stdout.decode(), peak() - before]
print(json.dumps(out))
"""


@pytest.mark.slow
@pytest.mark.parametrize("brand", ["native", "linux"])
def test_bounded(brand: str, guest_file: Callable[[str, str], Path]) -> None:
    """Each kind ends by an errno or goes on in bounded memory; the zone lives on."""
    guests = guest_file(brand, "true").parent
    done = subprocess.run(
        [sys.executable, "-c", RUN, brand, str(guests), json.dumps(KINDS)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.stderr == ""
    results = json.loads(done.stdout)
    for kind, (status, out, growth) in results.items():
        assert (kind, status) == (kind, 0)
        assert out.startswith(f"kernbomb: {kind}: ")
        assert growth < ROOM, f"{kind}: {growth >> 20} MiB"
    assert "errno 28 " in results["files"][1]
    assert "errno 28 " in results["names"][1]
    assert "errno 12 " in results["maps"][1]
