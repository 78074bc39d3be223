"""Measure recognition and write docs/reference/recognition.md.

Documents are drawn here; faces and clips are those of `../shared/testdata/live`. Digits are measured when
nets are trained (leave one speaker out), so their tables are taken from the model cards.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from shiming.jurisdictions.pack_reader import policy_on, read_pack

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / ".cache" / "evaluation"
IMAGES = ROOT / "docs" / "images"
CARDS = ROOT / "src/shiming/recognition/weights"
REPORT = ROOT / "docs/reference/recognition.md"
LIVE = ROOT.parent / "shared" / "testdata" / "live"

HEAD = """# Recognition: what was measured

Written by `make evaluate`. **Every set here is small**: drawn documents are an upper bound for real ones,
five people are not a population, attacks are simulated, no laboratory has tested anything. Intervals are
Wilson, 95 %. Thresholds were chosen on the same few people: calibrate on at least 1 000 people of yours
before launch, and report by sex, age and group.
"""


def parts(count: int) -> dict[str, list[str]]:
    """Return the measuring commands by part."""
    commands = {
        "documents": ["--count", str(count), "--travel", "0", "--json", "{json}", *plotted("documents")],
        "travel_documents": ["--count", str(count), "--json", "{json}"],
    }
    if LIVE.is_dir():
        for part in ("faces", "clips"):
            commands[part] = ["--clips", str(LIVE), "--out", "{json}", *plotted(part)]
        pack = read_pack("cn")
        limits = policy_on(pack, max(pack.effective, date.today())).thresholds  # noqa: DTZ011 - the rules of today
        first, second = limits.face_similarity_min.value, limits.face_second_similarity_min.value
        commands["faces"] += ["--first-at", str(first), "--second-at", str(second)]
    return commands


def plotted(part: str) -> tuple[str, str]:
    """Return the options that draw a part's plot."""
    return "--plot", str(IMAGES / f"{part}.png")


def measure(count: int) -> None:
    """Run each part as a process of its own; its figures go to the cache, its plot to docs/images."""
    FIGURES.mkdir(parents=True, exist_ok=True)
    IMAGES.mkdir(parents=True, exist_ok=True)
    for part, options in parts(count).items():
        print(f"measuring {part}", flush=True)
        target = str(FIGURES / f"{part}.json")
        arguments = [option.replace("{json}", target) for option in options]
        subprocess.run(  # noqa: S603 - our own modules
            [sys.executable, "-m", f"evaluation.{part}", *arguments],
            cwd=ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
        )


def figures_of(part: str) -> dict[str, Any] | None:
    """Return what was measured last; None if that part was never measured here."""
    file = FIGURES / f"{part}.json"
    found: dict[str, Any] | None = json.loads(file.read_text("utf-8")) if file.is_file() else None
    return found


def share(value: float) -> str:
    """Write a share as a percentage."""
    return f"{100 * value:.1f} %"


def interval(pair: list[float]) -> str:
    """Write an interval of shares."""
    return f"{100 * pair[0]:.1f}-{100 * pair[1]:.1f} %"


def rate(found: Mapping[str, Any]) -> str:
    """Write a rate with its interval."""
    return f"{share(found['rate'])} ({interval(found['interval'])})"


def table(header: list[str], rows: Iterator[list[str]]) -> Iterator[str]:
    """Yield the lines of a table."""
    yield "| " + " | ".join(header) + " |"
    yield "|" + "---|" * len(header)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def rates(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield a table of groups by rate; the first group's keys are the columns."""
    groups = found["groups"]
    keys = [key for key in next(iter(groups.values())) if key != "pictures"]
    rows = (
        [name, str(group["pictures"]), *(rate(group[key]) for key in keys)] for name, group in groups.items()
    )
    yield from table(["group", "pictures", *(key.replace("_", " ") for key in keys)], rows)
    if "seconds" in found:
        median, most = found["seconds"]["median"], found["seconds"]["max"]
        yield f"Seconds a picture: median {median:.1f}, most {most:.1f}.\n"


def cards(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield the table of resident cards: each field by level, exact readings, and how many were wrong."""
    levels = found["cards"]
    fields = dict.fromkeys(name for level in levels.values() for name in level["fields"])
    rows = ([name, *(exact(level["fields"].get(name)) for level in levels.values())] for name in fields)
    yield from table(["field", *levels], rows)
    wrong = sum(level["fields"]["number"]["wrong"] for level in levels.values())
    pictures = sum(level["fields"]["number"]["trials"] for level in levels.values())
    yield f"Wrong numbers reported: {wrong} of {pictures}.\n"


def exact(field: Mapping[str, Any] | None) -> str:
    """Write one field's rate, its interval, and how the rest failed."""
    if not field:
        return ""
    rest = f"; {field['absent']} left out, {field['wrong']} wrong" if field["right"] < 1 else ""
    return f"{share(field['right'])} ({interval(field['interval'])}) of {field['trials']}{rest}"


def documents() -> Iterator[str]:
    """Yield the chapter on documents."""
    yield "## Documents\n"
    if found := figures_of("documents"):
        yield f"### Resident identity cards\n\n{found['note']}\n"
        yield from cards(found)
        yield "![Field accuracy of drawn cards by degradation](../images/documents.png)\n"
    if found := figures_of("travel_documents"):
        yield f"### Machine-readable zones\n\n{found['note']}\n"
        yield from rates(found)


def faces() -> Iterator[str]:
    """Yield the chapter on one-to-one comparison."""
    found = figures_of("faces")
    if found is None:
        return
    yield "## Faces, one to one\n"
    yield f"{found['people']} people. {found['note']}. A match needs both models' votes.\n"
    rows = (
        [
            name,
            f"{kind['thresholds'][0]} / {kind['thresholds'][1]}",
            f"{kind['non_matches']} of {kind['same_pairs']} ({interval(kind['fnmr_95'])})",
            f"{kind['false_matches']} of {kind['different_pairs']} ({interval(kind['fmr_95'])})",
            f"{kind['same_min'][0]:.2f} / {kind['same_min'][1]:.2f}",
            f"{kind['different_max'][0]:.2f} / {kind['different_max'][1]:.2f}",
        ]
        for name, kind in found["by_kind"].items()
    )
    header = [
        "against",
        "thresholds",
        "not matched, same person",
        "matched, others",
        "least same",
        "most other",
    ]
    yield from table(header, rows)
    yield "![Error rates by threshold and by pose](../images/faces.png)\n"


def clips() -> Iterator[str]:
    """Yield the chapters on events and attacks."""
    found = figures_of("clips")
    if found is None:
        return
    blinks, turns = found["events"]["blinks"], found["events"]["turns"]
    yield "## Clips: events\n"
    yield f"{found['people']} people, {found['seconds']:.0f} s. {found['note']}.\n"
    rows = (
        [
            name,
            f"{counts['hits']} of {counts['labelled']} ({interval(counts['recall_95'])})",
            f"{counts['false']}"
            + (f", of 15 degrees or more {counts['false_large']}" if "false_large" in counts else ""),
        ]
        for name, counts in (("blinks", blinks), ("small turns, right direction", turns))
    )
    yield from table(["event", "found", "false"], rows)
    yield "![Events found and labelled](../images/clips.png)\n"
    yield "## Clips: attacks\n"
    yield "Simulated from the same people. APCER: not stopped by the hard signs and the turn asked for.\n"
    attacks = (
        [
            name.replace("_", " "),
            str(attack["clips"]),
            f"{attack['missed']} ({interval(attack['apcer_95'])})",
            ", ".join(f"{sign} {count}" for sign, count in attack["signs"].items()) or "none",
            ", ".join(f"{sign} {count}" for sign, count in attack["advice"].items()) or "none",
        ]
        for name, attack in found["attacks"].items()
    )
    yield from table(["species", "clips", "APCER", "hard signs", "advisory signs"], attacks)
    flagged = found["genuine_flagged"]
    genuine = f"{flagged['flagged']} of {flagged['clips']} ({interval(found['bpcer_95'])})"
    yield f"Genuine clips flagged (BPCER): {genuine}.\n"
    yield "A clean screen replay and a good 3-D animation of one photograph pass (the demo clip is one)."
    yield "Camera injection and real-time face swaps are not addressed.\n"


def digits() -> Iterator[str]:
    """Yield the chapter on spoken digits, from the cards of the nets."""
    yield "## Spoken digits\n"
    for language, title in (("cmn", "Mandarin"), ("eng", "English")):
        card = (CARDS / f"digits_{language}.md").read_text("utf-8")
        start = card.index("## Figures")
        end = card.index("## Known weak points")
        body = card[start:end].split("\n", 1)[1].strip()
        yield f"### {title}\n\n{body}\n"


def render() -> str:
    """Return the whole page."""
    chapters = (documents(), faces(), clips(), digits())
    return HEAD + "\n" + "\n".join(line for chapter in chapters for line in chapter)


def main() -> None:
    """Measure, then write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--render-only", action="store_true", help="write the page from the last figures")
    parser.add_argument("--count", type=int, default=60, help="drawn documents of each kind")
    arguments = parser.parse_args()
    if not arguments.render_only:
        measure(arguments.count)
    REPORT.write_text(render(), "utf-8")
    print(f"wrote {REPORT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
