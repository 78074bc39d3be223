"""The administrative divisions (GB/T 2260) of mainland China that were in force in a given year.

Read from the table that python-stdnum carries, whose entries look like `0102 county="[1983-]玄武区"`
and may name several periods.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

MAINLAND_PROVINCES_MAX = 65
_PERIOD = re.compile(r"(?:\[(\d*)-(\d*)\])?(.+)")
_UNUSABLE = ("市辖区", "市区", "县", "省直辖", "自治区直辖", "城区市辖", "郊区", "矿区")


@dataclass(frozen=True, slots=True)
class Division:
    """A county, district or county-level city, and the years in which its code meant this name."""

    code: str
    province: str
    prefecture: str
    name: str
    first_year: int
    last_year: int

    def in_force(self, year: int) -> bool:
        """Return whether the code stood for this division during the whole of the year."""
        return self.first_year < year < self.last_year

    @property
    def full_name(self) -> str:
        """Return the name as an address begins: 江苏省南京市玄武区, 北京市朝阳区, 四川省仪陇县."""
        # a county's prefecture is usually left out on a card, a district's is not
        if self.prefecture.endswith("市") and self.name.endswith("区"):
            return f"{self.province}{self.prefecture}{self.name}"
        return f"{self.province}{self.name}"


def _names(text: str) -> list[tuple[str, int, int]]:
    found = []
    for part in text.split(","):
        match = _PERIOD.fullmatch(part)
        if match:
            first, last, name = match.groups()
            found.append((name, int(first or 1900), int(last or 2999)))
    return found


@cache
def all_divisions() -> tuple[Division, ...]:
    """Return every county-level division of the mainland, of all times."""
    table = resources.files("stdnum.cn").joinpath("loc.dat").read_text(encoding="utf-8")
    found: list[Division] = []
    province, digits = "", ""
    prefectures: dict[str, str] = {}
    for line in table.splitlines():
        head = re.fullmatch(r'(\d\d) province="(.+)"', line)
        entry = re.fullmatch(r'  (\d{4}) county="(.+)"', line)
        if head:
            digits, province = head.groups()
            prefectures = {}
        elif entry and int(digits) <= MAINLAND_PROVINCES_MAX:
            code, text = entry.groups()
            if code.endswith("00"):
                prefectures[code[:2]] = _names(text)[-1][0]
                continue
            for name, first, last in _names(text):
                if name not in _UNUSABLE and not name.startswith(("省直辖", "自治区直辖")):
                    prefecture = prefectures.get(code[:2], "")
                    found.append(Division(digits + code, province, prefecture, name, first, last))
    return tuple(found)


def divisions_in_force(*years: int) -> tuple[Division, ...]:
    """Return the divisions whose code stood for the same name in each of the years."""
    return tuple(d for d in all_divisions() if all(d.in_force(year) for year in years))
