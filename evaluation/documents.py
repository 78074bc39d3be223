"""Field accuracy of resident cards by degradation, and check digits of travel documents by format.

    python -m evaluation.documents [--count 60] [--travel 40] [--seed 1] [--json OUT] [--plot OUT.png]

Cards of invented people are drawn and photographed synthetically (tools.specimens); `--count` pictures a
level, fronts and backs in turn. Rates come with 95 % Wilson intervals. A field is right (equal to what is
printed), absent (left out because no two readings agreed) or wrong; a wrong number is the fault that counts.
Nothing here was photographed: no real card, no hologram, one layout, two typefaces. An upper bound.
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, get_args

import numpy as np

from evaluation import travel_documents
from evaluation.digits.intervals import wilson
from shiming.recognition.documents.reader import read_document
from shiming.recognition.documents.tools import DocumentTools, load_document_tools
from shiming.recognition.inference import ModelRuntime
from shiming.recognition.model_files import ModelFiles
from tools.specimens.card_series import photographed_back, photographed_front
from tools.specimens.identities import generate_person
from tools.specimens.photography import Level

TODAY = date(2026, 11, 22)
SMALL_SET = 200
_LEVELS: tuple[Level, ...] = get_args(Level)


def outcome(printed: object, read: object) -> str:
    """Return right, absent or wrong.

    >>> outcome("a", "a"), outcome("a", None), outcome("a", "b")
    ('right', 'absent', 'wrong')
    """
    if read is None:
        return "absent"
    return "right" if read == printed else "wrong"


def measure_cards(level: Level, count: int, seed: int, tools: DocumentTools) -> dict[str, Any]:
    """Return the rates of each field at one level."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    seconds = []
    for index in range(count):
        person = generate_person(seed + index // 2)
        make = photographed_back if index % 2 else photographed_front
        taken = make(person, level, seed + index)
        read = read_document(taken.image, tools, today=TODAY)
        seconds.append(read.seconds)
        counts["kind"][outcome(taken.kind, read.kind.value)] += 1
        for name, printed in taken.fields.items():
            counts[name][outcome(printed, read.fields.get(name))] += 1
    return {
        "pictures": count,
        "fields": {name: rates(found) for name, found in counts.items()},
        "seconds": {"median": round(float(np.median(seconds)), 2), "max": max(seconds, default=0.0)},
    }


def rates(found: Mapping[str, int]) -> dict[str, Any]:
    """Return counts, the share of right readings and its interval.

    >>> rates({"right": 99, "absent": 1})["right"]
    0.99
    """
    trials = sum(found.values())
    right = found.get("right", 0)
    low, high = wilson(right, trials)
    return {
        "trials": trials,
        "right": round(right / trials, 4) if trials else 0.0,
        "interval": [round(low, 4), round(high, 4)],
        "absent": found.get("absent", 0),
        "wrong": found.get("wrong", 0),
    }


def measure(cards: int, travel: int, seed: int, tools: DocumentTools) -> dict[str, Any]:
    """Return all figures with a note on how far they can be trusted."""
    levels = {level: measure_cards(level, cards, seed, tools) for level in _LEVELS}
    size = "small set: wide intervals" if cards < SMALL_SET else "set of a few hundred pictures"
    return {
        "note": f"{size}; drawn cards of one layout, no real card: an upper bound",
        "seed": seed,
        "cards": levels,
        "wrong_numbers": sum(figures["fields"]["number"]["wrong"] for figures in levels.values()),
        "travel_documents": travel_documents.measure(travel, seed, tools) if travel else None,
    }


def plot(figures: Mapping[str, Any], path: Path) -> None:
    """Draw the share of right readings of each field by level, with intervals."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - only when a plot is wanted

    figure = Figure(figsize=(9, 4.5), layout="constrained")
    axes = figure.subplots()
    levels = list(figures["cards"])
    names = list(figures["cards"][levels[0]]["fields"])
    for offset, level in enumerate(levels):
        fields = [figures["cards"][level]["fields"][name] for name in names]
        shares = np.array([field["right"] for field in fields])
        bounds = np.array([field["interval"] for field in fields]).T
        places = np.arange(len(names)) + (offset - 1) * 0.25
        axes.errorbar(places, shares, yerr=np.abs(bounds - shares), fmt="o", capsize=3, label=level)
    axes.set_xticks(range(len(names)), names, rotation=30)
    axes.set_ylabel("share read right")
    axes.set_ylim(0, 1.03)
    axes.set_title(figures["note"], fontsize=9)
    axes.legend()
    figure.savefig(path, dpi=120)


def main() -> None:
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=60, help="pictures a level")
    parser.add_argument("--travel", type=int, default=40, help="pictures of travel documents")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    tools = load_document_tools(ModelRuntime(ModelFiles()))
    figures = measure(arguments.count, arguments.travel, arguments.seed, tools)
    text = json.dumps(figures, indent=1)
    if arguments.json:
        arguments.json.write_text(text + "\n", "utf-8")
    if arguments.plot:
        plot(figures, arguments.plot)
    print(text)


if __name__ == "__main__":
    main()
