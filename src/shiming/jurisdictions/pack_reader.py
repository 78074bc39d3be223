"""Read a policy pack: a folder of TOML files, every value dated and cited.

    [pack]                                   id, version, effective, title
    [names.resident_id]                      zh, en: the pack's own words
    [sources.order25]                        title, confidence, url?, articles
    [caps.cards.lines_per_holder_max]        value, citation, confidence, since, until?, note?, chosen_for?

A key with several dated values is an array of tables (`[[...]]`). The files of a folder are one pack;
how the values are spread over them means nothing, except that the same key may not stand in two files.
A pack may stand on parts that come with the program (`extends = ["common"]`: limits of models, which no law
names); what the pack says itself goes before. The hash is taken of the whole.
A pack is read whole or refused: an uncited value, an unknown key, an unknown source, overlapping dates,
or a day on which a value is missing refuse it with the path of the value.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeGuard

from pydantic import ValidationError

from shiming.infrastructure.canonical_json import canonical_bytes, content_hash
from shiming.jurisdictions.citations import Record, Source, Wording
from shiming.jurisdictions.dated_values import (
    DatedValue,
    citation_problems,
    date_problems,
    dated_values,
    days_of_change,
    is_leaf,
    problems_of,
    refusal,
    refuse_any,
    tree_on,
)
from shiming.jurisdictions.model import Name, Policy
from shiming.jurisdictions.policy_consistency import inconsistencies
from shiming.vocabulary.errors import BadInput, Text

PACKS = Path(__file__).parent / "packs"
FILES_MAX = 50
FILE_BYTES_MAX = 1_000_000  # a pack is written by people; more is a mistake
HEADER_SECTIONS = frozenset({"pack", "names", "sources"})


class PackHeader(Record):
    """Which pack this is."""

    id: Name
    version: str
    effective: date  # first day on which every value is in force
    title: Wording
    extends: tuple[Name, ...] = ()  # folders beside the built-in packs
    time_zone: str = "UTC"  # IANA; where the days of the rules begin
    number_regions: tuple[str, ...] = ()  # ISO 3166-1, whose numbers are registered; none: any valid number


class _Preface(Record):
    pack: PackHeader
    names: Mapping[Name, Wording]
    sources: Mapping[Name, Source]


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack as it was read. `content` is the RFC 8785 text that the hash is taken of."""

    header: PackHeader
    content_hash: str
    content: str = field(repr=False)
    values: tuple[DatedValue, ...] = field(repr=False, compare=False)
    folder: Path | None = field(repr=False, default=None)

    @property
    def id(self) -> str:
        """Return the name of the pack, such as `cn`."""
        return self.header.id

    @property
    def version(self) -> str:
        """Return the version of the pack."""
        return self.header.version

    @property
    def effective(self) -> date:
        """Return the first day on which the pack can be asked."""
        return self.header.effective


def builtin_packs() -> tuple[str, ...]:
    """Return the names of the packs that come with the program."""
    return tuple(sorted(folder.name for folder in PACKS.iterdir() if (folder / "pack.toml").is_file()))


def read_pack(folder_or_id: str | Path) -> Pack:
    """Return the pack in a folder, or the built-in pack of that name; raise BadInput when it is refused."""
    folder = PACKS / folder_or_id if str(folder_or_id) in builtin_packs() else Path(folder_or_id)
    return parse_pack(read_content(folder), folder)


def read_content(folder: Path) -> dict[str, Any]:
    """Return the parsed TOML of a pack's folder, over that of the parts it stands on."""
    content = _read_folder(folder)
    header = content.get("pack")
    bases = header.get("extends", ()) if isinstance(header, Mapping) else ()
    for base in bases:
        if not isinstance(base, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", base):
            raise refusal([f"pack.extends: {base!r}"])
        content = _overlaid(_read_folder(PACKS / base), content)
    return content


def _read_folder(folder: Path) -> dict[str, Any]:
    files = sorted(folder.glob("*.toml")) if folder.is_dir() else []
    if not files or len(files) > FILES_MAX:
        raise BadInput(
            "PACK_NOT_FOUND",
            Text(zh="找不到规则包。", en="There is no such policy pack."),
            Text(
                zh="用 shiming packs list 查看内置规则包。",
                en="See the built-in packs with: shiming packs list",
            ),
            {"pack": str(folder), "builtin": list(builtin_packs())},
        )
    content: dict[str, Any] = {}
    for file in files:
        _merge(content, _read_toml(file), ())
    return content


def _overlaid(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return both together; where both have a value, the pack's own."""
    both = dict(base)
    for key, value in own.items():
        under = both.get(key)
        both[key] = _overlaid(under, value) if _is_section(under) and _is_section(value) else value
    return both


def parse_pack(content: Mapping[str, Any], folder: Path | None = None) -> Pack:
    """Return the pack of parsed TOML; raise BadInput with the paths of everything wrong in it."""
    try:
        canonical = canonical_bytes(_plain(content))
    except ValueError as error:  # NaN, infinity, an integer beyond 53 bits
        raise refusal([str(error)]) from None
    plain = json.loads(canonical)
    preface = _parse_preface(plain)
    values = tuple(
        value
        for section, node in plain.items()
        if section not in HEADER_SECTIONS
        for value in dated_values(node, (section,))
    )
    refuse_any(citation_problems(values, preface.sources))
    refuse_any(date_problems(values))
    pack = Pack(preface.pack, content_hash(plain), canonical.decode(), values, folder)
    for day in days_of_change(values, pack.effective):
        _resolve(pack, day)
    return pack


def policy_on(pack: Pack, on: date) -> Policy:
    """Return the rules of the pack on a day; raise BadInput for a day before the pack is effective."""
    if on < pack.effective:
        raise BadInput(
            "POLICY_NOT_IN_FORCE",
            Text(zh=f"规则包自 {pack.effective} 起生效。", en=f"The pack is in force from {pack.effective}."),
            Text(zh="请使用更晚的日期。", en="Use a later date."),
            {"pack": pack.id, "on": on.isoformat(), "effective": pack.effective.isoformat()},
        )
    return _resolve(pack, on)


@lru_cache(maxsize=64)
def _resolve(pack: Pack, on: date) -> Policy:
    content = json.loads(pack.content)
    tree = tree_on(pack.values, on) | {
        "pack_id": pack.id,
        "pack_version": pack.version,
        "on": on.isoformat(),
        "content_hash": pack.content_hash,
        "sources": content["sources"],
        "names": content["names"],
    }
    try:
        policy = Policy.model_validate_json(json.dumps(tree))
    except ValidationError as error:
        raise refusal(f"{problem} (on {on})" for problem in problems_of(error)) from None
    refuse_any(f"{problem} (on {on})" for problem in inconsistencies(policy))
    return policy


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise refusal([f"{file.name}: larger than {FILE_BYTES_MAX} bytes"])
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refusal([f"{file.name}: {error}"]) from None


def _merge(into: dict[str, Any], addition: Mapping[str, Any], path: tuple[str, ...]) -> None:
    for key, value in addition.items():
        if key not in into:
            into[key] = value
        elif _is_section(into[key]) and _is_section(value):
            _merge(into[key], value, (*path, key))
        else:
            raise refusal([f"{'.'.join((*path, key))}: stands in two files"])


def _is_section(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict) and not is_leaf(value)


def _plain(value: Any) -> Any:
    """Return TOML as JSON: dates become ISO 8601 text."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def _parse_preface(content: Mapping[str, Any]) -> _Preface:
    try:
        return _Preface.model_validate_json(
            json.dumps({section: content[section] for section in HEADER_SECTIONS & content.keys()})
        )
    except ValidationError as error:
        raise refusal(problems_of(error)) from None
