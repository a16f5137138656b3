"""Works on many files at once, hands the results out in order, shows a bar on the terminal. Keeps no result.

Ctrl-C ends it at once with what is done printed, and a reader that goes away (`| head`) ends it quietly.
"""

import errno
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, NoReturn, Self

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from staydown.cli.listing import Listed, Listing
from staydown.cli.output import Line, Output

Tell = Callable[[float], None]
"""Told how much of one file is done, 0..1; for files that take long."""
LineOf = Callable[[Path, Tell], Line]

# Files that wait for their turn beside those in work: enough to keep the processes busy, and few enough
# that a long list does not pile up results while one slow file holds the order back.
WAITING_PER_WORKER = 8

# As a shell tells it: 128 and the number of the signal.
INTERRUPTED = 128 + signal.SIGINT
READER_GONE = 128 + signal.SIGPIPE


def print_lines(
    line_of: LineOf,
    listing: Listing,
    *,
    workers: int,
    title: str,
    output: str = "-",
    seen: Callable[[Line], None] = lambda line: None,
) -> None:
    """Prints one JSON object a line for each listed file, in order; `line_of` runs in threads.

    seen: told each line once it is out, in this thread. output: a file that appears whole at the end, or "-".
    Raises click.ClickException if the output cannot be written, and what `line_of` raises. Exits with
    INTERRUPTED or READER_GONE when it is stopped.
    """
    with ExitStack() as stack:
        out = stack.enter_context(Output(output))
        bar = stack.enter_context(Bar(listing, title=title))
        interrupts = stack.enter_context(Interrupts())
        work = Work(line_of, listing, workers=workers, bar=bar)

        def put(line: Line) -> None:
            out.write(line)
            seen(line)
            bar.step()

        try:
            while work.is_more():
                line = work.next_line()
                with interrupts.wait():
                    work.forget_first()
                    put(line)
            out.finish()
        except KeyboardInterrupt:
            for line in work.lines_done():
                put(line)
            bar.end()
            out.keep_part()
            _leave(INTERRUPTED, "Stopped. What was done is printed; the rest was not looked at.")
        except OSError as error:
            if error.errno == errno.EPIPE:
                _leave(READER_GONE)
            raise click.ClickException(f"The output cannot be written: {error.strerror}.") from error
        except Exception:  # nothing can be read at all, or nobody answers: what was done is not lost
            with interrupts.wait():
                for line in work.lines_done():
                    put(line)
                out.keep_part()
            raise
        finally:
            work.give_up()


def _leave(status: int, message: str = "") -> NoReturn:
    """Leaves without waiting for files in work; their processes end when they find nobody to answer."""
    if message:
        click.echo(message, err=True)
    sys.stderr.flush()
    os._exit(status)


class Work:
    """Files in work and results that wait for their turn, in the order of the files."""

    def __init__(self, line_of: LineOf, files: Listing, *, workers: int, bar: "Bar") -> None:
        self._line_of = line_of
        self._bar = bar
        self._files = iter(files)
        self._threads = ThreadPoolExecutor(workers)
        self._most = WAITING_PER_WORKER * workers + 1
        self._waiting: deque[Future[Line]] = deque()
        self._is_listed = False

    def is_more(self) -> bool:
        """Whether there is another line; takes more files in."""
        while not self._is_listed and len(self._waiting) < self._most:
            listed = next(self._files, None)
            if listed is None:
                self._is_listed = True
            else:
                self._waiting.append(self._threads.submit(self._line, listed))
        return bool(self._waiting)

    def next_line(self) -> Line:
        """The first line; waits for it. It stays first until `forget_first`."""
        return self._waiting[0].result()

    def forget_first(self) -> None:
        """The first line is out."""
        self._waiting.popleft()

    def lines_done(self) -> Iterator[Line]:
        """The lines that are there already, in order, with gaps."""
        for future in self._waiting:
            if future.done() and not future.cancelled() and future.exception() is None:
                yield future.result()

    def give_up(self) -> None:
        """Begins no further file."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _line(self, listed: Listed) -> Line:
        if listed.error is not None:
            return {"path": str(listed.path), "error": listed.error}
        with self._bar.file(listed.path) as tell:
            return self._line_of(listed.path, tell)


class Interrupts:
    """Turns Ctrl-C and SIGTERM into KeyboardInterrupt, but never in the middle of a line."""

    def __init__(self) -> None:
        self._is_waiting = False
        self._came = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def wait(self) -> Iterator[None]:
        """What is in this block is done whole; then an interrupt that came meanwhile is raised."""
        self._is_waiting = True
        try:
            yield
        finally:
            self._is_waiting = False
        if self._came:
            raise KeyboardInterrupt

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._came:  # the second time: the output may be a pipe that nobody reads
            os._exit(INTERRUPTED)
        self._came = True
        if not self._is_waiting:
            raise KeyboardInterrupt


class Bar:
    """How far the work is, on a terminal; nothing elsewhere. The files are counted beside the work."""

    def __init__(self, listing: Listing, *, title: str) -> None:
        self._listing = listing
        self._title = title
        self._progress: Progress | None = None
        self._task = TaskID(0)
        self._done = 0
        self._total: int | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            columns = (
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TextColumn("{task.fields[told]}"),
                TimeRemainingColumn(),
            )
            self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
            self._task = self._progress.add_task(self._title, total=None, told="")
            self._progress.start()
            if self._listing.can_be_read_twice:
                threading.Thread(target=self._count, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def step(self) -> None:
        """One file more is done."""
        self._done += 1
        self._tell()

    def end(self) -> None:
        """Takes the bar away."""
        if self._progress is not None:
            self._progress.stop()

    @contextmanager
    def file(self, path: Path) -> Iterator[Tell]:
        """What to tell about one file. It gets a bar of its own as soon as something is told; any thread."""
        tasks: list[TaskID] = []

        def tell(fraction: float) -> None:
            if self._progress is None:
                return
            if not tasks:
                tasks.append(self._progress.add_task(path.name[-40:], total=1.0, told=""))
            self._progress.update(tasks[0], completed=fraction, told=f"{fraction:.0%}")

        try:
            yield tell
        finally:
            if self._progress is not None and tasks:
                self._progress.remove_task(tasks[0])

    def _count(self) -> None:
        self._total = sum(1 for _ in self._listing.again())
        self._tell()

    def _tell(self) -> None:
        if self._progress is not None:
            told = f"{self._done}/{self._total}" if self._total else f"{self._done}"
            self._progress.update(self._task, completed=self._done, total=self._total, told=told)
