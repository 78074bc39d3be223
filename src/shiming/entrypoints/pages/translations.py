"""Message catalogues: English stands in the templates, other languages in `locale/LANGUAGE/*.po`.

Catalogues are read as they are, at the first page; nothing is compiled at set-up.
"""

import io
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

LOCALE = Path(__file__).parents[1] / "locale"
LANGUAGES = ("zh", "en")
SOURCE_LANGUAGE = "en"


@cache
def translations_of(language: str) -> NullTranslations:
    """Return the messages of a language; of the source language, the messages as they stand."""
    merged = NullTranslations()
    if language == SOURCE_LANGUAGE:
        return merged
    found = Translations()
    for path in sorted((LOCALE / language).glob("*.po")):
        compiled = _compiled(read_catalogue(path, language))
        found.merge(compiled)
        found.plural = compiled.plural  # else English plurals are looked for, and not found
    return found


def read_catalogue(path: Path, language: str) -> Catalog:
    """Return a catalogue; raises ValueError with the line where it is damaged."""
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def _compiled(catalogue: Catalog) -> Translations:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)
