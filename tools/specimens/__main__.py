"""Command line: `python -m tools.specimens --help`."""

import argparse
import json
from pathlib import Path
from typing import get_args

import cv2

from tools.specimens.build import GROUPS, build
from tools.specimens.card_series import write_card_series
from tools.specimens.demo_clip import DEMO_PERFORMANCE, write_performance
from tools.specimens.photography import Level
from tools.specimens.typefaces import Pixels


def _read(path: Path) -> Pixels:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise SystemExit(f"{path} is not a picture")
    return picture  # type: ignore[return-value]  # 8 bits were asked for


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.specimens", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    whole = commands.add_parser("build", help="write the committed specimens and cases.json")
    whole.add_argument("out", type=Path)
    whole.add_argument("--only", nargs="+", choices=GROUPS, default=GROUPS, help="some groups only")
    cards = commands.add_parser("cards", help="write a series of photographed cards with truth.jsonl")
    cards.add_argument("out", type=Path)
    cards.add_argument("--count", type=int, default=20)
    cards.add_argument("--level", choices=get_args(Level), default="medium")
    cards.add_argument("--seed", type=int, default=1000)
    clip = commands.add_parser("animate", help="animate the face of a photograph through the demo's gestures")
    clip.add_argument("photograph", type=Path)
    clip.add_argument("out", type=Path)
    return parser


def main() -> None:
    """Run one command."""
    given = _arguments().parse_args()
    if given.command == "build":
        print(build(given.out, tuple(given.only)))
    elif given.command == "cards":
        for truth in write_card_series(given.out, given.count, given.level, given.seed):
            print(json.dumps(truth, ensure_ascii=False))
    else:
        write_performance(given.out, DEMO_PERFORMANCE, photograph=_read(given.photograph))
        print(given.out)


if __name__ == "__main__":
    main()
