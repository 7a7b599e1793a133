"""The memory side under ASan and UBSan, driven by random calls (csrc/mem_fuzz.c)."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEMORY_SIDE = ("machine", "frame", "sv39", "map", "tlb", "copy", "ctx", "save")
FLAGS = ["-g", "-O1", "-std=c11", "-fno-strict-aliasing", "-Wall", "-Wextra", "-Werror"]
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


@pytest.fixture(scope="module")
def fuzzer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cc = shutil.which("gcc") or shutil.which("clang") or shutil.which("cc")
    if cc is None:
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("sanitize")
    probe = folder / "probe.c"
    probe.write_text("int main(void) { return 0; }\n", encoding="utf-8")
    exe = folder / "mem_fuzz"
    if subprocess.run(
        [cc, *SANITIZE, str(probe), "-o", str(exe)], capture_output=True, check=False
    ).returncode:
        pytest.skip("the C compiler has no sanitizers")
    sources = [str(ROOT / "hw" / "src" / f"{name}.c") for name in MEMORY_SIDE]
    fuzz = str(ROOT / "tests" / "hw" / "csrc" / "mem_fuzz.c")
    include = f"-I{ROOT / 'hw' / 'include'}"
    subprocess.run(
        [cc, *FLAGS, *SANITIZE, include, fuzz, *sources, "-o", str(exe)], check=True
    )
    return exe


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
