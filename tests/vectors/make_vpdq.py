"""Writes vpdq/: a small painted film, and what `vpdq` 0.2.5 and `threatexchange` 1.2.17 make of it.

Both must be installed beside PyAV (vpdq builds against FFmpeg's headers). The film is kept, because another
x264 would code it otherwise. Run when a form is added: python -m tests.vectors.make_vpdq
"""

import contextlib
import io
import json
import sys
from pathlib import Path

import numpy as np

from tests.staydown.fingerprint.films import Pixels, film, scene

FOLDER = Path(__file__).with_name("vpdq")
WIDTH, HEIGHT, RATE = 192, 108, 12


def frames() -> list[Pixels]:
    """Four seconds of a camera that moves over a painted scene, two of another, and one of grey."""
    wide = scene(41, 400, 160)
    moved = [np.ascontiguousarray(wide[n : n + HEIGHT, 4 * n : 4 * n + WIDTH]) for n in range(4 * RATE)]
    return (
        moved + [scene(42, WIDTH, HEIGHT)] * (2 * RATE) + [np.full((HEIGHT, WIDTH, 3), 90, np.uint8)] * RATE
    )


def main() -> None:
    import vpdq
    from threatexchange.extensions.vpdq import vpdq_util

    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / "film.mp4"
    if not path.exists():
        path.write_bytes(film(frames(), rate=RATE, crf="24", preset="slow"))
    features = vpdq.computeHash(str(path))
    rows = [
        {"hex": one.hex, "quality": one.quality, "frame": one.frame_number, "seconds": one.timestamp}
        for one in features
    ]
    (FOLDER / "features.json").write_text(json.dumps(rows, indent=1) + "\n")
    (FOLDER / "signal.json").write_text(vpdq_util.vpdq_to_json(vpdq_util.hash_file_compact(str(path))) + "\n")
    printed = io.StringIO()
    sys.argv = ["vpdq", str(path)]
    with contextlib.redirect_stdout(printed):
        vpdq._cli()
    (FOLDER / "command.txt").write_text(printed.getvalue())
    # The form of vpdqio.cpp's outputVPDQFeatureToFile, which Python cannot reach.
    lines = [f"{row['frame']},{row['quality']},{row['hex']},{row['seconds']:.3f}\n" for row in rows]
    (FOLDER / "lines.txt").write_text("".join(lines))
    older = {
        str(row["frame"]): {
            "quality": row["quality"],
            "hash": row["hex"],
            "timestamp": round(row["seconds"], 3),
        }
        for row in rows
    }
    (FOLDER / "older.json").write_text(json.dumps(older) + "\n")


if __name__ == "__main__":
    main()
