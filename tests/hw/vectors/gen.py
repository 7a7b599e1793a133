"""Write the test program: `python gen.py DIR [seed]` makes DIR/vectors.S and an index.

The index (vectors.json) has one [name, words per vector, vectors] for each block,
in the order of the output.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import compressed
import floats
import ints
import pairs
from program import Program


def main(out: Path, seed: int) -> None:
    """Generate everything."""
    rng = random.Random(seed)
    program = Program()
    ints.add_all(program, rng)
    floats.add_all(program, rng)
    compressed.add_all(program)
    pairs.add_all(program)
    (out / "vectors.S").write_text(program.source(), encoding="utf-8")
    index = [[b.name, b.words, b.vectors] for b in program.blocks]
    (out / "vectors.json").write_text(json.dumps(index), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
