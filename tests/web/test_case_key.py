"""The words of a case on the device: derived as the server derives them, and drawn from the same list."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from staydown.access import rules

ROOT = Path(__file__).resolve().parents[2]
PHRASES = [
    "apple river stone cloud table green window",
    "  APPLE-river,  stone\tcloud table\ngreen window ",
    "ability",
    "ﬁrst Ünïcödé words",
    "",
]
ASK = """
import { makePhrase, normalisePhrase, openKey } from './web/case-key.js';
const phrases = JSON.parse(process.argv[1]);
const made = Array.from({ length: 2000 }, makePhrase);
const keys = await Promise.all(phrases.map(openKey));
console.log(JSON.stringify({ normal: phrases.map(normalisePhrase), keys, made }));
"""


@pytest.fixture(scope="module")
def answer() -> dict[str, list[str]]:
    command = ["node", "--input-type=module", "-e", ASK, json.dumps(PHRASES)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_words_are_compared_as_the_server_compares_them(answer: dict[str, list[str]]) -> None:
    assert answer["normal"] == [rules.normalise_key_phrase(phrase) for phrase in PHRASES]


def test_open_key_is_the_servers(answer: dict[str, list[str]]) -> None:
    assert answer["keys"] == [rules.open_key_of(phrase) for phrase in PHRASES]
    assert all(rules.is_open_key(key) for key in answer["keys"])


def test_phrases_have_seven_words_of_the_list_and_favour_none(answer: dict[str, list[str]]) -> None:
    # Given the words that ship with Staydown
    lines = (ROOT / "data" / "words" / "en.txt").read_text().splitlines()
    words = {line for line in lines if line and not line.startswith("#")}

    # Then
    drawn = Counter(word for phrase in answer["made"] for word in phrase.split(" "))
    assert {len(phrase.split(" ")) for phrase in answer["made"]} == {rules.KEY_PHRASE_WORDS}
    assert set(drawn) <= words
    assert len(set(answer["made"])) == len(answer["made"])
    # 14,000 draws of some 1,667 words: 8.4 each; a word that came 40 times would be no accident.
    assert len(drawn) > 0.99 * len(words)
    assert max(drawn.values()) < 40
