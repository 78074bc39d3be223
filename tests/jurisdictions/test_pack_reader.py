import re
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shiming.jurisdictions.explanations import cited_values
from shiming.jurisdictions.model import Confidence, Threshold
from shiming.jurisdictions.pack_reader import (
    FILES_MAX,
    PACKS,
    builtin_packs,
    parse_pack,
    policy_on,
    read_pack,
)
from shiming.vocabulary.errors import BadInput
from tests.jurisdictions.packs_for_tests import (
    A_DAY,
    CAP,
    a_pack,
    a_policy,
    a_value,
    cn_content,
    content_with,
)

PATHS = sorted(".".join(path) for path, _ in cited_values(a_policy()))


def problems(content: dict[str, Any]) -> list[str]:
    with pytest.raises(BadInput) as refused:
        parse_pack(content)
    assert refused.value.code == "PACK_INVALID"
    found: list[str] = refused.value.details["problems"]
    return found


def test_the_built_in_pack_is_read() -> None:
    assert "cn" in builtin_packs()
    policy = policy_on(read_pack("cn"), A_DAY)
    assert policy.caps["cards"].lines_per_holder_max.value == 5
    assert policy.on == A_DAY
    assert policy.content_hash == read_pack("cn").content_hash


@pytest.mark.parametrize("pack", builtin_packs())
def test_every_built_in_pack_answers_from_its_first_day(pack: str) -> None:
    read = read_pack(pack)
    assert policy_on(read, read.effective).pack_id == pack
    with pytest.raises(BadInput, match="POLICY_NOT_IN_FORCE"):
        policy_on(read, read.effective - timedelta(days=1))


def test_what_is_not_read_in_the_source_does_not_claim_to_be() -> None:
    policy = a_policy()
    primary = [path for path, value in cited_values(policy) if value.confidence is Confidence.PRIMARY]
    sources = policy.sources
    assert sources["order25"].confidence is Confidence.SECONDARY
    assert all(path[0] not in {"caps", "retention", "documents", "thresholds"} for path in primary)


def test_every_threshold_says_what_it_was_chosen_for() -> None:
    thresholds = a_policy().thresholds
    assert all(isinstance(value, Threshold) and value.chosen_for for _, value in cited_values(thresholds))


@given(path=st.sampled_from(PATHS))
@settings(max_examples=30, deadline=None)
def test_a_value_without_citation_is_refused_with_its_path(path: str) -> None:
    found = problems(content_with(path, a_value(path, citation=None)))
    assert found == [f"{path}.citation: Field required"]


@given(path=st.sampled_from(PATHS))
@settings(max_examples=20, deadline=None)
def test_a_bare_value_is_refused_with_its_path(path: str) -> None:
    bare = a_value(path)["value"]
    found = problems(content_with(path, bare if not isinstance(bare, dict) else 1))
    assert found == [f"{path}: a value without citation"]


@given(path=st.sampled_from(PATHS), part=st.sampled_from(["value", "confidence", "since"]))
@settings(max_examples=20, deadline=None)
def test_a_value_that_says_too_little_is_refused(path: str, part: str) -> None:
    assert problems(content_with(path, a_value(path, **{part: None}))) == [f"{path}.{part}: Field required"]


@given(path=st.sampled_from(PATHS))
@settings(max_examples=20, deadline=None)
def test_an_unknown_part_of_a_value_is_refused(path: str) -> None:
    assert problems(content_with(path, a_value(path, reason="x"))) == [
        f"{path}.reason: Extra inputs are not permitted"
    ]


def test_a_threshold_without_error_rates_is_refused() -> None:
    path = "thresholds.face_similarity_min"
    found = problems(content_with(path, a_value(path, chosen_for=None)))
    assert found == [f"{path}.chosen_for: Field required (on 2025-06-01)"]


def test_an_unknown_key_is_refused() -> None:
    content = cn_content()
    content["caps"]["cards"]["lines_per_family"] = a_value(CAP)
    assert problems(content) == [
        "caps.cards.lines_per_family: Extra inputs are not permitted (on 2025-06-01)"
    ]


@pytest.mark.parametrize("section", ["pack", "sources.order25", "names.adult"])
def test_an_unknown_key_of_the_preface_is_refused(section: str) -> None:
    content = cn_content()
    node = content
    for name in section.split("."):
        node = node[name]
    node["colour"] = "red"
    assert problems(content) == [f"{section}.colour: Extra inputs are not permitted"]


def test_a_missing_key_is_refused() -> None:
    assert problems(content_with(CAP, None)) == [f"{CAP}: Field required (on 2025-06-01)"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (CAP, "5"),
        (CAP, -1),
        (CAP, 5.5),
        (CAP, True),
        ("channels.shop.required_checks", ["telepathy"]),
        ("retention.clip.period", "P"),
        ("retention.clip.period", "30 days"),
        ("retention.clip.period", "PT8H"),
        ("thresholds.face_similarity_min", 1.5),
        ("authority.unreachable_outcome", "verified"),
        ("challenge.life_seconds", 0),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(path: str, value: object) -> None:
    found = problems(content_with(path, a_value(path, value=value)))
    assert found
    assert all(problem.startswith(f"{path}.value") for problem in found)


@pytest.mark.parametrize("citation", ["order26:7", "order25:99"])
def test_a_citation_of_an_unknown_place_is_refused(citation: str) -> None:
    assert problems(content_with(CAP, a_value(CAP, citation=citation))) == [
        f"{CAP}.citation: no source {citation}"
    ]


def test_a_value_is_not_surer_than_its_source() -> None:
    found = problems(content_with(CAP, a_value(CAP, confidence="primary")))
    assert found == [f"{CAP}.confidence: primary is surer than its source (secondary)"]


def test_an_article_may_be_less_sure_than_its_law() -> None:
    path = "retention.access_log.period"
    found = problems(content_with(path, a_value(path, confidence="primary")))
    assert found == [f"{path}.confidence: primary is surer than its source (secondary)"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**60])
def test_a_number_that_json_cannot_say_is_refused(value: float) -> None:
    assert problems(content_with(CAP, a_value(CAP, value=value)))


def test_the_hash_is_that_of_the_content_not_of_the_files(tmp_path: Path) -> None:
    source = PACKS / "cn"
    merged = "\n".join(file.read_text(encoding="utf-8") for file in sorted(source.glob("*.toml")))
    (tmp_path / "all.toml").write_text(f"# a comment\n{merged}", encoding="utf-8")
    assert read_pack(tmp_path).content_hash == read_pack("cn").content_hash
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", read_pack("cn").content_hash)


@given(path=st.sampled_from(PATHS), day=st.dates(date(2000, 1, 1), date(2012, 1, 1)))
@settings(max_examples=25, deadline=None)
def test_the_hash_changes_with_every_part_of_every_value(path: str, day: date) -> None:
    assert a_pack(path, a_value(path, since=day)).content_hash != a_pack().content_hash


@given(cap=st.integers(0, 1000) | st.just(5))
@settings(max_examples=20, deadline=None)
def test_the_hash_is_the_same_for_the_same_value_only(cap: int) -> None:
    changed = a_pack(CAP, a_value(CAP, value=cap))
    assert (changed.content_hash == a_pack().content_hash) == (cap == 5)


def test_what_cannot_be_found_is_refused(tmp_path: Path) -> None:
    for folder in ("atlantis", str(tmp_path), str(tmp_path / "missing")):
        with pytest.raises(BadInput, match="PACK_NOT_FOUND"):
            read_pack(folder)


@pytest.mark.parametrize(
    "content",
    [b"[pack", b"\xff\xfe", b"a = 1\n" * 300_000, b"a = " + b"[" * 100_000],
    ids=["syntax", "encoding", "size", "depth"],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pack.toml").write_bytes(content)
    with pytest.raises(BadInput, match="PACK_INVALID"):
        read_pack(tmp_path)


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    for number in range(FILES_MAX + 1):
        (tmp_path / f"{number}.toml").touch()
    with pytest.raises(BadInput, match="PACK_NOT_FOUND"):
        read_pack(tmp_path)


def test_the_same_key_in_two_files_is_refused(tmp_path: Path) -> None:
    shutil.copytree(PACKS / "cn", tmp_path / "cn")
    shutil.copy(PACKS / "cn" / "caps.toml", tmp_path / "cn" / "more.toml")
    with pytest.raises(BadInput, match="stands in two files"):
        read_pack(tmp_path / "cn")


def test_a_preface_is_needed() -> None:
    content = cn_content()
    del content["sources"]
    assert problems(content) == ["sources: Field required"]


NODES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
    lambda nodes: (
        st.lists(nodes, max_size=3)
        | st.dictionaries(
            st.sampled_from(["value", "citation", "confidence", "since", "until", "note", "title", "x"]),
            nodes,
        )
    ),
    max_leaves=8,
)


@given(
    path=st.sampled_from([*PATHS, "caps", "sources", "sources.order25.articles", "names", "pack"]),
    node=NODES,
)
@settings(max_examples=60, deadline=None)
def test_no_content_surprises_the_reader(path: str, node: Any) -> None:
    try:
        pack = parse_pack(content_with(path, node) if node is not None else content_with(path, ""))
    except BadInput as refused:
        assert refused.code == "PACK_INVALID"  # noqa: PT017 - a pack that happens to be right is right
    else:
        assert policy_on(pack, A_DAY)


@pytest.mark.parametrize("section", ["value", "citation"])
def test_a_value_outside_of_every_section_is_refused(section: str) -> None:
    assert problems({**cn_content(), section: a_value(CAP)})
