"""False match and false non-match rates of the face comparison, on the clips of people at hand.

    python -m evaluation.faces --clips ../shared/testdata/live [--plot OUT.png] [--out FIGURES.json]

One clip = one person. Prints JSON. With five people every rate has a wide interval: pairs of frames of the
same two people are not independent, so the intervals by *people* are the honest ones. Same person pairs
come from one clip (one day, one camera): false non-matches are understated. Portraits are cut from the
first half of a clip, shrunk and compressed, never printed.
"""

import argparse
import itertools
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from evaluation.clip_attacks import encoded, frames_of
from evaluation.digits.intervals import wilson
from shiming.recognition.clips.limits import ClipLimits
from shiming.recognition.clips.measurement import ClipTools, clip_tools, measure_clip
from shiming.recognition.face_embedding import compare, measure_face
from shiming.recognition.inference import ModelRuntime
from shiming.recognition.measurements import FaceTemplate, Image
from shiming.recognition.model_files import ModelFiles
from shiming.vocabulary.errors import BadInput

#: Portraits as documents print them: (name, width, height, JPEG quality, blur sigma).
PORTRAITS = (
    ("102x126_q60", 102, 126, 60, 0.0),
    ("102x126_q30", 102, 126, 30, 0.0),
    ("72x90_q60", 72, 90, 60, 0.0),
    ("102x126_q60_blurred", 102, 126, 60, 1.5),
)
YAW_STEPS = (0.0, 5.0, 10.0, 15.0, 30.0)


@dataclass(frozen=True, slots=True)
class Person:
    """What one clip gives: single frames at any pose, the clip's own template, portraits."""

    name: str
    frames: tuple[FaceTemplate, ...]
    clip: FaceTemplate  # of the second half
    portraits: dict[str, FaceTemplate]
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Scores:
    """Similarities of pairs: rows of (first net, second net)."""

    same: np.ndarray[Any, np.dtype[np.float64]]
    different: np.ndarray[Any, np.dtype[np.float64]]


def portrait_of(
    frame: Image, face: tuple[int, int, int, int], kind: tuple[str, int, int, int, float]
) -> Image:
    """Cut a document portrait round the mesh's box of the face: head and shoulders, then degrade it."""
    _, width, height, quality, sigma = kind
    x, y, w, h = face
    side = max(w, h)
    wide, high = 1.75 * side, 1.75 * side * height / width
    left, top = x + w / 2 - wide / 2, y + h / 2 - high * 0.52
    matrix = np.array([[width / wide, 0, -left * width / wide], [0, width / wide, -top * width / wide]])
    shrink = max(1, round(wide / width))
    smooth = cv2.blur(frame, (shrink, shrink))
    cut = cv2.warpAffine(smooth, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    if sigma:
        cut = cv2.GaussianBlur(cut, (0, 0), sigma)
    _, jpeg = cv2.imencode(".jpg", cut, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)


def person_of(path: Path, tools: ClipTools, frames_a_person: int) -> Person:
    """Measure one person's clip."""
    frames, rate = frames_of(path, 20.0)
    failures: list[str] = []
    singles: list[FaceTemplate] = []
    for at in np.linspace(0, len(frames) - 1, frames_a_person).astype(int):
        try:
            singles.append(measure_face(frames[at], tools.face))
        except BadInput as error:
            failures.append(f"frame {at}: {error.code}")
    half = len(frames) // 2
    first = measure_clip(encoded(frames[:half], rate), tools, ClipLimits())
    second = measure_clip(encoded(frames[half:], rate), tools, ClipLimits())
    portraits: dict[str, FaceTemplate] = {}
    if first.face.best_frame is not None and second.face.template is not None:
        face = tools.face.detector.detect(first.face.best_frame)[0].box
        for kind in PORTRAITS:
            try:
                portraits[kind[0]] = measure_face(portrait_of(first.face.best_frame, face, kind), tools.face)
            except BadInput as error:
                failures.append(f"portrait {kind[0]}: {error.code}")
    if second.face.template is None:
        raise SystemExit(f"no face in {path}")
    return Person(path.stem, tuple(singles), second.face.template, portraits, failures)


def pair(first: FaceTemplate, second: FaceTemplate) -> tuple[float, float]:
    """Return both similarities; NaN where the second net is absent."""
    likeness = compare(first, second)
    missing = likeness.second_similarity is None
    return likeness.similarity, float("nan") if missing else float(likeness.second_similarity or 0.0)


def scores(same: list[tuple[float, float]], different: list[tuple[float, float]]) -> Scores:
    """Gather pairs."""
    return Scores(np.asarray(same).reshape(-1, 2), np.asarray(different).reshape(-1, 2))


def frame_scores(people: list[Person]) -> Scores:
    """Compare single frames with single frames."""
    same = [pair(a, b) for person in people for a, b in itertools.combinations(person.frames, 2)]
    different = [
        pair(a, b) for one, two in itertools.combinations(people, 2) for a in one.frames for b in two.frames
    ]
    return scores(same, different)


def portrait_scores(people: list[Person], kind: str) -> Scores:
    """Compare each portrait with each clip."""
    having = [person for person in people if kind in person.portraits]
    same = [pair(person.portraits[kind], person.clip) for person in having]
    different = [pair(one.portraits[kind], two.clip) for one in having for two in people if one is not two]
    return scores(same, different)


def rates(found: Scores, first_at: float, second_at: float) -> dict[str, Any]:
    """Return rates where both votes must agree, with intervals over pairs."""
    accepted = [
        (pairs[:, 0] >= first_at) & ((pairs[:, 1] >= second_at) | np.isnan(pairs[:, 1]))
        for pairs in (found.same, found.different)
    ]
    missed, wrong = int((~accepted[0]).sum()), int(accepted[1].sum())
    return {
        "thresholds": [first_at, second_at],
        "non_matches": missed,
        "same_pairs": len(found.same),
        "fnmr_95": [round(bound, 4) for bound in wilson(missed, len(found.same))],
        "false_matches": wrong,
        "different_pairs": len(found.different),
        "fmr_95": [round(bound, 4) for bound in wilson(wrong, len(found.different))],
        "same_min": [round(float(value), 3) for value in found.same.min(axis=0)] if len(found.same) else None,
        "same_p5": [round(float(v), 3) for v in np.percentile(found.same, 5, axis=0)]
        if len(found.same)
        else None,
        "different_max": [round(float(value), 3) for value in found.different.max(axis=0)]
        if len(found.different)
        else None,
    }


def by_yaw(people: list[Person], first_at: float, second_at: float) -> list[dict[str, Any]]:
    """Return the rates of single frames against the person's clip, by how far the head is turned."""
    rows = []
    for low, high in itertools.pairwise(YAW_STEPS):
        same: list[tuple[float, float]] = []
        different: list[tuple[float, float]] = []
        for one, two in itertools.product(people, people):
            chosen = [frame for frame in one.frames if low <= abs(frame.quality.yaw_degrees) < high]
            (same if one is two else different).extend(pair(frame, two.clip) for frame in chosen)
        rows.append({"yaw_degrees": [low, high], **rates(scores(same, different), first_at, second_at)})
    return rows


def plot(found: dict[str, Scores], out: Path) -> None:
    """Draw the similarities of both nets for every kind of pair."""
    import matplotlib as mpl  # noqa: PLC0415 - only for plots

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - after the backend is chosen

    figure, axes = plt.subplots(1, 2, figsize=(11, 4.5), constrained_layout=True)
    for column, (axis, name) in enumerate(zip(axes, ("first net", "second net"), strict=True)):
        for row, pairs in enumerate(found.values()):
            for values, colour, shift in (
                (pairs.same, "tab:green", 0.12),
                (pairs.different, "tab:red", -0.12),
            ):
                axis.plot(values[:, column], np.full(len(values), row + shift), "|", color=colour, alpha=0.5)
        axis.set(title=f"{name}: same person (green), different people (red)", xlabel="similarity")
        axis.set_yticks(range(len(found)), list(found))
    figure.savefig(out, dpi=110)


def main() -> None:
    """Measure everybody, print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=Path, required=True, help="folder of clips, one person each")
    parser.add_argument("--frames", type=int, default=12, help="single frames a person")
    parser.add_argument("--first-at", type=float, default=0.50)
    parser.add_argument("--second-at", type=float, default=0.68)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    tools = clip_tools(ModelRuntime(ModelFiles()))
    people = [person_of(path, tools, arguments.frames) for path in sorted(arguments.clips.glob("*.mp4"))]
    found = {"single frames": frame_scores(people)} | {
        kind[0]: portrait_scores(people, kind[0]) for kind in PORTRAITS
    }
    at = arguments.first_at, arguments.second_at
    figures = {
        "people": len(people),
        "note": "small set: pairs share people, so rates say little about other people",
        "failures": {person.name: person.failures for person in people if person.failures},
        "by_kind": {kind: rates(pairs, *at) for kind, pairs in found.items()},
        "by_yaw_single_frame_against_clip": by_yaw(people, *at),
        "curve_single_frames": [
            rates(found["single frames"], first, second)
            for first, second in ((0.4, 0.62), (0.45, 0.65), (0.5, 0.68), (0.55, 0.70), (0.6, 0.72))
        ],
    }
    if arguments.plot:
        plot(found, arguments.plot)
    text = json.dumps(figures, indent=1)
    if arguments.out:
        arguments.out.write_text(text + "\n", "utf-8")
    print(text)


if __name__ == "__main__":
    main()
