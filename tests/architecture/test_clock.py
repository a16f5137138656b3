"""Convention 14: `now` enters at the door. Stages, journeys and pure packages never ask what time it is.

Monotonic clocks may be used anywhere: they measure how long something takes and say nothing about when.
"""

import ast

import pytest

from tests.architecture.survey import SRC, STAGES, imports, modules, place, write_tree

BELOW_THE_DOORS = {*STAGES, "journeys", "fingerprint", "law", "matching", "problem", "errors"}
# These ask the clock below the doors, each for a reason that is no rule about people's requests.
ALLOWED: dict[str, str] = {}

CLASSES = {"datetime", "date", "timezone"}
ASKING = {"now", "utcnow", "today", "localtime", "localdate"}
TIME_FUNCTIONS = {"time", "time_ns", "localtime", "gmtime", "ctime"}
FIELD_OPTIONS = {"auto_now", "auto_now_add"}
IMPORTED = {
    "django.utils.timezone.now",
    "django.utils.timezone.localtime",
    "django.utils.timezone.localdate",
    "django.db.models.functions.Now",
    *(f"time.{name}" for name in TIME_FUNCTIONS),
}


def clock_names(module):
    """Local names of clock classes and of the module time, also when imported under another name."""
    classes, times = set(CLASSES), set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                local = alias.asname or alias.name
                if alias.name in CLASSES:
                    classes.add(local)
                if isinstance(node, ast.Import) and alias.name == "time":
                    times.add(local)
    return classes, times


def asks_the_clock(src, *, allowed=ALLOWED):
    """Every place below the doors that reads the wall clock, called or handed on as a function."""
    found = []
    for module in modules(src):
        if module.package not in BELOW_THE_DOORS or module.name in allowed or ".migrations" in module.name:
            continue
        classes, times = clock_names(module)
        found += [f"{place(module, line)}: {name}" for name, line in imports(module) if name in IMPORTED]
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute):
                holder = node.value
                last = holder.attr if isinstance(holder, ast.Attribute) else getattr(holder, "id", None)
                if node.attr in ASKING and (last in classes or isinstance(holder, ast.Call)):
                    found.append(f"{place(module, node.lineno)}: {last}.{node.attr}")
                if node.attr in TIME_FUNCTIONS and last in times:
                    found.append(f"{place(module, node.lineno)}: time.{node.attr}")
            if isinstance(node, ast.keyword) and node.arg in FIELD_OPTIONS:
                found.append(f"{place(module, node.value.lineno)}: {node.arg}")
    return sorted(set(found))


def test_nothing_below_the_doors_asks_the_clock():
    found = asks_the_clock(SRC)
    assert found == [], "take `now` as an argument, or list the module with its reason in ALLOWED"


def test_every_allowed_module_exists_and_needs_it():
    without = asks_the_clock(SRC, allowed={})
    for name in ALLOWED:
        path = name.replace(".", "/")
        assert any(path in line for line in without), f"{name} no longer asks the clock; take it off the list"


@pytest.mark.parametrize(
    "text",
    [
        "from datetime import datetime\nx = datetime.now()\n",
        "import datetime as dt\nx = dt.datetime.now(dt.UTC)\n",
        "from datetime import datetime as clock\nx = clock.utcnow()\n",
        "from datetime import date\nx = date.today()\n",
        "from django.utils import timezone\nx = timezone.now()\n",
        "from django.utils import timezone as tz\nfield = dict(default=tz.now)\n",
        "from django.utils.timezone import now\n",
        "from django.db.models.functions import Now\n",
        "import time\nx = time.time()\n",
        "from time import time_ns\n",
        "field = dict(auto_now_add=True)\n",
        "field = f(auto_now=True)\n",
    ],
)
def test_module_that_asks_the_clock_is_noticed(text, tmp_path):
    # Given
    text = text.replace("dict(auto_now_add", "f(auto_now_add")

    # Then
    assert asks_the_clock(write_tree(tmp_path, {"bank/operations.py": text})) != []


@pytest.mark.parametrize(
    "text",
    [
        "import time\nx = time.monotonic()\n",
        "from datetime import datetime\ndef f(*, now: datetime):\n    return now.isoformat()\n",
        "from datetime import datetime\nx = datetime.fromisoformat('2026-01-01')\n",
    ],
)
def test_module_that_is_told_the_time_passes(text, tmp_path):
    assert asks_the_clock(write_tree(tmp_path, {"bank/operations.py": text})) == []


def test_door_may_ask_the_clock(tmp_path):
    text = "from datetime import UTC, datetime\nx = datetime.now(UTC)\n"
    assert asks_the_clock(write_tree(tmp_path, {"desk/pages.py": text})) == []
