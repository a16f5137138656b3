"""Writes pdq.json beside this file: what `pdqhash` 0.2.8 computes for generated pictures.

The file keeps each picture as the parameters of tests/staydown/fingerprint/pictures.py, so that
other languages can use it. Run when a picture is added: python -m tests.vectors.make_pdq
"""

import json
from pathlib import Path

from tests.staydown.fingerprint.judge import pdqhash_codes
from tests.staydown.fingerprint.pictures import KINDS, picture

SIZES = ((5, 5), (64, 64), (127, 129), (300, 5), (512, 512), (513, 200), (640, 480), (1000, 37))


def main() -> None:
    vectors = []
    for number, (width, height) in enumerate(SIZES):
        for kind in KINDS:
            codes, qualities = pdqhash_codes(picture(kind, width, height, seed=number))
            hexes = [codes[at : at + 32].hex() for at in range(0, len(codes), 32)]
            vectors.append(
                {
                    "picture": {"kind": kind, "width": width, "height": height, "seed": number},
                    "pdq": {"codes": hexes[:8], "quality": qualities[0]},
                    "pdq512": {"codes": hexes[8:], "quality": qualities[1]},
                }
            )
    about = "PDQ of generated pictures by pdqhash 0.2.8; eight dihedral codes each, in its order"
    text = json.dumps({"about": about, "vectors": vectors}, indent=1)
    Path(__file__).with_name("pdq.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
