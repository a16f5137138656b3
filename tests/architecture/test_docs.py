"""Documents: links lead somewhere, nothing names a folder of one machine, decisions keep their form."""

import re
import subprocess
from functools import cache

import pytest

from tests.architecture.survey import ROOT

DOCS = ROOT / "docs"
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+\s+(.*)$", re.MULTILINE)
# Folders of somebody's machine. Written in pieces so that this file does not hold what it looks for.
LOCAL_PATHS = re.compile(
    r"(?<![\w./~-])(?:/"
    + "home"
    + r"/[a-z]|/"
    + "Users"
    + r"/\w|/"
    + "root"
    + r"/|/"
    + "work"
    + r"/\w|[A-Z]:\\Users)"
)
ADR_SECTIONS = ["Context", "Decision", "Consequences"]
CHANGELOG_SECTIONS = ["Security", "Removed", "Deprecated", "Added", "Changed", "Fixed"]


@cache
def our_files():
    """Every text file of the project: tracked, or new and not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split("\n")
    found = []
    for name in listed:
        path = ROOT / name
        # web/dist joins our sources with vendored ones, whose inner file systems have folders of their own.
        if name and path.is_file() and not {"vendor", "dist"} & set(path.parts):
            data = path.read_bytes()
            if b"\0" not in data[:8000]:
                found.append(path)
    return found


def local_paths(text):
    """Lines that name a folder of one machine."""
    lines = text.split("\n")
    return [
        number for number, line in enumerate(lines, start=1) if LOCAL_PATHS.search(line) or str(ROOT) in line
    ]


def slug(heading):
    """The anchor that GitHub makes of a heading."""
    kept = re.sub(r"[^\w\- ]", "", heading.replace("`", "").strip().lower())
    return kept.replace(" ", "-")


def dead_links(path, text):
    """Relative links of a document that lead nowhere."""
    found = []
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        to = (path.parent / name).resolve() if name else path
        if not to.exists():
            found.append(target)
        elif anchor and to.suffix == ".md":
            headings = {slug(heading) for heading in HEADING.findall(to.read_text(encoding="utf-8"))}
            if anchor not in headings:
                found.append(target)
    return found


def documents():
    return sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])


def test_no_file_names_a_folder_of_one_machine():
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in our_files()
        for line in local_paths(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    assert dead_links(path, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", sorted(DOCS.glob("adr/*.md")), ids=lambda path: path.stem)
def test_decision_has_context_decision_and_consequences(path):
    # Given
    text = path.read_text(encoding="utf-8")

    # Then
    assert re.match(r"\d{4}-[a-z0-9-]+$", path.stem)
    assert re.findall(r"^## (\w+)", text, re.MULTILINE) == ADR_SECTIONS


def test_decisions_are_numbered_without_gaps():
    numbers = [int(path.name[:4]) for path in sorted(DOCS.glob("adr/*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


def test_changelog_keeps_its_sections_in_order():
    # Given
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    # Then
    for release in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        sections = re.findall(r"^### (\w+)", release, re.MULTILINE)
        assert sections == sorted(sections, key=CHANGELOG_SECTIONS.index)


@pytest.mark.parametrize(
    "line",
    ["see /" + "home/alice/x", "in /" + "work/notes.md", "C:" + "\\Users\\alice", "(/" + "root/.cache)"],
)
def test_local_path_is_noticed(line):
    assert local_paths(line) == [1]


@pytest.mark.parametrize(
    "line",
    ["https://example.org/home/alice", "docs/work/x", "`/healthz`", "STAYDOWN_DATA_DIR=/var/lib/staydown"],
)
def test_other_path_passes(line):
    assert local_paths(line) == []


def test_dead_link_is_noticed(tmp_path):
    # Given
    path = tmp_path / "a.md"
    (tmp_path / "b.md").write_text("# The one heading\n")
    text = "[a](gone.md) [b](b.md) [c](b.md#the-one-heading) [d](b.md#another) [e](https://example.org/x)"

    # Then
    assert dead_links(path, text) == ["gone.md", "b.md#another"]
