"""Precision and recall of clip events, and what the attack signs say of simulated attacks.

    python -m evaluation.clips --clips ../shared/testdata/live [--skip-attacks] [--plot OUT.png]
        [--out FIGURES.json]

Prints JSON. Five people, 70 s, labels by one person, attacks simulated from the same five: first figures,
not an ISO 30107-3 test. An attack counts as caught if a hard sign (the thresholds below, as a policy pack
would set them) fires or if it makes no turn of the degrees that a challenge asks for.
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.clip_attacks import SINGLE_CLIP_ATTACKS, encoded, frames_of, splice
from evaluation.clip_truth import TRUTH, ClipTruth, Interval
from evaluation.digits.intervals import wilson
from shiming.recognition.clips.limits import ClipLimits
from shiming.recognition.clips.measurement import ClipTools, clip_tools, measure_clip
from shiming.recognition.inference import ModelRuntime
from shiming.recognition.measurements import ClipEvent, ClipEventKind, ClipMeasurement
from shiming.recognition.model_files import ModelFiles

BLINK_SLACK_S = 0.1
TURN_SLACK_S = 0.3
CHALLENGE_DEGREES = 18.0
FALSE_TURN_DEGREES = 15.0
ATTACK_SECONDS = 6.0
PASSIVE_LIVE_MIN, FRAME_EDGES_MAX, MOIRE_MAX = 0.5, 0.75, 0.5  # advisory


@dataclass(frozen=True, slots=True)
class HardSigns:
    """Signs that end a proof, with the values recommended to the policy pack."""

    frozen_share_max: float = 0.10
    planar_score_max: float = 0.50
    same_person_first_min: float = 0.38
    same_person_second_min: float = 0.62
    time_gap_s_max: float = 0.5


def meets(event: ClipEvent, interval: Interval, slack_s: float) -> bool:
    """Say whether an event overlaps a labelled interval."""
    return event.start_s <= interval[1] + slack_s and event.end_s >= interval[0] - slack_s


def blink_counts(found: ClipMeasurement, truth: ClipTruth) -> Counter[str]:
    """Count hit, missed and false blinks of one clip."""
    blinks = [event for event in found.events if event.kind is ClipEventKind.BLINK]
    hits = sum(any(meets(event, interval, BLINK_SLACK_S) for event in blinks) for interval in truth.blinks)
    known = (*truth.blinks, *truth.ignored)
    wrong = sum(not any(meets(event, interval, BLINK_SLACK_S) for interval in known) for event in blinks)
    return Counter(labelled=len(truth.blinks), hits=hits, false=wrong)


def turn_counts(found: ClipMeasurement, truth: ClipTruth) -> Counter[str]:
    """Count turns found on the right side, and false ones at two sizes."""
    turns = [
        event for event in found.events if event.kind in {ClipEventKind.TURN_LEFT, ClipEventKind.TURN_RIGHT}
    ]
    hits = sum(
        any(event.kind == side and meets(event, (start, end), TURN_SLACK_S) for event in turns)
        for side, start, end in truth.turns
    )
    wrong = [
        event
        for event in turns
        if not any(
            event.kind == side and meets(event, (start, end), TURN_SLACK_S)
            for side, start, end in truth.turns
        )
    ]
    large = sum((event.degrees or 0) >= FALSE_TURN_DEGREES for event in wrong)
    return Counter(labelled=len(truth.turns), hits=hits, false=len(wrong), false_large=large)


def fired(found: ClipMeasurement, signs: HardSigns) -> list[str]:
    """Return the hard signs of one clip, with a missing challenge turn as one of them."""
    seen, kinds = found.attack_signs, {event.kind for event in found.events}
    first, second = seen.same_person_min, seen.same_person_second_min
    checks = {
        "frozen": seen.frozen_share > signs.frozen_share_max,
        "repeated": ClipEventKind.REPEATED in kinds,
        "planar": (seen.planar_score or 0.0) > signs.planar_score_max,
        "another_person": first is not None
        and first < signs.same_person_first_min
        and (second is None or second < signs.same_person_second_min),
        "time_gap": seen.time_gap_s_max > signs.time_gap_s_max,
        "second_face": seen.faces_max > 1,
    }
    return [name for name, hit in checks.items() if hit]


def advised(found: ClipMeasurement) -> list[str]:
    """Return the advisory signs, which ask for a second look and never refuse."""
    seen = found.attack_signs
    checks = {
        "passive": seen.passive_live_score is not None and seen.passive_live_score < PASSIVE_LIVE_MIN,
        "frame_edges": (seen.frame_edges or 0.0) >= FRAME_EDGES_MAX,
        "moire": (seen.moire or 0.0) >= MOIRE_MAX,
    }
    return [name for name, hit in checks.items() if hit]


def makes_challenge_turn(found: ClipMeasurement) -> bool:
    """Say whether any turn is as large as a challenge asks."""
    return any((event.degrees or 0) >= CHALLENGE_DEGREES for event in found.events)


def attacks(paths: list[Path]) -> Iterator[tuple[str, str, bytes]]:
    """Yield (species, name, clip); one clip is held in memory at a time."""
    for path in paths:
        frames, rate = frames_of(path, ATTACK_SECONDS)
        for species, make in SINGLE_CLIP_ATTACKS.items():
            yield species, path.stem, encoded(make(frames, rate), rate)
    for path, other in zip(paths, paths[1:] + paths[:1], strict=True):
        frames, rate = frames_of(path, ATTACK_SECONDS)
        clip = encoded(splice(frames, frames_of(other, ATTACK_SECONDS)[0]), rate)
        yield "splice", f"{path.stem}+{other.stem}", clip


def attack_table(paths: list[Path], tools: ClipTools) -> dict[str, Any]:
    """Return per species: clips, missed by the signs, and missed by signs and turn together."""
    table: dict[str, dict[str, Any]] = defaultdict(lambda: {"clips": 0, "missed_signs": 0, "missed": 0})
    for species, name, clip in attacks(paths):
        found = measure_clip(clip, tools, ClipLimits())
        signs = fired(found, HardSigns())
        row = table[species]
        row["clips"] += 1
        row["missed_signs"] += not signs
        row["missed"] += not signs and makes_challenge_turn(found)
        row.setdefault("signs", Counter()).update(signs)
        row["missed_with_advice"] = row.get("missed_with_advice", 0) + (not signs and not advised(found))
        row.setdefault("advice", Counter()).update(advised(found))
        row.setdefault("passive_live_score", {})[name] = found.attack_signs.passive_live_score
    for row in table.values():
        row["apcer_95"] = [round(bound, 3) for bound in wilson(row["missed"], row["clips"])]
    return dict(table)


def plot(measured: dict[str, ClipMeasurement], out: Path) -> None:
    """Draw yaw and eye openness of every clip with the labels."""
    import matplotlib as mpl  # noqa: PLC0415 - only for plots

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - after the backend is chosen

    figure, axes = plt.subplots(len(measured), 1, figsize=(12, 2.2 * len(measured)), constrained_layout=True)
    for axis, (name, found) in zip(axes, measured.items(), strict=True):
        line = found.timeline
        axis.plot(line.times_s, line.yaw_degrees, lw=0.8, label="yaw (own left up)")
        axis.plot(line.times_s, [100 * value for value in line.eye_openness], lw=0.8, label="eyes, %")
        for start, end in TRUTH.get(name, ClipTruth()).blinks:
            axis.axvspan(start, end, color="tab:green", alpha=0.4)
        for _, start, end in TRUTH.get(name, ClipTruth()).turns:
            axis.axvspan(start, end, color="tab:orange", alpha=0.2)
        axis.set(ylabel=name)
    axes[0].legend(loc="upper right", fontsize=7)
    figure.savefig(out, dpi=110)


def event_figures(measured: dict[str, ClipMeasurement]) -> dict[str, Any]:
    """Return totals of blinks and turns with intervals."""
    blinks: Counter[str] = Counter()
    turns: Counter[str] = Counter()
    for name, found in measured.items():
        blinks.update(blink_counts(found, TRUTH[name]))
        turns.update(turn_counts(found, TRUTH[name]))
    return {
        kind: {
            **count,
            "recall_95": [round(bound, 3) for bound in wilson(count["hits"], count["labelled"])],
        }
        for kind, count in (("blinks", blinks), ("turns", turns))
    }


def main() -> None:
    """Measure the labelled clips, then the attacks made of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--skip-attacks", action="store_true")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    paths = [path for path in sorted(arguments.clips.glob("*.mp4")) if path.stem in TRUTH]
    tools = clip_tools(ModelRuntime(ModelFiles()))
    measured = {path.stem: measure_clip(path, tools, ClipLimits()) for path in paths}
    genuine = {name: fired(found, HardSigns()) for name, found in measured.items()}
    flagged = sum(bool(signs) for signs in genuine.values())
    figures: dict[str, Any] = {
        "people": len(measured),
        "seconds": round(sum(found.duration_s for found in measured.values()), 1),
        "note": "small, labelled by one person, natural movements; attacks simulated from the same people",
        "events": event_figures(measured),
        "genuine_flagged": {"clips": len(genuine), "flagged": flagged, "signs": genuine},
        "genuine_advised": {name: advised(found) for name, found in measured.items()},
        "bpcer_95": [round(bound, 3) for bound in wilson(flagged, len(genuine))],
    }
    if not arguments.skip_attacks:
        figures["attacks"] = attack_table(paths, tools)
    if arguments.plot:
        plot(measured, arguments.plot)
    text = json.dumps(figures, indent=1)
    if arguments.out:
        arguments.out.write_text(text + "\n", "utf-8")
    print(text)


if __name__ == "__main__":
    main()
