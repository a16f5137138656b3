"""Files in every form that a caller may have them give the same fingerprints; videos give digests."""

import hashlib
import io
from pathlib import Path

import pytest

from staydown.fingerprint import (
    DERIVATION_SETS,
    DERIVATIONS,
    Algorithm,
    DecodeLimits,
    EmptyFile,
    FileTooLarge,
    MediaFingerprints,
    UnknownFormat,
    digest_file,
    fingerprint_file,
    fingerprint_image,
)
from tests.staydown.fingerprint.files import MP4_HEAD, encoded, jpeg
from tests.staydown.fingerprint.judge import pdqhash_codes
from tests.staydown.fingerprint.pictures import picture


def test_path_name_bytes_and_open_file_give_the_same(tmp_path: Path) -> None:
    # Given one picture in four forms
    data = jpeg()
    path = tmp_path / "alice.jpg"
    path.write_bytes(data)

    # Then all give the same
    from_bytes = fingerprint_image(data)
    assert fingerprint_image(path) == from_bytes
    assert fingerprint_image(str(path)) == from_bytes
    assert fingerprint_image(io.BytesIO(data)) == from_bytes
    assert fingerprint_file(path) == from_bytes


def test_picture_gives_the_whole_as_pdqhash_does_and_digests() -> None:
    # Given a lossless picture, so that its pixels are known
    pixels = picture("landscape", 800, 600)
    data = encoded(pixels, "PNG")

    # When it is fingerprinted
    media = fingerprint_image(data, derive="turns8")

    # Then its codes are pdqhash's and its digests hashlib's
    codes, qualities = pdqhash_codes(pixels)
    assert b"".join(fingerprint.code for fingerprint in media.fingerprints) == codes[: 9 * 32]
    assert [f.derivation for f in media.fingerprints] == [*DERIVATIONS, "full"]
    assert [f.algorithm for f in media.fingerprints] == [Algorithm.PDQ] * 8 + [Algorithm.PDQ512]
    assert {f.quality for f in media.fingerprints[:8]} == {qualities[0]}
    assert media.fingerprints[8].quality == qualities[1]
    assert (media.media, media.width, media.height) == ("image", 800, 600)
    assert media.digests.sha256 == hashlib.sha256(data).hexdigest()
    assert media.digests.md5 == hashlib.md5(data).hexdigest()


def test_large_picture_is_fed_in_strips_and_equals_pdqhash() -> None:
    # Given a picture of more than one strip, whose last strip is ragged
    pixels = picture("landscape", 1501, 1403)

    # Then the strips leave no trace in the codes
    media = fingerprint_image(encoded(pixels, "BMP"), derive="turns8")
    assert b"".join(each.code for each in media.fingerprints) == pdqhash_codes(pixels)[0][: 9 * 32]


def test_default_is_the_crop_only_set_and_other_sets_can_be_asked_for() -> None:
    # Given a picture without symmetries
    data = encoded(picture("landscape", 1030, 770), "PNG")

    # Then the default has 32 codes and the sampled one, and the larger set twice as many
    assert [len(fingerprint_image(data, derive=each).fingerprints) for each in DERIVATION_SETS] == [
        2,
        9,
        33,
        65,
    ]
    assert fingerprint_image(data) == fingerprint_image(data, derive="crops32")


def test_unknown_set_is_refused() -> None:
    with pytest.raises(KeyError, match="padded"):
        fingerprint_image(encoded(picture("noise", 9, 9), "PNG"), derive="padded")


def test_video_gives_digests_only_and_may_be_longer_than_a_picture(tmp_path: Path) -> None:
    # Given a video beyond the byte limit of pictures
    path = tmp_path / "video.bin"
    path.write_bytes(MP4_HEAD + bytes(5000))

    # When it is fingerprinted
    media = fingerprint_file(path, limits=DecodeLimits(max_bytes=100))

    # Then its digests are there, and nothing that would need decoding
    digests = digest_file(path)
    assert media == MediaFingerprints("video", digests, None, None, ())
    assert digests.md5 == hashlib.md5(path.read_bytes()).hexdigest()


def test_video_where_a_picture_is_asked_for_is_refused() -> None:
    with pytest.raises(UnknownFormat, match="This is a video"):
        fingerprint_image(MP4_HEAD)


def test_picture_beyond_the_byte_limit_is_refused_without_reading_it_all() -> None:
    # Given a source that counts what is read of it
    class Endless(io.RawIOBase):
        given = 0

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            self.given += size
            return bytes(size)

    source = Endless()

    # Then it is refused after the limit and one byte
    with pytest.raises(FileTooLarge):
        fingerprint_image(source, limits=DecodeLimits(max_bytes=1000))  # type: ignore[arg-type]
    assert source.given == 1001


def test_empty_file_is_refused_but_has_digests(tmp_path: Path) -> None:
    path = tmp_path / "empty.jpg"
    path.touch()
    with pytest.raises(EmptyFile):
        fingerprint_file(path)
    assert digest_file(path).md5 == hashlib.md5(b"").hexdigest()


def test_absent_file_is_the_callers_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        fingerprint_image(tmp_path / "absent.jpg")


def test_caller_may_choose_where_a_picture_is_decoded() -> None:
    # Given a stand-in for a sandbox
    given: list[bytes] = []
    result = fingerprint_image(jpeg())

    def elsewhere(data: bytes) -> MediaFingerprints:
        given.append(data)
        return result

    # Then the picture's bytes go there
    assert fingerprint_file(jpeg(), fingerprint_bytes=elsewhere) is result
    assert given == [jpeg()]
