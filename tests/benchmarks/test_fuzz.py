"""Some thousand damaged files of every format, always the same; and the fuzzer finds what it is given."""

from pathlib import Path

import pytest

from benchmarks import fuzz, fuzz_child
from benchmarks.mutations import mutated
from staydown.fingerprint import decode_picture
from tests.vectors.make_fuzz_seeds import seeds

NAMES, SEEDS = zip(*fuzz_child.seed_files(), strict=True)

# What a run in CI tries. The runs of the published result begin at a thousand million.
RUNS = 4000


def test_damaged_files_of_every_format_give_pictures_or_named_refusals() -> None:
    # When thousands of damaged files are decoded in processes under limits
    tally = fuzz.fuzz_decoding(0, RUNS, workers=2)

    # Then nothing is found
    assert tally.findings == []
    assert tally.runs == RUNS
    assert sum(tally.outcomes.values()) == RUNS

    # Then the damage was neither too much nor too little: files of every kind are read, and refused
    for kind in {name.rpartition(".")[2] for name in NAMES}:
        assert tally.outcomes[f"{kind} read"] > 0
        assert tally.outcomes[f"{kind} damaged-file"] > 0


def test_same_number_damages_the_same_file_in_the_same_way() -> None:
    numbers = range(0, 400_000, 1000)
    found = [mutated(SEEDS, number=number) for number in numbers]
    assert found == [mutated(SEEDS, number=number) for number in numbers]
    assert len({data for _, data in found}) > 370
    assert len({which for which, _ in found}) == len(SEEDS)


def test_seed_is_read_or_refused_for_its_colours() -> None:
    for name, data in fuzz_child.seed_files():
        expected = "unknown-format" if name == "tiff-float.tif" else "read"
        assert fuzz_child.outcome_of(data, reduce=False) == expected, name
        assert len(data) < 10_000


def test_every_format_has_seeds() -> None:
    kinds = {name.partition("-")[0] for name in NAMES}
    assert kinds == {"avif", "bmp", "gif", "heic", "jpeg", "png", "tiff", "webp"}


def _child(code: str, first: int = 0, count: int = 3) -> fuzz.Tally:
    """What the fuzzer tells of a child in which something was replaced."""
    replaced = (fuzz.CHILD[0], "-c", f"import benchmarks.fuzz_child as child\n{code}\nchild.main()")
    original, fuzz.CHILD = fuzz.CHILD, replaced
    try:
        return fuzz.fuzz_decoding(first, count, workers=1)
    finally:
        fuzz.CHILD = original


def test_exception_that_nobody_named_is_a_finding() -> None:
    tally = _child("def broken(data, *, reduce): raise KeyError('no such thing')\nchild.outcome_of = broken")
    assert tally.runs == 3
    assert [finding["number"] for finding in tally.findings] == [0, 1, 2]
    assert "no such thing" in tally.findings[0]["what"]


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("a crash", "import ctypes\ndef end(): ctypes.string_at(0)"),
        ("an endless loop", "child.CPU_SECONDS = 0.2\ndef end():\n    while True: pass"),
        ("an exit", "import os\ndef end(): os._exit(7)"),
    ],
)
def test_what_ends_a_process_is_a_finding_and_the_rest_goes_on(what: str, code: str) -> None:
    # Given a decoder that is brought down by the second of four files
    tally = _child(
        f"{code}\nfirst = [0]\ndef sometimes(data, *, reduce):\n"
        "    import sys\n    first[0] += 1\n"
        "    if first[0] == 2 and sys.argv[1] == '10': end()\n    return 'read'\n"
        "child.outcome_of = sometimes",
        first=10,
        count=4,
    )

    # Then that one is told, and the others are tried
    assert tally.runs == 4
    assert [finding["number"] for finding in tally.findings] == [11]
    assert "the process ended with" in tally.findings[0]["what"]


def test_memory_beyond_the_bound_is_a_finding() -> None:
    tally = _child(
        "child.PEAK_KIB = 150_000\ndef large(data, *, reduce):\n"
        "    return 'read' if len(bytearray(b'x' * 200_000_000)) else ''\nchild.outcome_of = large"
    )
    assert [finding["number"] for finding in tally.findings] == [0]
    assert "peak memory" in tally.findings[0]["what"]


def test_published_page_tells_runs_findings_and_what_was_found_before(tmp_path: Path) -> None:
    # Given what some runs came to
    tallies = {name: fuzz.Tally(runs=10) for name in fuzz.TARGETS}
    tallies["decode"] = fuzz.Tally(runs=20, peak_kib=51_200)
    tallies["decode"].outcomes.update({"png read": 12, "gif damaged-file": 8})
    tallies["decode"].findings.append({"number": 7, "what": "the process ended with -11"})
    environment = {
        "date": "a day", "commit": "c", "changed_since_commit": False, "processor": "p", "cores": 2,
        "system": "s", "load_before": 0, "compiler": "clang", "flags": "-O2", "python": "3",
        "versions": {"pillow": "13"},
    }  # fmt: skip

    # Then the page says so
    page = "\n".join(fuzz._lines(environment, 1, 1_000_000_000, tallies))
    assert "| all | 50 | 1 |" in page
    assert "ended with -11" in page
    assert "| png | 0 | 12 |" in page
    for known in fuzz.FOUND_SO_FAR:
        assert known in page
        test = known.rpartition("(")[2].rstrip(")")
        assert (Path(__file__).parents[2] / test).is_file()


def test_seeds_are_of_generated_pictures_only() -> None:
    # Given the names of all seeds, Then each is one that is made, or of the few that pillow-heif wrote once
    made = {name for name, _ in seeds()}
    assert {name for name in NAMES if not name.startswith("heic-")} == made


def test_reading_a_seed_twice_gives_the_same_pixels() -> None:
    for name, data in fuzz_child.seed_files():
        if name != "tiff-float.tif":
            assert (decode_picture(data).pixels() == decode_picture(data).pixels()).all()
