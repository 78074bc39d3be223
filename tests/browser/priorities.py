"""Let the browser come first on a machine that does everything at once: as on a device of its own.

Linux shares processors out among sessions (`sched_autogroup_enabled`), and Chromium and the server are
started in sessions of their own: whatever the niceness of its processes, a session has one share among many.
A session that holds a camera loses frames then; the niceness of its group is what counts.
"""

from contextlib import suppress
from pathlib import Path

FIRST = -10


def comes_first(mark: str) -> None:
    """Let the sessions of processes whose command line holds `mark` come first, where we may: root may."""
    for found in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, a kernel without groups, or not allowed
            if mark.encode() in (found / "cmdline").read_bytes():
                (found / "autogroup").write_text(str(FIRST), "ascii")
