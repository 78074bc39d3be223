"""Compares the texts of the templates with the Chinese catalogues.

    python -m tools.catalogues     # what is missing, what is left over; exit code 1 when there is anything

A catalogue belongs to the folder of templates that bears its name, `common.po` to templates outside of any.
"""

import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Message
from jinja2.ext import babel_extract

from shiming.entrypoints.pages.rendering import TEMPLATES
from shiming.entrypoints.pages.translations import LOCALE, read_catalogue

_KEYWORDS = ("_", "gettext", "ngettext")


@dataclass(frozen=True, slots=True)
class Difference:
    """One text that is missing in a catalogue, damaged, or of no template any more."""

    area: str
    text: str
    flaw: str

    def __str__(self) -> str:
        return f"{self.area}.po: {self.flaw}: {self.text}"


def texts_of_templates(folder: Path = TEMPLATES) -> dict[str, set[str]]:
    """Return every text by area; of a plural, its singular."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted(folder.rglob("*.html")):
        parts = path.relative_to(folder).parts
        area = parts[0] if len(parts) > 1 else "common"
        with path.open("rb") as file:
            options = {"trimmed": "true", "trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
            for _, _, message, _ in babel_extract(file, _KEYWORDS, [], options):
                text = message[0] if isinstance(message, tuple) else message
                if text:
                    found[area].add(text)
    return found


def differences(language: str = "zh") -> list[Difference]:
    """Return everything that is not as it should be."""
    wanted = texts_of_templates()
    found = []
    catalogues = {path.stem: path for path in (LOCALE / language).glob("*.po")}
    for area in sorted({*wanted, *catalogues}):
        messages = _messages(catalogues[area], language) if area in catalogues else {}
        found += [Difference(area, text, "missing") for text in sorted(wanted[area] - messages.keys())]
        found += [Difference(area, text, "left over") for text in sorted(messages.keys() - wanted[area])]
        found += [Difference(area, text, flaw) for text, each in messages.items() if (flaw := _flaw(each))]
    return found


def _messages(path: Path, language: str) -> dict[str, Message]:
    catalogue = read_catalogue(path, language)
    return {_first(each.id): each for each in catalogue if each.id}


def _flaw(message: Message) -> str:
    """Return what is wrong with a translation: empty, uncertain, or with other places for facts."""
    texts = [message.string] if isinstance(message.string, str) else list(message.string or [""])
    if not all(texts):
        return "not translated"
    if message.fuzzy:
        return "uncertain"
    return "places differ" if list(message.check()) else ""


def _first(text: str | tuple[str, ...] | list[str]) -> str:
    return text if isinstance(text, str) else text[0]


def main() -> None:
    """Print the differences."""
    found = differences()
    for each in found:
        print(each)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
