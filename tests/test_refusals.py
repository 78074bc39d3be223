"""Every refusal speaks: to the clerk, to the subscriber, in both languages, and says what to do next."""

import re
from collections import Counter

import pytest

from shiming.vocabulary.refusals import ReasonCode
from tools.refusal_reference import REFERENCE, families, reference

CODES = [code for family in families() for code in family]
_HAN = re.compile(r"[\u4e00-\u9fff]")


def test_the_walk_finds_the_refusals() -> None:
    assert len(CODES) > 60


@pytest.mark.parametrize("code", CODES, ids=lambda code: f"{type(code).__name__}.{code.value}")
def test_it_speaks_to_three_readers_in_two_languages(code: ReasonCode) -> None:
    for text in (code.words.clerk, code.words.subscriber, code.words.next_step):
        assert _HAN.search(text.zh)
        assert re.search(r"[a-z]{2}", text.en)
        assert not _HAN.search(text.en)
        assert text.zh.rstrip()[-1] in "。？！）"
        assert text.en.rstrip()[-1] in ".?!)"


@pytest.mark.parametrize("code", CODES, ids=lambda code: f"{type(code).__name__}.{code.value}")
def test_a_code_is_stable_in_form(code: ReasonCode) -> None:
    assert re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", code.value)


def test_no_code_means_two_things() -> None:
    assert [code for code, times in Counter(code.value for code in CODES).items() if times > 1] == []


def test_the_reference_is_what_the_code_says() -> None:
    assert REFERENCE.read_text(encoding="utf-8") == reference(), "run: python -m tools.refusal_reference"
