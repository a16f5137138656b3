"""The sorted file of digests: every digest in it is found, and no other."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staydown.client.edge_digests import EdgeDigests, digests_as_bytes

digests = st.binary(min_size=32, max_size=32)


@given(rows=st.dictionaries(digests, st.booleans(), max_size=40), strange=digests)
def test_every_digest_is_found_with_its_state_and_no_other(
    tmp_path_factory: pytest.TempPathFactory, rows: dict[bytes, bool], strange: bytes
) -> None:
    # Given
    path = tmp_path_factory.mktemp("edge") / "digests"
    path.write_bytes(digests_as_bytes(rows.items()))

    # When
    held = EdgeDigests(path)

    # Then
    assert len(held) == len(rows)
    assert {digest: held.is_confirmed(digest) for digest in rows} == rows
    assert held.is_confirmed(strange) == rows.get(strange)
    assert held[0:2] == sorted(rows)[0:2]


def test_digest_of_two_entries_is_confirmed_if_one_of_them_is(tmp_path: Path) -> None:
    path = tmp_path / "digests"
    path.write_bytes(digests_as_bytes([(bytes(32), False), (bytes(32), True), (bytes(32), False)]))

    assert EdgeDigests(path).is_confirmed(bytes(32)) is True


def test_file_of_another_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "digests"
    path.write_bytes(bytes(34))

    with pytest.raises(ValueError, match="not a list of digests"):
        EdgeDigests(path)
