"""Finding and reading data/law, in a checkout and inside an installed package."""

import pytest

from staydown.law import reading
from staydown.law.errors import LegalRowsDamaged, LegalRowsMissing


def test_file_in_the_checkout_is_found_before_the_one_in_the_package(tmp_path):
    # Given
    checkout, package = tmp_path / "checkout", tmp_path / "package"
    for place in (checkout, package):
        place.mkdir()
        (place / "facts.yaml").write_text("meta: {}\n")

    # Then
    assert reading.find("facts.yaml", places=(checkout, package)) == checkout / "facts.yaml"


def test_file_inside_the_package_is_found_when_there_is_no_checkout(tmp_path):
    # Given
    package = tmp_path / "package"
    package.mkdir()
    (package / "facts.yaml").write_text("meta: {}\n")

    # Then
    assert reading.find("facts.yaml", places=(tmp_path / "none", package)) == package / "facts.yaml"


def test_missing_file_is_an_error_that_names_it_and_no_path(tmp_path):
    with pytest.raises(LegalRowsMissing, match=r"data/law/facts\.yaml") as caught:
        reading.find("facts.yaml", places=(tmp_path,))
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("content", [b"a: [", b"- a list\n", b"", b"\xff\xfe"])
def test_file_that_is_no_mapping_is_refused(tmp_path, content):
    # Given
    path = tmp_path / "facts.yaml"
    path.write_bytes(content)

    # Then
    with pytest.raises(LegalRowsDamaged, match=r"facts\.yaml"):
        reading.read(path)


def test_file_is_read_once_a_process():
    assert reading.law_file("facts.yaml") is reading.law_file("facts.yaml")
