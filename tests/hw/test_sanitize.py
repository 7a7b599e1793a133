"""The hardware layer under ASan and UBSan.

The memory side is driven by random calls (csrc/mem_fuzz.c), the CPU side by the
vectors that test_cpu_vectors.py compares with qemu (csrc/cpu_run.c).
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEMORY_SIDE = ("machine", "frame", "sv39", "map", "tlb", "copy", "ctx", "save")
FLAGS = ["-g", "-O1", "-std=c11", "-fno-strict-aliasing", "-Wall", "-Wextra", "-Werror"]
CPU_FLAGS = ["-fwrapv", "-frounding-math", "-fno-math-errno"]
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


@pytest.fixture(scope="module")
def compiler(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A C compiler that has the sanitizers."""
    cc = shutil.which("gcc") or shutil.which("clang") or shutil.which("cc")
    if cc is None:
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("probe")
    probe = folder / "probe.c"
    probe.write_text("int main(void) { return 0; }\n", encoding="utf-8")
    command = [cc, *SANITIZE, str(probe), "-o", str(folder / "probe")]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("the C compiler has no sanitizers")
    return cc


def build(cc: str, exe: Path, driver: str, sources: list[Path], *flags: str) -> Path:
    """Compile a driver of csrc/ with sources of the hardware layer."""
    main = ROOT / "tests" / "hw" / "csrc" / driver
    include = f"-I{ROOT / 'hw' / 'include'}"
    command = [cc, *FLAGS, *flags, *SANITIZE, include, str(main)]
    subprocess.run([*command, *map(str, sources), "-lm", "-o", str(exe)], check=True)
    return exe


@pytest.fixture(scope="module")
def fuzzer(compiler: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    exe = tmp_path_factory.mktemp("sanitize") / "mem_fuzz"
    sources = [ROOT / "hw" / "src" / f"{name}.c" for name in MEMORY_SIDE]
    return build(compiler, exe, "mem_fuzz.c", sources)


@pytest.mark.parametrize("pages", [150, 3000], ids=["little memory", "enough memory"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_calls_are_clean(fuzzer: Path, seed: int, pages: int) -> None:
    done = subprocess.run(
        [str(fuzzer), str(seed), "12000", str(pages)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_every_instruction_is_clean(compiler: str, tmp_path: Path) -> None:
    """The vectors run without a complaint, and give what qemu gives."""
    gcc = shutil.which("riscv64-linux-gnu-gcc")
    qemu = shutil.which("qemu-riscv64-static")
    if gcc is None or qemu is None:
        pytest.skip("needs riscv64-linux-gnu-gcc and qemu-riscv64-static")
    gen = Path(__file__).parent / "vectors" / "gen.py"
    subprocess.run([sys.executable, gen, tmp_path], check=True, timeout=60)
    elf = tmp_path / "vectors.elf"
    assemble = [gcc, "-march=rv64gc", "-nostdlib", "-static", "-o", str(elf)]
    subprocess.run([*assemble, str(tmp_path / "vectors.S")], check=True, timeout=60)
    sources = sorted((ROOT / "hw" / "src").glob("*.c"))
    exe = build(compiler, tmp_path / "cpu_run", "cpu_run.c", sources, *CPU_FLAGS)
    want = subprocess.run([qemu, str(elf)], capture_output=True, check=True)
    got = subprocess.run([str(exe), str(elf)], capture_output=True, timeout=250)
    assert (got.returncode, got.stderr) == (0, b"")
    assert got.stdout == want.stdout
