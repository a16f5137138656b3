"""The line format that all journals share."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from staydown.journal.lines import decode_line, encode_line

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner), max_leaves=5
)
_records = st.dictionaries(st.text(), _values)


@given(_records)
def test_what_is_encoded_is_one_line_and_reads_the_same(record: dict[str, object]) -> None:
    line = encode_line(record)

    assert line.count(b"\n") == 1
    assert decode_line(line) == record


@given(_records, st.data())
def test_changed_byte_is_never_read_as_a_record(record: dict[str, object], data: st.DataObject) -> None:
    line = bytearray(encode_line(record))
    position = data.draw(st.integers(0, len(line) - 2))
    line[position] ^= data.draw(st.integers(1, 255))

    assert decode_line(bytes(line)) is None


def test_line_that_is_not_an_object_is_not_a_record() -> None:
    assert decode_line(encode_line([1, 2])) is None  # type: ignore[arg-type]
    assert decode_line(b"") is None
