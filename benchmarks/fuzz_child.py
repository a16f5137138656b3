"""One process of the decode fuzzer: damages files by number, decodes them under limits, tells what came out.

Started by fuzz.py with the first number and how many. Writes each number to stdout before it is tried, so
that the parent knows which one brought the process down; at the end one line of JSON. Refuses to survive a
run that takes more processor time than CPU_SECONDS: the system ends it.
"""

import json
import resource
import signal
import sys
import traceback
import warnings
from collections import Counter
from pathlib import Path

from PIL import Image

from benchmarks.mutations import mutated
from staydown.fingerprint import DecodeLimits, NotFingerprintable
from staydown.fingerprint.decode import decode_frames

SEEDS = Path(__file__).parents[1] / "tests" / "vectors" / "fuzz-seeds"

# Small pictures, so that what costs much stands out: the files have up to some kilobytes.
LIMITS = DecodeLimits(max_pixels=1_000_000, max_frame_pixels=4_000_000, max_bytes=1 << 20)
CPU_SECONDS = 5.0
ADDRESS_BYTES = 1 << 31  # as a decoding process has
PEAK_KIB = 400 * 1024  # Python and its libraries take 70 MiB, and a megapixel a few


def seed_files() -> list[tuple[str, bytes]]:
    """Name and bytes of each seed, in order."""
    return [(path.name, path.read_bytes()) for path in sorted(SEEDS.iterdir())]


def outcome_of(data: bytes, *, reduce: bool) -> str:
    """What decoding a file comes to: "read", or the slug of the refusal. Raises what nobody thought of."""
    try:
        for picture in decode_frames(data, limits=LIMITS, reduce=reduce):
            for strip in picture.strips():
                assert strip.dtype.name == "uint8"
                assert strip.shape[1] == -(-picture.width // picture.step)
                assert strip.shape[2] in (1, 3)
    except NotFingerprintable as refusal:
        return refusal.slug
    return "read"


def _peak_kib() -> int:
    """The most memory that this program held. Not getrusage's, which begins with the size of its parent."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def main() -> None:
    """Tries COUNT numbers from FIRST on."""
    first, count = int(sys.argv[1]), int(sys.argv[2])
    warnings.simplefilter("ignore")
    Image.MAX_IMAGE_PIXELS = None  # as in a decoding process: our own limit stands alone
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_BYTES, ADDRESS_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    names, seeds = zip(*seed_files(), strict=True)
    outcomes: Counter[str] = Counter()
    findings: list[dict[str, object]] = []
    told_peak = PEAK_KIB
    for number in range(first, first + count):
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        which, data = mutated(seeds, number=number)
        signal.setitimer(signal.ITIMER_VIRTUAL, CPU_SECONDS)
        try:
            outcome = outcome_of(data, reduce=bool(number & 1))
        except BaseException:
            outcome = "unnamed"
            findings.append({"number": number, "seed": names[which], "what": traceback.format_exc(limit=-3)})
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        outcomes[f"{names[which].rpartition('.')[2]} {outcome}"] += 1
        peak = _peak_kib()
        if peak > told_peak:
            findings.append({"number": number, "seed": names[which], "what": f"peak memory {peak} KiB"})
            told_peak = peak + peak // 4
    print(json.dumps({"outcomes": outcomes, "findings": findings, "peak_kib": peak}))
