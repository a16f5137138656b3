"""What results say beside their figures."""

from pathlib import Path

import pytest

from benchmarks import packages, report


def test_result_with_a_path_of_this_machine_is_not_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a result that names where it was made
    monkeypatch.setattr(report, "RESULTS", tmp_path)

    # Then it is refused, and an ordinary one is written
    with pytest.raises(report.LocalPathPublished):
        report.publish("a", {"file": str(packages.ROOT / "x")}, [])
    report.publish("b", {"ratio": 3}, ["# Three"])
    assert (tmp_path / "b.md").read_text() == "# Three\n"


def test_environment_names_machine_compiler_and_commit() -> None:
    env = report.environment("numpy", "a-package-nobody-has")
    assert env["processor"]
    assert env["flags"].startswith("-O")
    assert env["versions"]["a-package-nobody-has"] is None
    assert any("numpy" in line for line in report.environment_lines(env))


def test_calls_are_timed_in_turn_five_times() -> None:
    # Given two calls that note when they ran
    order: list[str] = []

    # When they are timed
    times = report.timed_in_turn({"a": lambda: order.append("a"), "b": lambda: order.append("b")})

    # Then each ran once to warm up and five times in turn
    assert order == ["a", "b"] * 6
    assert [len(values) for values in times.values()] == [5, 5]
    assert report.spread([0.002, 0.001, 0.009])["median"] == 2.0
