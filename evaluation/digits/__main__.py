"""Claimed-string and exact-string error rates of the digit nets.

    python -m evaluation.digits --speech ../shared/testdata/speech --silero-vad FILE.onnx \
        --trial cmn:cmn_a:NET.onnx --trial eng:theo:NET.onnx [--person FOLDER] \
        [--syllables FOLDER ...] [--speech-sound FILE ...] [--plot OUT.png] [--out FIGURES.json]

Each `--trial` names a language, a speaker and a net that has never heard that speaker (leave one out).
Prints JSON, or with `--markdown` the tables for docs/reference/recognition.md.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from evaluation.digits import report
from evaluation.digits.assembly import recordings_of, speaker_named
from evaluation.digits.trials import (
    Trial,
    impostor_trials,
    noises,
    running_speech,
    speaker_trials,
    syllable_strings,
    tools_for,
)


def parsed() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--silero-vad", type=Path, required=True)
    parser.add_argument("--trial", action="append", default=[])
    parser.add_argument("--person", type=Path, action="append", default=[], help="folder of another speaker")
    parser.add_argument("--syllables", type=Path, action="append", default=[])
    parser.add_argument("--speech-sound", type=Path, action="append", default=[])
    parser.add_argument("--strings", type=int, default=40, help="strings a speaker and condition")
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--thresholds", type=float, nargs="*", default=[-8, -10, -12, -15, -20])
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--markdown", action="store_true")
    return parser.parse_args()


def trials_of(arguments: argparse.Namespace) -> list[Trial]:
    """Run everything asked for."""
    trials: list[Trial] = []
    elsewhere = {path.name: path for path in arguments.person}
    for index, stated in enumerate(arguments.trial):
        language, name, net = stated.split(":", 2)
        dice = np.random.default_rng(arguments.seed + index)
        tools = tools_for(language, Path(net), arguments.silero_vad)
        speaker = (
            recordings_of(elsewhere[name]) if name in elsewhere else speaker_named(name, arguments.speech)
        )
        trials += speaker_trials(speaker, language, tools, arguments.strings, dice)
        for folder in arguments.syllables:
            sounds = syllable_strings(folder, arguments.strings, dice)
            trials += impostor_trials(sounds, "other_speech", language, tools, dice)
        if arguments.speech_sound:
            sounds = running_speech(arguments.speech_sound, arguments.strings, dice)
            trials += impostor_trials(sounds, "other_speech", language, tools, dice)
        trials += impostor_trials(noises(arguments.strings, dice), "noise", language, tools, dice)
    return trials


def main() -> None:
    """Run, print, and write."""
    arguments = parsed()
    trials = trials_of(arguments)
    figures = report.figures(trials, tuple(arguments.thresholds))
    if arguments.out:
        arguments.out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if arguments.plot:
        report.plot(trials, arguments.plot)
    print(report.markdown(figures) if arguments.markdown else json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
