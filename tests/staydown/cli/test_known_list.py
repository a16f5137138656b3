"""Lists of fingerprints as partners give them: understood whole, or refused with the line that is wrong."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from staydown.cli.known_list import KnownList, ListRefused, read_list
from staydown.fingerprint import Fingerprint, QueryView

HEX = "0f" * 32
OTHER = "3c" * 32
SHA, MD5 = "5" * 64, "d" * 32


def read(folder: Path, text: str | bytes, *, max_distance_bits: int = 31) -> KnownList:
    path = folder / "list"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_list(path, max_distance_bits=max_distance_bits)


def near(known: KnownList, digits: str) -> list[str]:
    """The entries that this code is near to."""
    view = QueryView("full", Fingerprint.from_hex(digits, quality=100))
    return [match.entry_id for match in known.bank.find([view])]


def exact(known: KnownList, *, sha256: str | None = None, md5: str | None = None) -> list[str]:
    return [match.entry_id for match in known.bank.find([], sha256=sha256, md5=md5)]


def refusal(folder: Path, text: str | bytes) -> str:
    with pytest.raises(ListRefused) as refused:
        read(folder, text)
    return str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        HEX,
        f"{HEX}\n",
        f"\ufeff{HEX}\n",
        f"{HEX}\r\n",
        f"  {HEX.upper()}  ",
        f"{HEX},100",
        f"{HEX};80",
        f"{HEX}\t50",
        f"{HEX} 50",
        f"pdq:{HEX}",
        f"PDQ:{HEX},77",
        f"pdq\n{HEX}",
        f"hash,quality\n{HEX},80",
        f'"PDQ hash";"Quality"\n"{HEX}";"80"',
        f"note,pdq_hash\nfrom a partner,{HEX}",
        json.dumps({"pdq": HEX}),
        json.dumps({"pdq": {"hex": HEX, "quality": 80}, "pdq512": None, "seen": 3}),
        json.dumps({"hash": HEX, "quality": 80}),
        json.dumps({"codes": [["pdq", "full", 80, HEX]]}),
    ],
)
def test_code_is_understood_however_it_is_written(tmp_path: Path, text: str) -> None:
    known = read(tmp_path, text)

    assert len(near(known, HEX)) == 1
    assert near(known, OTHER) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (MD5, "md5"),
        (f"md5:{MD5.upper()}", "md5"),
        (f"MD5\n{MD5}", "md5"),
        (json.dumps({"md5": MD5}), "md5"),
        (f"sha256:{SHA}", "sha256"),
        (f"SHA-256\n{SHA}", "sha256"),
        (f"id,sha256,md5\nx,{SHA},{MD5}", "sha256"),
        (json.dumps({"sha256": SHA, "pdq": None}), "sha256"),
    ],
)
def test_digest_finds_the_same_file_and_is_no_code(tmp_path: Path, text: str, kind: str) -> None:
    known = read(tmp_path, text)

    assert len(exact(known, **{kind: {"md5": MD5, "sha256": SHA}[kind]})) == 1
    assert known.bank.codes == 0


def test_entries_are_named_by_their_lines_or_as_the_list_names_them(tmp_path: Path) -> None:
    # Given a list with comments, and one with names, of which one comes twice
    assert near(read(tmp_path, f"# ours\n\n{OTHER}\n{HEX}\n"), HEX) == ["line-4"]
    rows = [{"id": "case 7", "pdq": HEX}, {"id": "case 7", "pdq": OTHER}, {"id": 8, "md5": MD5}]
    known = read(tmp_path, "\n".join(map(json.dumps, rows)))

    # Then nothing that the second says is lost
    assert near(known, HEX) == ["case 7"]
    assert near(known, OTHER) == ["case 7#line-2"]
    assert exact(known, md5=MD5) == ["8"]


def test_output_of_the_fingerprint_command_is_a_list_as_it_is(tmp_path: Path) -> None:
    # Given a line with derived codes, and one of a file that could not be read
    code = {"hex": HEX, "quality": 90}
    line = {
        "path": "a.jpg",
        "media": "image",
        "sha256": SHA,
        "md5": MD5,
        "pdq": code,
        "pdq512": code,
        "derived": 1,
        "codes": [["pdq", "full", 90, HEX], ["pdq", "cc88", 60, OTHER], ["pdq", "tb-13", 40, OTHER]],
    }
    bad = {"path": "b.jpg", "error": "The file is empty."}

    # When
    known = read(tmp_path, f"{json.dumps(bad)}\n{json.dumps(line)}\n")

    # Then
    assert (near(known, HEX), near(known, OTHER), exact(known, sha256=SHA)) == (["a.jpg"],) * 3
    assert known.codes_left_out == 1


def test_distance_and_standing_are_those_of_a_list(tmp_path: Path) -> None:
    far = f"{int(HEX, 16) ^ ((1 << 12) - 1):064x}"

    assert near(read(tmp_path, HEX, max_distance_bits=12), far) == ["line-1"]
    assert near(read(tmp_path, HEX, max_distance_bits=11), far) == []
    [match] = read(tmp_path, f"md5:{MD5}").bank.find([], md5=MD5)
    assert (match.state, match.rule) == ("unconfirmed", "unconfirmed-exact")


def test_code_of_too_little_detail_is_counted_and_not_sought(tmp_path: Path) -> None:
    known = read(tmp_path, f"{HEX},49\n{OTHER},50\n")

    assert (known.codes_left_out, near(known, HEX), near(known, OTHER)) == (1, [], ["line-2"])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (HEX[1:], "this has 63"),
        (HEX + "0", "this has 65"),
        ("a" * 40, "this has 40"),
        ("hello", "neither a code nor a digest"),
        (f"{HEX},101", "0 to 100"),
        (f"{HEX},good", "neither a code nor a digest"),
        (f"sha256:{MD5}", "64 hex digits"),
        (f"md5:{SHA}", "32 hex digits"),
        ("{", "no whole JSON object"),
        ("{}", "neither a code nor a digest"),
        ('{"pdq": 7}', "64 hex digits"),
        ('{"pdq": {"hex": "zz"}}', "this has 2"),
        (json.dumps({"pdq": "z" * 64}), "hex digits"),
        (json.dumps({"pdq": HEX, "quality": "80"}), "number"),
        (json.dumps({"pdq": HEX, "quality": True}), "number"),
        ('{"md5": ["x"]}', "32 hex digits"),
        ('{"codes": 7}', "list"),
        ('{"codes": [["pdq", "full", 80]]}', "list"),
        (json.dumps({"codes": [["pdq", "padk8", 80, HEX]]}), "derivation"),
        (json.dumps({"codes": [["pdq", 7, 80, HEX]]}), "derivation"),
        ('{"a":' * 100_000, "no whole JSON object"),
    ],
    ids=lambda value: value[:24],
)
def test_bad_line_is_named_with_what_is_wrong_and_without_what_it_says(
    tmp_path: Path, line: str, says: str
) -> None:
    told = refusal(tmp_path, f"{OTHER}\n\n{line}\n{OTHER}\n")

    assert told.startswith("line 3: ")
    assert says in told
    assert len(told) < 120
    for secret in (HEX[:20], SHA[:20], MD5[:20], "hello"):
        assert secret not in told


def test_row_under_a_header_is_named_by_its_line_too(tmp_path: Path) -> None:
    assert refusal(tmp_path, f"pdq,quality\n{HEX},80\n{HEX},high\n").startswith("line 3: a quality")
    assert refusal(tmp_path, "pdq,quality\n,80\n").startswith("line 2: there is neither")


def test_of_many_bad_lines_five_are_named(tmp_path: Path) -> None:
    told = refusal(tmp_path, "\n".join(["x"] * 12)).splitlines()

    assert [line.split(":")[0] for line in told] == [*(f"line {n}" for n in range(1, 6)), "... and 7 more."]


@pytest.mark.parametrize(
    "text", ["", "\n\n", "# nothing yet\n", "pdq,quality\n", '{"path": "a", "error": "b"}']
)
def test_list_without_an_entry_is_refused(tmp_path: Path, text: str) -> None:
    assert refusal(tmp_path, text) == "There is no code and no digest in it."


def test_text_in_another_encoding_is_refused(tmp_path: Path) -> None:
    assert "UTF-8" in refusal(tmp_path, f"{HEX}\n".encode() + b"caf\xe9\n")


def test_list_of_nameless_sha256_digests_is_suspected(tmp_path: Path) -> None:
    # Given 64 hex digits a line: digests, and codes of which each has as many ones as zeros
    digests = [hashlib.sha256(bytes([n])).hexdigest() for n in range(40)]
    codes = [hashlib.sha256(bytes([n])).hexdigest()[:32] for n in range(40)]
    balanced = [code + f"{~int(code, 16) % (1 << 128):032x}" for code in codes]

    # Then
    assert read(tmp_path, "\n".join(digests)).looks_like_digests
    assert not read(tmp_path, "\n".join(balanced)).looks_like_digests
    assert not read(tmp_path, "\n".join(f"sha256:{digest}" for digest in digests)).looks_like_digests
