"""One whole proof (card photo, clip, digits) beside the bare model inferences that it needs.

The proof runs once with every inference recorded; the same inferences are then repeated bare, with the same
inputs on the same engines. `ratio` is proof / bare: what decoding, geometry, rules, signing and storage add.
The clip is the specimen's first five seconds at 25 frames a second, 512x512.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import av

from benchmarks.report import peak_memory_mb, report
from shiming.entrypoints.demo import SPECIMENS, sandbox_settings
from shiming.entrypoints.wiring import Platform
from shiming.identity_proofing.model.challenge import Language
from shiming.identity_proofing.rules.challenge_document import challenge_document
from shiming.identity_proofing.use_cases import challenges, proving
from shiming.jurisdictions.model import Channel, Gesture, Route

ROUNDS = 3
GOAL = 1.25
CLIP_SECONDS = 5.0
DIGITS = "470913"


class Recorder:
    """Keeps every inference as a bare call while it is switched on."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], object]] = []
        self.on = False

    def __call__(self, _name: str, _seconds: float, bare: Callable[[], object]) -> None:
        """Take one inference."""
        if self.on:
            self.calls.append(bare)


def five_seconds(folder: Path) -> Path:
    """Write the first seconds of the specimen clip without re-encoding; return the file."""
    target = folder / "clip.mp4"
    with av.open(str(SPECIMENS / "clips/demo.mp4")) as source, av.open(str(target), "w") as written:
        stream = source.streams.video[0]
        copy = written.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is not None and float(packet.pts * packet.time_base) < CLIP_SECONDS:
                packet.stream = copy
                written.mux(packet)
    return target


def prove(platform: Platform, clip: Path) -> None:
    """Run one proof from its challenge to its signed receipt."""
    policy = platform.policy("", platform.today())
    tools = platform.proofing_tools()
    application = challenges.Application(Channel.SHOP, Route.STANDARD)
    with platform.begin() as connection:
        session = challenges.open_session(tools, connection, application, policy)
        given = challenges.give_chosen_challenge(
            tools,
            connection,
            session,
            policy,
            language=Language.MANDARIN,
            steps=(Gesture.TURN_LEFT, Gesture.BLINK, Gesture.TURN_RIGHT),
            digits=DIGITS,
        )
    submission = proving.Submission(
        application=application,
        on=platform.today(),
        document=SPECIMENS / "documents/demo_front.jpg",
        clip=clip,
        challenge=challenge_document(given),
        digits=SPECIMENS / "audio/demo_digits.wav",
    )
    decided = proving.prove(tools, platform.begin, submission, policy)
    passed = {check["check"] for check in decided.receipt["checks"] if check["outcome"] == "passed"}
    if not {"face_clip_document", "gestures", "digits"} <= passed:
        raise SystemExit(f"the benchmark's proof does not hold: passed only {sorted(passed)}")


def timed(act: Callable[[], object]) -> float:
    """Return the seconds of one call."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def main() -> None:
    """Alternate whole proofs and bare inferences; compare medians."""
    recorder = Recorder()
    with tempfile.TemporaryDirectory() as folder:
        clip = five_seconds(Path(folder))
        platform = Platform(sandbox_settings(Path(folder)), recorder)
        recorder.on = True
        prove(platform, clip)  # loads the engines and records
        recorder.on = False
        memory_mb = peak_memory_mb()
        whole, bare = [], []
        for _ in range(ROUNDS):
            whole.append(timed(lambda: prove(platform, clip)))
            bare.append(timed(lambda: [call() for call in recorder.calls]))
    report(
        "proofing",
        median(whole) / median(bare),
        GOAL,
        "at_most",
        proof_seconds=round(median(whole), 2),
        bare_inference_seconds=round(median(bare), 2),
        inferences=len(recorder.calls),
        peak_memory_mb=round(memory_mb),
    )


if __name__ == "__main__":
    main()
