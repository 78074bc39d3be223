"""Twenty counters at once: whether pages are still answered, waiting is shared and memory is bounded.

Each counter goes the whole way (document, clip streamed in chunks at its own pace, decision) on its own
connection, beginning a little after the one before; a counter that is told that recognition is busy asks
again, as a page does. Meanwhile a page is asked for ten times a second. `ratio` is the 95th percentile of
these answers under load / idle. `fairness`: the longest waiting for one's own document against the median.
`memory_ratio`: the server's peak resident memory against the peak with one counter.
"""

import contextlib
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median, quantiles

import httpx

from benchmarks.counter_parts import (
    Busy,
    Journey,
    Site,
    a_site,
    decide,
    hand_in_clip,
    hand_in_document,
    open_session,
    recorded_clip,
    stream_clip,
)
from benchmarks.report import report

COUNTERS = 20
GOAL = 3.0
APART_S = 1.0  # between the beginnings of two counters: different stages at any moment
PAGE = "/sign-in"
_PAGE_EVERY_S = 0.1
_IDLE_S = 15.0
_BUSY_AGAIN_S = 1.0


def main() -> None:
    """Measure idle pages, one counter, then all."""
    counters = int(sys.argv[sys.argv.index("--counters") + 1]) if "--counters" in sys.argv else COUNTERS
    with tempfile.TemporaryDirectory() as name:
        clip, seconds = recorded_clip(Path(name))
        content = clip.read_bytes()
        with a_site(Path(name)) as site:
            one = counter(site, content, seconds)  # loads the engines
            one = counter(site, content, seconds)
            idle = Pages(site)
            with idle.asked():
                time.sleep(_IDLE_S)
            memory_of_one = peak_of(site.pid)
            loaded = Pages(site)
            began = time.perf_counter()
            with loaded.asked():
                journeys = all_counters(site, content, seconds, counters)
            spent, memory = time.perf_counter() - began, peak_of(site.pid)
    documents = [journey.seconds["document"] for journey in journeys]
    tails = [journey.seconds["clip_taken_in"] + journey.seconds["decision"] for journey in journeys]
    report(
        "counters",
        p95(loaded.seconds) / p95(idle.seconds),
        GOAL,
        "at_most",
        counters=counters,
        outcomes={name: [j.outcome for j in journeys].count(name) for name in {j.outcome for j in journeys}},
        seconds_in_all=round(spent, 1),
        page=loaded.page,
        page_p95_ms={"idle": _ms(p95(idle.seconds)), "loaded": _ms(p95(loaded.seconds))},
        page_median_ms={"idle": _ms(median(idle.seconds)), "loaded": _ms(median(loaded.seconds))},
        pages_asked=len(loaded.seconds),
        document_s={
            "one": _s(one.seconds["document"]),
            "median": _s(median(documents)),
            "most": _s(max(documents)),
        },
        after_clip_s={"median": _s(median(tails)), "most": _s(max(tails))},
        fairness=round(max(documents) / median(documents), 2),
        told_busy=sum(journey.told_busy for journey in journeys),
        peak_memory_mb={"one": round(memory_of_one), "all": round(memory)},
        memory_ratio=round(memory / memory_of_one, 2),
    )


def all_counters(site: Site, clip: bytes, seconds: float, counters: int) -> list[Journey]:
    """Let the counters work, one beginning after the other."""

    def work(number: int) -> Journey:
        time.sleep(number * APART_S)
        return counter(site, clip, seconds)

    with ThreadPoolExecutor(counters) as crew:
        return list(crew.map(work, range(counters)))


def counter(site: Site, clip: bytes, seconds: float) -> Journey:
    """Serve one person."""
    journey = Journey()
    with site.client() as http:
        session, challenge = open_session(site, http)
        with journey.step("document"):
            patiently(journey, lambda: hand_in_document(http, session))
        upload = stream_clip(http, session, clip, seconds, journey)
        with journey.step("clip_taken_in"):
            patiently(journey, lambda: hand_in_clip(http, session, upload, challenge))
        with journey.step("decision"):
            patiently(journey, lambda: journey.took(decide(http, session)))
    return journey


def patiently(journey: Journey, act: Callable[[], None]) -> None:
    """Ask again for as long as recognition is busy."""
    while True:
        try:
            act()
        except Busy:
            journey.told_busy += 1
            time.sleep(_BUSY_AGAIN_S)
        else:
            return


class Pages:
    """Asks for a page at a steady pace and remembers how long each answer took."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.seconds: list[float] = []
        self._over = threading.Event()
        with site.client() as http:
            session, _ = open_session(site, http)
            found = http.get(PAGE).status_code == httpx.codes.OK
            self.page = PAGE if found else f"/v1/proofing-sessions/{session}"

    @contextlib.contextmanager
    def asked(self) -> Iterator[None]:
        """Ask until the block ends."""
        thread = threading.Thread(target=self._ask)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _ask(self) -> None:
        with self._site.client() as http:
            while not self._over.is_set():
                began = time.perf_counter()
                http.get(self.page)
                self.seconds.append(time.perf_counter() - began)
                self._over.wait(_PAGE_EVERY_S)


def p95(seconds: list[float]) -> float:
    """Return the 95th percentile."""
    return quantiles(seconds, n=20)[-1]


def peak_of(pid: int) -> float:
    """Return the peak resident memory of a process in MB (Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM"))


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 1)


def _s(seconds: float) -> float:
    return round(seconds, 2)


if __name__ == "__main__":
    main()
