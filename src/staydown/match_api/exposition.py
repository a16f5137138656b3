"""The numbers of all processes as Prometheus reads them. Refuses to know more than tally and bank do."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from staydown.match_api.meter import (
    BUCKETS,
    CHECKS,
    INDEX,
    POOL_EVENTS,
    POOL_STATES,
    POOLS,
    REASONS,
    SLUGS,
    SentBy,
    Wish,
)
from staydown.match_api.tally import Numbers

# The text format that every scraper reads; prometheus-client's own constant names a newer one.
CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"


class Whole:
    """What all processes counted together, and the state of those that are alive."""

    def __init__(self, processes: list[Numbers]) -> None:
        self.alive = [process for process in processes if process.alive]
        self._values = [process.values for process in processes]

    def count(self, name: str) -> float:
        """The sum over every process that ever was: it never falls."""
        return sum(values[INDEX[name]] for values in self._values)

    def now(self, name: str) -> float:
        """The sum over the living."""
        return sum(self.each(name))

    def most(self, name: str) -> float:
        """The largest of the living."""
        return max(self.each(name), default=0.0)

    def each(self, name: str) -> array[float]:
        """One value for each living process."""
        return array("d", [process.values[INDEX[name]] for process in self.alive])


def exposition(whole: Whole, bank: Mapping[str, float], *, isolation: str) -> bytes:
    """The text of `/metrics`. `bank`: entries, codes and so on, by the end of their names."""
    registry = CollectorRegistry()
    registry.register(_Families([*_counted(whole), *_state(whole, bank, isolation), *_processes(whole)]))
    return generate_latest(registry)


class _Families(Collector):
    """What was collected already."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _counted(whole: Whole) -> Iterator[Metric]:
    checks = CounterMetricFamily(
        "staydown_checks", "Checks that were answered.", labels=["door", "by", "action"]
    )
    for door, by, action in CHECKS:
        if (times := whole.count(f"checks {door} {by} {action}")) or door != "batch":
            checks.add_metric([door, by, action], times)
    yield checks

    seconds = HistogramMetricFamily(
        "staydown_check_seconds",
        "From a call's headers to its answer; batches are not in it.",
        labels=["by"],
    )
    for by in SentBy:
        below, buckets = 0.0, []
        for place, bound in enumerate((*map(str, BUCKETS), "+Inf")):
            below += whole.count(f"took {by} {place}")
            buckets.append((bound, below))
        seconds.add_metric([by], buckets, sum_value=whole.count(f"seconds {by}"))
    yield seconds

    degraded = CounterMetricFamily(
        "staydown_degraded_answers",
        "Checks that could not be made and were answered by the caller's wish.",
        labels=["reason", "wish"],
    )
    for reason in REASONS:
        for wish in Wish:
            degraded.add_metric([reason, wish], whole.count(f"degraded {reason} {wish}"))
    yield degraded

    refusals = CounterMetricFamily("staydown_refusals", "Calls answered with a problem.", labels=["slug"])
    for slug in SLUGS:
        if times := whole.count(f"refused {slug}"):
            refusals.add_metric([slug], times)
    yield refusals

    events = CounterMetricFamily(
        "staydown_decoding_events",
        "Decoding processes started, out of time or crashed, and media refused by a full queue.",
        labels=["pool", "event"],
    )
    for pool in POOLS:
        for event in POOL_EVENTS:
            events.add_metric([pool, event], whole.count(f"pool {pool} {event}"))
    yield events


def _state(whole: Whole, bank: Mapping[str, float], isolation: str) -> Iterator[Metric]:
    decoding = GaugeMetricFamily(
        "staydown_decoding", "Media that is read, and media that waits for it.", labels=["pool", "state"]
    )
    for pool in POOLS:
        for state in POOL_STATES:
            decoding.add_metric([pool, state], whole.now(f"pool {pool} {state}"))
    yield decoding
    isolated = GaugeMetricFamily(
        "staydown_decoding_isolated", "1 if decoding processes have no network.", labels=["isolation"]
    )
    isolated.add_metric([isolation], float(isolation != "none"))
    yield isolated
    for name, value in bank.items():
        yield GaugeMetricFamily(f"staydown_bank_{name}", f"Of the bank: {name.replace('_', ' ')}.", value)
    yield GaugeMetricFamily(
        "staydown_bank_lag_seconds",
        "For how long the process furthest behind has lacked something that is published.",
        whole.most("lag_seconds"),
    )
    yield GaugeMetricFamily("staydown_processes", "Upload-check processes alive.", len(whole.alive))


def _processes(whole: Whole) -> Iterator[Metric]:
    """Memory, processor time and open files of each living process, by its place."""
    together: dict[str, Metric] = {}
    for process in whole.alive:
        of_process = _process_id(process)
        for family in ProcessCollector(namespace="staydown", pid=of_process, registry=None).collect():
            known = together.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            for sample in family.samples:
                known.add_sample(sample.name, {**sample.labels, "process": str(process.place)}, sample.value)
    yield from together.values()


def _process_id(process: Numbers) -> Callable[[], int]:
    process_id = int(process.values[INDEX["process_id"]])
    return lambda: process_id
