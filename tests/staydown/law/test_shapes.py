"""The shape of data/law: every shipped file has it, and each slip is named with its file, row and member."""

import copy

import pytest

from staydown.law import reading, shapes
from staydown.law.errors import LegalRowsDamaged

FILES = {path.name: path for path in reading.find("facts.yaml").parent.glob("*.yaml")}


def spoiled(file_name, section, member, value):
    """A shipped file with one member of its first row changed; None takes the member out."""
    document = copy.deepcopy(dict(reading.read(FILES[file_name])))
    row = document[section][0]
    if value is None:
        del row[member]
    else:
        row[member] = value
    return document


def test_every_file_of_the_folder_has_a_shape_and_fits_it():
    assert set(FILES) == set(shapes.SHAPES)
    for name, path in FILES.items():
        shapes.check(name, reading.read(path))


@pytest.mark.parametrize(
    ("file_name", "section", "row"),
    [
        ("facts.yaml", "instruments", "tida-act"),
        ("facts.yaml", "jurisdictions", "US-FED"),
        ("facts.yaml", "platform_channels", "x"),
        ("duties.yaml", "duties", "tida-removal"),
    ],
)
@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("citation", None),
        ("citation", "  "),
        ("source_url", "law.example"),
        ("as_of", "yesterday"),
        ("as_of", "2026-13"),
        ("as_of", "2026-01-00"),
        ("confidence", "certain"),
    ],
)
def test_slip_is_named_with_file_and_row_and_member(file_name, section, row, member, value):
    with pytest.raises(LegalRowsDamaged) as caught:
        shapes.check(file_name, spoiled(file_name, section, member, value))
    for word in (file_name, section, row, member):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("file_name", "section", "member", "value"),
    [
        ("facts.yaml", "jurisdictions", "has_ncii_law", "no"),
        ("facts.yaml", "jurisdictions", "covers_synthetic", "no"),
        ("facts.yaml", "jurisdictions", "citations", [{"cite": "Code 1", "kind": ["civil"]}]),
        ("facts.yaml", "instruments", "facts", []),
        ("facts.yaml", "platform_channels", "form_asks", None),
        ("duties.yaml", "duties", "window_hours", 0),
        ("minors.yaml", "steps", "fact", None),
        ("places.yaml", "countries", "jurisdictions", []),
        ("help.yaml", "organisations", "people", ["everybody"]),
        ("help.yaml", "organisations", "needs", []),
    ],
)
def test_word_or_number_that_no_page_can_show_is_refused(file_name, section, member, value):
    with pytest.raises(LegalRowsDamaged, match=section):
        shapes.check(file_name, spoiled(file_name, section, member, value))


@pytest.mark.parametrize(
    "document", [{}, {"duties": []}, {"duties": {}}, {"duties": ["a"]}, {"duties": [1], "x": []}]
)
def test_section_that_is_missing_empty_or_unknown_is_refused(document):
    with pytest.raises(LegalRowsDamaged, match=r"duties\.yaml"):
        shapes.check("duties.yaml", document)


def test_damaged_file_is_never_answered_from(tmp_path, monkeypatch):
    # Given a file whose only row names no fact
    (tmp_path / "minors.yaml").write_text("steps:\n- {id: stop, text: Stop.}\n")
    monkeypatch.setattr(reading, "find", lambda file_name: tmp_path / file_name)

    # Then
    with pytest.raises(LegalRowsDamaged, match=r"minors\.yaml, steps, row 1 \(stop\)"):
        reading.law_file.__wrapped__("minors.yaml")
