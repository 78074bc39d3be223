import tomllib
from datetime import date
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.jurisdictions import terms
from shiming.jurisdictions.explanations import LABELS, Labels, cited_values, explain, labels, sources_cited
from shiming.jurisdictions.model import Confidence
from shiming.jurisdictions.pack_reader import builtin_packs, policy_on, read_pack
from tests.jurisdictions.packs_for_tests import a_policy, a_value

POLICY = a_policy()
POLICIES = [policy_on(pack, pack.effective) for pack in map(read_pack, builtin_packs())]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("pack", builtin_packs())
def test_every_cited_value_is_explained_with_its_place(pack: str, language: str) -> None:
    read = read_pack(pack)
    policy = policy_on(read, read.effective)
    explained = {each.path: each for each in explain(policy, language)}
    cited = {".".join(path): value for path, value in cited_values(policy)}
    assert explained.keys() == cited.keys()
    for path, value in cited.items():
        assert explained[path].citation == value.citation
        assert explained[path].source == policy.cite(value.citation, language)
        assert explained[path].since == value.since


def test_values_are_said_in_words() -> None:
    said = {each.path: each.text for each in explain(POLICY, "en")}
    assert said["caps.cards.lines_per_holder_max"] == "lines for one holder, at most: 5"
    assert said["retention.identity.period"] == "identity data: kept for: 2 year(s)"
    assert said["routes.standard.checks_replaced"] == "checks that are replaced: none"
    assert said["documents.adult.sides_required"].endswith(
        "resident identity card = front, back; temporary resident identity card = front"
    )
    zh = {each.path: each.text for each in explain(POLICY, "zh")}
    assert zh["retention.identity.period"] == "登记信息：保存：2年"
    assert zh["documents.minor.guardian_required"] == "需要监护人：是"
    assert zh["routes.no_blink.gestures"] == "可要求的动作：向左转头、向右转头"


def test_notes_and_error_rates_are_said() -> None:
    each = next(each for each in explain(POLICY) if each.path == "thresholds.face_similarity_min")
    assert "5 people" in each.chosen_for
    assert each.note
    assert each.to_json()["until"] is None
    assert each.to_json()["since"] == "2025-06-01"


def test_citations_are_said_as_articles_or_in_words() -> None:
    assert POLICY.cite("order25:7").endswith("art. 7")
    assert POLICY.cite("order25:7", "zh").endswith("第7条")
    assert "gets no further card" in POLICY.cite("six_agencies2016:five_lines")
    assert "不得为其开办新的电话卡" in POLICY.cite("six_agencies2016:five_lines", "zh-CN")


def test_the_end_of_a_value_is_said() -> None:
    path = "caps.cards.at_cap"
    dated = [a_value(path, until=date(2027, 1, 1)), a_value(path, since=date(2027, 1, 1))]
    each = next(each for each in explain(a_policy(path, dated)) if each.path == path)
    assert each.until == date(2027, 1, 1)
    assert each.to_json()["until"] == "2027-01-01"


def test_sources_are_listed_once_with_their_confidence() -> None:
    listed = sources_cited(POLICY, "en")
    assert ("Resident Identity Card Law", "source read") in listed
    assert len(listed) == len(set(listed))
    assert len(listed) <= len(POLICY.sources)


def test_labels_have_no_orphans() -> None:
    used = {".".join(path) for policy in POLICIES for path, _ in cited_values(policy)}
    for key in labels().keys:
        section, *rest = key.split(".")
        assert key in used or any(
            each.startswith(f"{section}.") and each.endswith(f".{rest[-1]}") for each in used
        ), key


def test_every_term_of_the_program_has_words() -> None:
    for name, term in vars(terms).items():
        if isinstance(term, type) and issubclass(term, StrEnum) and term is not StrEnum:
            assert all(f"{name}.{each}" in labels().terms for each in term), name
    assert all(f"Confidence.{each}" in labels().terms for each in Confidence)


def test_the_words_are_there_in_both_languages() -> None:
    read = Labels.model_validate(tomllib.loads(LABELS.read_text(encoding="utf-8")))
    for words in (read.sections, read.keys, read.terms):
        assert all(each.zh and each.en for each in words.values())


@given(confidence=st.sampled_from(Confidence))
def test_primary_is_surest(confidence: Confidence) -> None:
    assert Confidence.PRIMARY.rank <= confidence.rank <= Confidence.JUDGEMENT.rank


def test_the_reference_lists_every_key() -> None:
    reference = (Path(__file__).parents[2] / "docs/reference/policy-packs.md").read_text(encoding="utf-8")
    assert [key for key in labels().keys if f"| `{key}` |" not in reference] == []
