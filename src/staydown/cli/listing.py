"""Which files a command was told to look at: files, folders, patterns, and lists of these.

Goes through folders one by one and holds the names of one at a time, so that a million files are no list in
memory. Follows no link from folder to folder, so that it always ends. Refuses to leave out anything without a
word: what cannot be read is listed with the reason, what is left out is counted.
"""

import fnmatch
import glob
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import BinaryIO

# Enough of a list to tell whether its names end with NUL bytes (`find -print0`) or with line feeds.
_PART_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Listed:
    """A file to look at, or a folder or list that could not be read and why."""

    path: Path
    error: str | None = None


class Listing:
    """The files meant by names and lists, in order; each folder alphabetically, its files before its folders.

    Names may be folders, which are searched through, or patterns such as "photos/**/*.jpg". A name in a list
    (one a line, or each ending with a NUL byte) is no pattern. Files and folders whose name begins with a dot
    are left out unless `hidden` is set or they are named. Iterate it once.
    """

    def __init__(self, names: Iterable[str], *, lists: Iterable[str] = (), hidden: bool = False) -> None:
        self._names = tuple(names)
        self._lists = tuple(lists)
        self._hidden = hidden
        self.hidden_left_out = 0
        """Files and folders that were passed over because their name begins with a dot."""
        self.links_left_out = 0
        """Links to folders that were not followed."""

    @property
    def can_be_read_twice(self) -> bool:
        """Whether another listing of the same would find the same: not if names come from a pipe."""
        return all(name != "-" and os.path.isfile(name) for name in self._lists)

    def again(self) -> "Listing":
        """A fresh listing of the same, for counting ahead."""
        return Listing(self._names, lists=self._lists, hidden=self._hidden)

    def __iter__(self) -> Iterator[Listed]:
        for name in self._names:
            yield from self._named(name, may_be_pattern=True)
        for name in self._lists:
            yield from self._listed_in(name)

    def _listed_in(self, name: str) -> Iterator[Listed]:
        try:
            # A list may well be a pipe: `--from <(find ...)`.
            with nullcontext(sys.stdin.buffer) if name == "-" else open(name, "rb") as file:
                for listed in _names_in(file):
                    yield from self._named(listed, may_be_pattern=False)
        except OSError as error:
            yield Listed(Path(name), f"The list cannot be read: {error.strerror}.")

    def _named(self, name: str, *, may_be_pattern: bool) -> Iterator[Listed]:
        if os.path.isdir(name):
            yield from self._below(name)
            return
        is_nothing = not os.path.lexists(name)  # a file may really be called "[1].jpg"
        if may_be_pattern and is_nothing and glob.has_magic(name):
            found = False
            for listed in self._matching("", PurePath(name).parts):
                found = True
                yield from self._below(str(listed.path)) if os.path.isdir(listed.path) else (listed,)
            if found:
                return
        yield Listed(Path(name))  # also what is not there, so that its absence is told

    def _below(self, folder: str) -> Iterator[Listed]:
        waiting = [folder]
        while waiting:
            place = waiting.pop()
            try:
                files, folders = self._sorted_out(place, hidden=self._hidden)
            except OSError as error:
                yield _unreadable(place, error)
                continue
            for name in files:
                yield Listed(Path(place, name))
            waiting += (os.path.join(place, name) for name in reversed(folders))

    def _sorted_out(self, place: str, *, hidden: bool) -> tuple[list[str], list[str]]:
        """Names of the files and folders in a folder. Raises OSError."""
        files, folders = [], []
        with os.scandir(place or ".") as entries:
            for entry in entries:
                if entry.name.startswith(".") and not hidden:
                    self.hidden_left_out += 1
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                elif entry.is_symlink() and os.path.isdir(entry.path):
                    self.links_left_out += 1
                else:
                    files.append(entry.name)
        return sorted(files), sorted(folders)

    def _matching(self, place: str, parts: tuple[str, ...]) -> Iterator[Listed]:
        """What a pattern means. Unlike glob, it never walks in circles, and tells what it could not read."""
        if not parts:
            yield Listed(Path(place))
            return
        first, rest = parts[0], parts[1:]
        if not glob.has_magic(first):
            path = os.path.join(place, first)
            if os.path.lexists(path):
                yield from self._matching(path, rest)
            return
        if first == "**":
            yield from self._matching(place, rest)
            if not rest:
                return  # the folder itself, which is then searched through
        try:
            files, folders = self._sorted_out(place, hidden=self._hidden or first.startswith("."))
        except OSError as error:
            yield _unreadable(place, error)
            return
        if first == "**":
            for name in folders:
                yield from self._matching(os.path.join(place, name), parts)
            return
        names = folders if rest else sorted(files + folders)
        for name in fnmatch.filter(names, first):
            yield from self._matching(os.path.join(place, name), rest)


def _unreadable(place: str, error: OSError) -> Listed:
    return Listed(Path(place), f"The folder cannot be read: {error.strerror}.")


def _names_in(file: BinaryIO) -> Iterator[str]:
    """The names in a list, as they come; empty lines are none."""
    rest, end = b"", b""
    while part := _some_of(file):
        rest += part
        end = end or (b"\0" if b"\0" in rest else b"\n")
        *whole, rest = rest.split(end)
        for name in whole:
            yield from _name(name, end)
    yield from _name(rest, end)


def _name(line: bytes, end: bytes) -> Iterator[str]:
    name = line.removesuffix(b"\r") if end == b"\n" else line
    if name:
        yield os.fsdecode(name)


def _some_of(file: BinaryIO) -> bytes:
    """What is there, without waiting for more: a list from a pipe is worked on while it is written."""
    read = getattr(file, "read1", file.read)
    return bytes(read(_PART_BYTES))
