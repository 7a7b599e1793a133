"""Every instruction of RV64GC, bit for bit the same as qemu-riscv64.

The expected output is produced live: the program that vectors/gen.py writes runs
once under qemu and once on the hardware layer.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
GCC = shutil.which("riscv64-linux-gnu-gcc")
QEMU = shutil.which("qemu-riscv64-static") or shutil.which("qemu-riscv64")


def load_guest() -> ModuleType:
    """bench/guest.py, which is no package."""
    spec = importlib.util.spec_from_file_location("guest", ROOT / "bench" / "guest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["guest"] = module
    spec.loader.exec_module(module)
    return module


def differences(index: list[list], want: bytes, got: bytes) -> list[str]:
    """One line for each block that differs: its first vector that does."""
    lines, at = [], 0
    for name, words, count in index:
        for i in range(count):
            a, b = (blob[at : at + 8 * words] for blob in (want, got))
            at += 8 * words
            if a != b:
                pair = [
                    [f"{v:#x}" for v in struct.unpack(f"<{len(blob) // 8}Q", blob)]
                    for blob in (a, b)
                ]
                lines.append(f"{name}, vector {i}: qemu {pair[0]}, hw {pair[1]}")
                at += 8 * words * (count - i - 1)
                break
    return lines


@pytest.mark.skipif(GCC is None, reason="no riscv64-linux-gnu-gcc to assemble with")
@pytest.mark.skipif(QEMU is None, reason="no qemu-riscv64 to compare with")
def test_every_instruction_is_qemus(tmp_path: Path) -> None:
    """Results and fflags of over half a million vectors are those of qemu."""
    gen = Path(__file__).parent / "vectors" / "gen.py"
    subprocess.run([sys.executable, gen, tmp_path], check=True, timeout=60)
    elf = tmp_path / "vectors.elf"
    build = [str(GCC), "-march=rv64gc", "-nostdlib", "-static", "-o", elf]
    subprocess.run([*build, tmp_path / "vectors.S"], check=True, timeout=60)
    qemu = subprocess.run([str(QEMU), elf], check=True, stdout=-1, timeout=60)
    index = json.loads((tmp_path / "vectors.json").read_text(encoding="utf-8"))

    guest = load_guest().run_elf(elf)

    vectors = sum(count for _, _, count in index)
    print(f"{vectors} vectors in {len(index)} blocks")
    assert sum(words * count for _, words, count in index) * 8 == len(qemu.stdout)
    assert differences(index, qemu.stdout, bytes(guest.out)) == []
    assert qemu.stdout == bytes(guest.out)
    assert vectors >= 200_000
