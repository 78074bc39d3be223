"""The story of a decision in plain sentences."""

from collections.abc import Iterator, Mapping
from typing import Any

from shiming.vocabulary.errors import BadInput, Text

_OUTCOMES = {
    "Verified": Text(
        zh="核验通过：申请人就是证件持有人。", en="Verified: the applicant is the holder of the document."
    ),
    "NotVerified": Text(zh="核验不通过。", en="Not verified."),
    "NeedsReview": Text(zh="需要人工复核。", en="People must look at it."),
    "Retry": Text(zh="需要补做一步。", en="One step must be done again."),
}
_FOUND = {
    "passed": Text(zh="通过", en="passed"),
    "failed": Text(zh="不符", en="failed"),
    "unclear": Text(zh="不明确", en="unclear"),
    "unavailable": Text(zh="无法进行", en="unavailable"),
    "absent": Text(zh="缺少", en="absent"),
}
_HEAD = Text(
    zh="会话 {session}，{at}，规则包 {pack} {version}（{on}）。",
    en="Session {session}, {at}, rules {pack} {version} on {on}.",
)
_CHOSEN = Text(
    zh="提示为人工选定（评测或训练用），不是系统抽取。",
    en="The challenge was chosen by hand, for evaluation or training; it was not drawn.",
)


def explain_receipt(receipt: Mapping[str, Any], language: str) -> tuple[str, ...]:
    """Tell the story of a decision in plain sentences, one a line."""
    try:
        return tuple(_story(receipt, "zh" if language.startswith("zh") else "en"))
    except (KeyError, TypeError, AttributeError) as error:
        raise BadInput(
            "RECEIPT_FORM",
            Text(zh="不是本版本的决定回执。", en="This is no decision receipt of this version."),
            advice=Text(zh="请使用原始回执文件。", en="Use the receipt as it was issued."),
        ) from error


def _story(receipt: Mapping[str, Any], language: str) -> Iterator[str]:
    pack, decision = receipt["pack"], receipt["decision"]
    yield _OUTCOMES[decision["outcome"]].in_language(language)
    yield _HEAD.in_language(language).format(
        session=receipt["session"],
        at=receipt["issued_at"],
        pack=pack["id"],
        version=pack["version"],
        on=pack["on"],
    )
    if (receipt["challenge"] or {}).get("origin") == "chosen":
        yield _CHOSEN.in_language(language)
    for reason in decision["reasons"]:
        said = f"{reason['text'][language]} {reason['advice'][language]}".rstrip()
        yield f"- {said} [{reason['code']}; {reason['citation']}]"
    for check in receipt["checks"]:
        figures = ", ".join(
            f"{name}={value}" for name, value in check["measurements"].items() if value is not None
        )
        found = _FOUND[check["outcome"]].in_language(language)
        yield f"{check['check']}: {found}" + (f" ({figures})" if figures else "")
