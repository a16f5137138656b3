"""The page on leakage quotes the benchmark's own figures, none typed by hand and forgotten."""

import json
import re

from tests.architecture.survey import ROOT

PAGE = ROOT / "docs" / "explanation" / "what-a-fingerprint-can-leak.md"
RESULT = ROOT / "benchmarks" / "results" / "robustness.json"


def test_leakage_table_is_that_of_the_last_result() -> None:
    # Given the benchmark's result
    measured = json.loads(RESULT.read_text())["leakage"]["sets"]

    # When the page's table is read
    table = (
        PAGE.read_text().partition("<!-- leakage table: begin -->")[2].partition("<!-- leakage table: end")[0]
    )
    rows = re.findall(r"^\| ([^|]+?) \| (\d\.\d{2}) \|$", table, re.MULTILINE)

    # Then it has every row of the result, rounded to two digits
    assert {name: float(value) for name, value in rows} == {
        name: round(row["correlation"], 2) for name, row in measured.items()
    }
