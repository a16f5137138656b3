"""The cosine table of the kernel, recomputed from its definition."""

import math
import re
from pathlib import Path

import numpy as np

TABLE = Path(__file__).parents[2] / "native" / "dct_table.h"


def test_every_cosine_is_the_float32_of_its_definition() -> None:
    # Given the hexadecimal literals of the header
    written = [float.fromhex(text) for text in re.findall(r"(0x1\.[0-9a-f]+p-\d+)f", TABLE.read_text())]

    # When sqrt(2 / 64) * cos(pi * m / 128) is computed as published: a float32 factor, a double cosine
    factor = float(np.float32(math.sqrt(2 / 64)))
    computed = [float(np.float32(factor * math.cos(math.pi * m / 128))) for m in range(64)]

    # Then they agree to the last bit
    assert written == computed
