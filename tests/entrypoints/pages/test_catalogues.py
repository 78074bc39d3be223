"""Both languages are complete, and no page says anything that it may not."""

import re
from pathlib import Path

import pytest

from shiming.entrypoints.pages.rendering import TEMPLATES
from shiming.entrypoints.pages.translations import LOCALE, read_catalogue, translations_of
from tools.catalogues import differences, texts_of_templates

STATIC = TEMPLATES.parent / "static"
_HAN = re.compile(r"[\u4e00-\u9fff]")
#: Of the switch of languages, the brand and its seal: these are shown in their own language on purpose.
_OWN_LANGUAGE = {"中文", "语言", "实"}


def test_every_text_has_its_chinese_and_none_is_left_over() -> None:
    assert differences() == []


def test_one_text_has_one_chinese_wherever_it_stands() -> None:
    found: dict[str, set[str]] = {}
    for path in (LOCALE / "zh").glob("*.po"):
        for message in read_catalogue(path, "zh"):
            found.setdefault(str(message.id), set()).add(str(message.string))
    assert not {text: chinese for text, chinese in found.items() if len(chinese) > 1}


def test_texts_are_found_at_all() -> None:
    assert "Skip to the content" in texts_of_templates()["common"]
    assert translations_of("zh").gettext("Skip to the content") == "跳到正文"


def test_a_missing_text_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "area").mkdir()
    (tmp_path / "area" / "page.html").write_text('{{ _("Nobody translated this") }}', encoding="utf-8")
    assert texts_of_templates(tmp_path) == {"area": {"Nobody translated this"}}
    assert translations_of("zh").gettext("Nobody translated this") == "Nobody translated this"


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_templates_keep_to_the_content_policy(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|javascript:", text), "inline style or script"
    for opened in re.findall(r"<script[^>]*>", text):
        assert "src=" in opened or 'type="application/json"' in opened, opened
    chinese = set(_HAN.findall(re.sub(r"\{#.*?#\}", "", text, flags=re.DOTALL)))
    assert chinese <= set("".join(_OWN_LANGUAGE)), "Chinese belongs into the catalogue"


@pytest.mark.parametrize("path", sorted(STATIC.rglob("*.js")), ids=lambda path: path.name)
def test_scripts_hold_no_human_text_and_no_evaluation(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not _HAN.search(text)
    assert not re.search(
        r"\beval\(|new Function\(|innerHTML\s*=|document\.write\(|https?://(?!www\.w3\.org/)",
        _without_comments(text),
    )


def _without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/", "", re.sub(r"(?m)//.*$", "", text), flags=re.DOTALL)


def test_catalogues_are_of_known_areas() -> None:
    areas = {path.name for path in TEMPLATES.iterdir() if path.is_dir()} | {"common"}
    assert {path.stem for path in (LOCALE / "zh").glob("*.po")} <= areas
