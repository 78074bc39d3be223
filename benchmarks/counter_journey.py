"""From "document shown" to the decision: one counter over HTTP, against the model time of a second of clip.

`shiming up` and the sandbox authority run as processes; the clip is sent in chunks of 250 ms at the pace of
its recording. `ratio` is (decision - last byte of the clip) / (model time of one second of clip): the bare
inferences that the whole clip and its sound need, divided by its seconds. What follows the last byte: its
chunk is kept, the last frames are measured, the digits are listened to, clip and decision are taken in, and
the authority is asked, which compares two portraits in its own process (`authority`, part of the ratio).
"""

import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.counter_parts import (
    CASES,
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
from shiming.entrypoints.demo_processes import SPECIMENS
from shiming.entrypoints.recognition_tools import Recognition
from shiming.identity_proofing.commands import connector
from shiming.identity_proofing.model.claimed_identity import DeclaredIdentity
from shiming.identity_proofing.use_cases import measuring

ROUNDS = 3
GOAL = 1.5
AFTER = ("last_chunk", "clip_taken_in", "decision")


def main() -> None:
    """Walk the journey some times, and measure bare inference and the authority between."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip, seconds = recorded_clip(folder)
        with a_site(folder) as site:
            walk(site, clip, seconds)  # loads the engines
            journeys, models, authority = [], [], []
            for _ in range(ROUNDS):
                journeys.append(walk(site, clip, seconds))
                models.append(model_seconds(clip) / seconds)
                authority.append(authority_seconds(site, clip))
    after = [sum(journey.seconds[step] for step in AFTER) for journey in journeys]
    ratios = [tail / model for tail, model in zip(after, models, strict=True)]
    steps = {name: round(median(j.seconds[name] for j in journeys), 3) for name in journeys[0].seconds}
    report(
        "counter_journey",
        median(ratios),
        GOAL,
        "at_most",
        ratios=[round(each, 2) for each in ratios],
        seconds_by_step=steps,
        after_last_byte_s=round(median(after), 3),
        model_s_of_a_second=round(median(models), 3),
        authority_s=round(median(authority), 3),
        ratio_without_authority=round((median(after) - median(authority)) / median(models), 2),
        document_to_decision_s=round(median(sum(j.seconds.values()) for j in journeys), 2),
        outcomes=[journey.outcome for journey in journeys],
    )


def walk(site: Site, clip: Path, seconds: float) -> Journey:
    """Go the whole way once."""
    journey = Journey()
    with site.client() as http:
        session, challenge = open_session(site, http)
        with journey.step("document"):
            hand_in_document(http, session)
        upload = stream_clip(http, session, clip.read_bytes(), seconds, journey)
        with journey.step("clip_taken_in"):
            hand_in_clip(http, session, upload, challenge)
        with journey.step("decision"):
            journey.outcome = decide(http, session)
    return journey


_spent: list[float] = []
_recognition = Recognition(lambda _name, seconds, _bare: _spent.append(seconds))


def model_seconds(clip: Path) -> float:
    """Return the seconds of bare inference that the whole clip needs, its digits included."""
    _recognition.warm_up()
    _spent.clear()
    _recognition.clip(clip)
    _recognition.digits(clip, CASES["digits"], CASES["digits_language"])
    return sum(_spent)


def authority_seconds(site: Site, clip: Path) -> float:
    """Return the seconds that the authority's answer takes when it is asked as a decision asks it."""
    policy = site.platform.policy("", site.platform.today())
    port = connector(site.authority, policy)
    tools = site.platform.proofing_tools(port)
    document = measuring.measure_document(
        tools, SPECIMENS / CASES["document_front"], None, DeclaredIdentity(), site.platform.today()
    )
    frame = _recognition.clip(clip).face.best_frame
    began = time.perf_counter()
    measuring.ask_authority(tools, policy, document.identity, frame)
    spent = time.perf_counter() - began
    if port:
        port.close()
    return spent


if __name__ == "__main__":
    main()
