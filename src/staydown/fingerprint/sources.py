"""Opens a file that is named by its path. Refuses what is no ordinary file, before it can keep us waiting.

Opening a named pipe waits for somebody to write into it, and a device may have no end. Who wants to read a
stream passes it as an open file.
"""

import os
import stat
from typing import BinaryIO

from staydown.fingerprint.errors import NotAFile


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """The file at this path, open for reading; links are followed. The caller closes it.

    Raises NotAFile for folders, pipes, devices and sockets; OSError if it cannot be opened.
    """
    _check(os.stat(path))  # some devices do something when they are opened
    # Not to wait for a pipe that took the file's place in between.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        _check(os.fstat(descriptor))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _check(facts: os.stat_result) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise NotAFile
