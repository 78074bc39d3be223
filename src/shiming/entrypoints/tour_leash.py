"""What makes sure that nothing of a tour is left: no folder, no process, however the tour ends.

The tour starts this module as a process of its own and tells it the processes that belong to it. When the
tour ends - in order, by a fault, or killed - the pipe between them closes, and this process ends what still
runs and removes the folder.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

PREFIX = "shiming-tour-"
REMOVE_S_MAX = 10.0


@dataclass(frozen=True, slots=True)
class Leash:
    """A folder that will be removed and the processes that will be ended."""

    folder: Path
    _pipe: IO[str]

    def hold(self, process: subprocess.Popen[bytes]) -> None:
        """Hold a process that leads a session of its own, so that all of it can be ended."""
        self._pipe.write(f"{process.pid}\n")
        self._pipe.flush()


@contextlib.contextmanager
def on_a_leash() -> Iterator[Leash]:
    """Make a folder for its owner alone; it is gone when the block, or this process, has ended."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))  # 0700
    try:
        with _keeper(folder) as pipe:
            yield Leash(folder, pipe)
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # should the keeper have been killed


@contextlib.contextmanager
def _keeper(folder: Path) -> Iterator[IO[str]]:
    """Run the process that waits for our end; yield the pipe to it."""
    command = [sys.executable, "-m", __name__, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True) as keeper:  # noqa: S603 - ourselves
        if keeper.stdin is None:  # pragma: no cover - it was asked for
            raise TypeError
        try:
            yield keeper.stdin
        finally:
            with contextlib.suppress(BrokenPipeError):
                keeper.stdin.close()
            try:
                keeper.wait(REMOVE_S_MAX)
            except subprocess.TimeoutExpired:
                keeper.kill()


def main(folder: Path) -> None:
    """Wait until the tour has ended; end its processes and remove its folder."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # ends with the tour and not before it
    for process in sys.stdin.read().split():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(int(process), signal.SIGKILL)
    if folder.name.startswith(PREFIX):
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
