"""Where the lines of a command go: standard output, or a file that is there only when it is whole.

Refuses to leave half a file under the name that was asked for, and to let others than its owner read it.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import click

Line = dict[str, Any]


class Output:
    """Where the lines go: standard output, or a file that is there only when it is whole."""

    def __init__(self, name: str) -> None:
        self._path = None if name == "-" else Path(name)
        self._draft = self._path.with_name(f".{self._path.name}.{os.getpid()}.part") if self._path else None
        self._file: IO[str] | None = None
        self._is_kept = False

    def __enter__(self) -> Self:
        if self._draft is not None:
            try:
                # Readable by its owner only: it may hold codes.
                descriptor = os.open(self._draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            except OSError as error:
                raise click.ClickException(
                    f"The output {self._path} cannot be written: {error.strerror}."
                ) from error
            self._file = os.fdopen(descriptor, "w")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None and self._draft is not None:
            self._file.close()
            self._draft.unlink(missing_ok=True)

    def write(self, line: Line) -> None:
        """Writes one line. Raises OSError."""
        click.echo(json.dumps(line, separators=(",", ":")), file=self._file)

    def finish(self) -> None:
        """Lets the file appear. Raises OSError."""
        if self._file is not None and self._draft is not None and self._path is not None:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._draft.replace(self._path)

    def keep_part(self) -> None:
        """Leaves what there is under another name, and says which. Raises OSError."""
        if self._file is not None and self._draft is not None and self._path is not None:
            self._file.flush()
            part = self._path.with_name(f"{self._path.name}.part")
            self._draft.replace(part)
            click.echo(f"{self._path} was not written; what was done is in {part}.", err=True)


@contextmanager
def whole_file(path: Path) -> Iterator[IO[str]]:
    """A file for its owner only, which appears when the block ends well. Raises OSError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
