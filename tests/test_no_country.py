"""Rules are data: no line of feature code names a country, a regulator or a document of one.

Two things may: examples in texts for people (an operator's code, a number), and the reader of one country's
cards, which stands beside those of others and is chosen by what the picture shows.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import shiming
from shiming.jurisdictions.pack_reader import PACKS, builtin_packs, read_pack

ROOT = Path(shiming.__path__[0])
FEATURES = ("registrations", "transfers", "identity_proofing", "privacy", "accounts")
#: Which card a picture shows, which side of it, and what an authority calls it: none of this is a rule.
READERS = {
    "identity_proofing/checks/document_genuine.py",
    "identity_proofing/rules/document_reading.py",
    "identity_proofing/connectors/osia.py",
    "identity_proofing/connectors/sdt_reader/card_text.py",
    "identity_proofing/sandbox_reader/cards.py",
}
COUNTRIES = re.compile(
    r"(?<![a-z])(cn|pk|mx|china|pakistan|mexico|mexican|prc|miit|pta|nadra|cnic|curp|crt|uscc|resident_id)(?![a-z-])",
    re.IGNORECASE,
)


def code_of(file: Path) -> Iterator[tuple[int, str]]:
    """Names, imports and strings of a module; docstrings, `Text(...)`, help and examples are prose."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    prose: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            prose.add(node.value)
        if isinstance(node, ast.Call):
            called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if called == "Text":
                prose |= set(ast.walk(node))
            prose |= {each.value for each in node.keywords if each.arg in {"help", "examples", "description"}}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in prose:
            yield node.lineno, node.value
        elif isinstance(node, ast.Name):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute):
            yield node.lineno, node.attr
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, f"{node.module} {' '.join(each.name for each in node.names)}"


def named_in(file: Path) -> list[str]:
    return [
        f"{file.relative_to(ROOT)}:{line} {found[0]}"
        for line, text in code_of(file)
        if (found := COUNTRIES.search(text))
    ]


def modules(feature: str) -> list[Path]:
    return [
        file
        for file in sorted((ROOT / feature).rglob("*.py"))
        if file.relative_to(ROOT).as_posix() not in READERS and "sandbox_authority" not in file.parts
    ]


@pytest.mark.parametrize("feature", FEATURES)
def test_no_feature_names_a_country(feature: str) -> None:
    files = modules(feature)
    assert len(files) > 10, "the walk found next to nothing"
    assert not [name for file in files for name in named_in(file)]


@pytest.mark.parametrize(
    "line",
    ['if pack == "cn":', "from shiming.vocabulary.organisation_codes.cn import X", "USCC = 1", 'x = "MIIT"'],
)
def test_the_walk_notices_a_country(line: str, tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(line + ("\n    pass\n" if line.endswith(":") else "\n"), encoding="utf-8")
    assert [found for _, text in code_of(file) if (found := COUNTRIES.search(text))]


@pytest.mark.parametrize("pack", builtin_packs())
def test_a_pack_is_data_only(pack: str) -> None:
    kinds = {file.suffix for file in (PACKS / pack).rglob("*") if file.is_file()}
    assert kinds <= {".toml", ".yaml"}
    assert read_pack(pack).values
