"""Figures, tables and a plot from trials. Small samples are called small."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.digits.intervals import wilson
from evaluation.digits.trials import Trial
from shiming.recognition.spoken_digits.claimed_string import edit_distance

Group = Callable[[Trial], str]
FALSE_CLAIMS = ("other_string", "one_edit", "other_speech", "noise")


def rate(errors: Iterable[bool]) -> dict[str, float | int]:
    """Return errors, trials, rate and 95 % interval."""
    listed = list(errors)
    low, high = wilson(sum(listed), len(listed))
    return {
        "errors": sum(listed),
        "trials": len(listed),
        "rate": round(sum(listed) / max(1, len(listed)), 5),
        "low": round(low, 5),
        "high": round(high, 5),
    }


def figures(trials: list[Trial], thresholds: tuple[float, ...]) -> dict[str, Any]:
    """Return all figures by language, speaker and condition."""
    groups: dict[str, Group] = {
        "language": lambda trial: trial.language,
        "sound": lambda trial: f"{trial.language} {trial.speaker}",
        "condition": lambda trial: f"{trial.language} {trial.condition}",
    }
    result: dict[str, Any] = {"note": "few speakers, isolated recordings joined: small-sample evidence"}
    for name, group in groups.items():
        parts: dict[str, list[Trial]] = defaultdict(list)
        for trial in trials:
            parts[group(trial)].append(trial)
        result[f"by_{name}"] = {key: figures_of(part, thresholds) for key, part in sorted(parts.items())}
    return result


def figures_of(trials: list[Trial], thresholds: tuple[float, ...]) -> dict[str, Any]:
    """Return the figures of one group."""
    kinds: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        kinds[trial.kind].append(trial)
    genuine = kinds.pop("genuine", [])
    result: dict[str, Any] = {}
    if genuine:
        distances = [edit_distance(trial.said, trial.heard) for trial in genuine]
        result["not_exact"] = rate(distance > 0 for distance in distances)
        result["digit_errors_per_digit"] = round(float(np.mean(distances)) / len(genuine[0].said), 4)
    result["at_threshold"] = {
        str(threshold): {
            **({"false_refusal": rate(t.score < threshold for t in genuine)} if genuine else {}),
            **{f"accepted_{kind}": rate(t.score >= threshold for t in part) for kind, part in kinds.items()},
        }
        for threshold in thresholds
    }
    return result


def markdown(found: dict[str, Any]) -> str:
    """Return the tables for the documentation."""
    columns = ("false_refusal", *(f"accepted_{kind}" for kind in FALSE_CLAIMS))
    heads = ("refused", *(kind.replace("_", " ") for kind in FALSE_CLAIMS))
    lines = [f"Note: {found['note']}; 95 % Wilson intervals, trials of one speaker are correlated.", ""]
    lines += [
        "| group | not exact | threshold | " + " | ".join(heads) + " |",
        "|---" * (3 + len(heads)) + "|",
    ]
    for by in ("by_language", "by_sound", "by_condition"):
        for group, part in found[by].items():
            for threshold, rates in part["at_threshold"].items():
                cells = [cell(rates.get(column)) for column in columns]
                lines.append(
                    f"| {group} | {cell(part.get('not_exact'))} | {threshold} | " + " | ".join(cells) + " |"
                )
    return "\n".join(lines)


def cell(found: dict[str, Any] | None) -> str:
    """Return one table cell: rate (interval; n)."""
    if not found:
        return "-"
    return f"{found['rate']:.4f} ({found['low']:.3f}-{found['high']:.3f}; n={found['trials']})"


def plot(trials: list[Trial], out: Path) -> None:
    """Draw false refusal against false acceptance of other strings for every speaker."""
    from matplotlib.figure import Figure  # noqa: PLC0415 (a development dependency; slow to import)

    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    grid = np.linspace(-60, 0, 121)
    for speaker in sorted({(t.language, t.speaker) for t in trials if t.kind == "genuine"}):
        mine = [t for t in trials if (t.language, t.speaker) == speaker]
        genuine = np.array([t.score for t in mine if t.kind == "genuine"])
        other = np.array([t.score for t in mine if t.kind == "other_string"])
        axes.plot(
            [max(1e-4, (other >= g).mean()) for g in grid],
            [(genuine < g).mean() for g in grid],
            label=" ".join(speaker),
        )
    axes.set(xscale="log", xlabel="another string accepted", ylabel="right string refused")
    axes.axvline(0.02, linestyle=":", color="grey")
    axes.legend(title="held-out speaker")
    figure.savefig(out, dpi=110)
