"""Put right what text recognition confuses, when check digits prove it.

(1) Where the standard allows digits only, a letter becomes the digit that looks like it.
(2) Where both may stand (document number, optional data), look-alikes are exchanged: one character, or
    every one of the same letter, or a tail of letters read for fillers.
(3) A repair is accepted when it makes every check digit right and nothing else of equal or smaller extent
    does; a check digit that could itself be the misread one counts as a rival. Otherwise the zone stays.

Not provable, and therefore a matter for a second reading: look-alikes of equal value modulo 10 in a document
number, such as 6/G, 1/L, or a last K for a filler. `alternative_document_numbers` names them.

>>> from shiming.vocabulary.machine_readable_zone.layouts import TD3
>>> names = "P<UTOERIKSSON<<ANNA<MARIA".ljust(44, "<")
>>> numbers = "L898902C36UTO7408122F1204159ZE184226B<<<<<10"
>>> misread = numbers.replace("L898902C3", "L8989O2C3").replace("7408122", "74O8I22")
>>> repair_zone(names + misread, TD3) == names + numbers
True
"""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import product
from typing import NamedTuple

from shiming.vocabulary.machine_readable_zone.check_digits import FILLER, check_digit
from shiming.vocabulary.machine_readable_zone.checks import all_right, check_results, document_number
from shiming.vocabulary.machine_readable_zone.layouts import Layout, Span
from shiming.vocabulary.machine_readable_zone.model import CheckName

TO_DIGIT = str.maketrans("OQDILZSGBAT", "00011256847")
_LOOK_ALIKE = {
    "0": "ODQ", "O": "0", "D": "0", "Q": "0", "1": "IL", "I": "1", "L": "1", "5": "S", "S": "5",
    "8": "B", "B": "8", "2": "Z", "Z": "2", "6": "G", "G": "6",
}  # fmt: skip
EXCHANGES_MAX = 2  # more could make any sum right
LETTERS_AS_FILLERS_MIN = 3
READ_FOR_FILLER = frozenset("KLCSXE")


class Exchange(NamedTuple):
    """Other text for a stretch of the zone; a rival explains the zone but is never accepted."""

    start: int
    text: str
    is_rival: bool = False


class Reading(NamedTuple):
    """One way to read the zone."""

    zone: str
    exchanges: int
    acceptable: bool


def repair_zone(zone: str, layout: Layout) -> str:
    """Return the proven reading of a zone of the right length, or the zone itself."""
    if all_right(zone, layout):
        return zone
    digits = _digits_where_only_digits_may_stand(zone, layout)
    wrong = {result.name for result in check_results(digits, layout) if not result.valid}
    if not wrong:
        return digits
    if wrong & {"birth_date", "expiry_date"}:  # nothing looks like a digit there any more
        return zone
    solutions = [reading for reading in _readings(digits, layout, wrong) if all_right(reading.zone, layout)]
    fewest = min((reading.exchanges for reading in solutions), default=0)
    best = {(reading.zone, reading.acceptable) for reading in solutions if reading.exchanges == fewest}
    found, acceptable = best.pop() if len(best) == 1 else (zone, False)
    return found if acceptable else zone


def alternative_document_numbers(zone: str, layout: Layout) -> tuple[str, ...]:
    """Return other document numbers, one exchange away, that the check digits of a right zone allow too."""
    readings = (_with(zone, [exchange]) for exchange in _exchanges(zone, layout.document_number))
    return tuple(document_number(z, layout).number.strip(FILLER) for z in readings if all_right(z, layout))


def _digits_where_only_digits_may_stand(zone: str, layout: Layout) -> str:
    characters = list(zone)
    dates = (layout.birth_date, layout.expiry_date)
    positions = [i for span in dates for i in range(span.start, span.end + 1)]
    positions += [layout.document_number.end, *(i for i in (layout.composite_check,) if i >= 0)]
    for i in positions:
        characters[i] = zone[i].translate(TO_DIGIT)
    for i in (i for span in dates for i in range(span.start, span.end, 2)):
        pair = characters[i : i + 2]
        if pair.count(FILLER) == 1:  # an unknown part has two fillers: one is a zero that was misread
            characters[i : i + 2] = ["0" if character == FILLER else character for character in pair]
    if layout.optional_check >= 0:
        empty = not layout.optional_data.of(zone).strip(FILLER)
        read = zone[layout.optional_check]
        characters[layout.optional_check] = FILLER if empty and read.isalpha() else read.translate(TO_DIGIT)
    return "".join(characters)


def _readings(zone: str, layout: Layout, wrong: AbstractSet[CheckName]) -> Iterator[Reading]:
    """Exchange look-alikes in the fields whose own check digit is wrong, or that have none of their own."""
    fields: list[list[Exchange | None]] = []
    if "document_number" in wrong:
        goes_on = [None] if document_number(zone, layout).optional_taken else []
        fields.append([*goes_on, *_exchanges(zone, layout.document_number), *_rivals(zone, layout)])
    if layout.composite_check >= 0 and (layout.optional_check < 0 or "optional_data" in wrong):
        fields.append([None, *_exchanges(zone, layout.optional_data)])
        fields.append([None, *_exchanges(zone, layout.optional_data_2)])
    for combination in product(*fields):
        exchanges = [exchange for exchange in combination if exchange]
        if len(exchanges) <= EXCHANGES_MAX:
            acceptable = not any(exchange.is_rival for exchange in exchanges)
            yield Reading(_with(zone, exchanges), len(exchanges), acceptable)


def _with(zone: str, exchanges: Iterable[Exchange]) -> str:
    for start, text, _ in exchanges:
        zone = zone[:start] + text + zone[start + len(text) :]
    return zone


def _exchanges(zone: str, field: Span) -> Iterator[Exchange]:
    text = field.of(zone)
    changed = _exchanged(text, {c: others[0] for c, others in _LOOK_ALIKE.items()})
    changed |= {text[:i] + FILLER * (len(text) - i) for i in range(len(text)) if _may_be_fillers(text[i:])}
    rivals = {new for at in (1, 2) for new in _exchanged(text, _others_at(at))} - changed
    for new in sorted((changed | rivals) - {text}):
        yield Exchange(field.start, new, is_rival=new in rivals)


def _others_at(place: int) -> dict[str, str]:
    """Return the less likely look-alikes: they explain a misreading, but prove no repair."""
    return {c: others[place] for c, others in _LOOK_ALIKE.items() if len(others) > place}


def _exchanged(text: str, like: Mapping[str, str]) -> set[str]:
    """Return the text with one look-alike exchanged, or with every one of the same character."""
    changed = {text[:i] + like[c] + text[i + 1 :] for i, c in enumerate(text) if c in like}
    return changed | {text.replace(c, like[c]) for c in set(text) & set(like)}


def _may_be_fillers(tail: str) -> bool:
    """Whether a tail may be fillers only: a filler among them, or more letters than a number ends with."""
    return set(tail) <= READ_FOR_FILLER | {FILLER} and (FILLER in tail or len(tail) >= LETTERS_AS_FILLERS_MIN)


def _rivals(zone: str, layout: Layout) -> Iterator[Exchange]:
    """Yield the check digit of the document number as the misread character."""
    if layout.composite_check >= 0:
        number, _, taken = document_number(zone, layout)
        at = layout.optional_data.start + taken - 1 if taken else layout.document_number.end
        yield Exchange(at, check_digit(number), is_rival=True)
