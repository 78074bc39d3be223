"""What a receipt on paper says and what its code carries. Pure: the same receipt gives the same page."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from shiming.registrations.model.paper_receipts import KIND, VERSION, PaperPage
from shiming.vocabulary.errors import Text

_PERIOD = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?")
_UNITS = (("年", "years"), ("个月", "months"), ("周", "weeks"), ("天", "days"))
_SECONDS_END = 19  # 2026-05-01T12:00:00

_WORDS: Mapping[str, Text] = {
    "mobile": Text(zh="移动电话", en="mobile line"),
    "data_card": Text(zh="无线上网卡", en="wireless data card"),
    "fixed": Text(zh="固定电话", en="fixed line"),
    "internet": Text(zh="互联网接入", en="internet access"),
    "read_back": Text(zh="本人报出确认码", en="by a code read back"),
    "own_device": Text(zh="本人在自己的设备上", en="on one's own device"),
}
_REHEARSAL = Text(
    zh="演练：此回执不构成有效登记。",
    en="Rehearsal: this is no valid registration.",
)


def paper_content(receipt: Mapping[str, Any], *, receipt_hash: str, key_id: str) -> dict[str, Any]:
    """Return what the code carries of a registration receipt; `receipt_hash` ties it to the whole one."""
    line, proof = receipt["line"], receipt["proof"]
    contract = receipt.get("contract") or {}
    terms = contract.get("terms")
    return {
        "kind": KIND,
        "version": VERSION,
        "key": key_id,
        "line": line["id"],
        "number": line["number"],
        "operator": line["operator"],
        "line_kind": line.get("kind", "mobile"),
        "product_class": line["product_class"],
        "registered_at": line["registered_at"],
        "rehearsal": proof["rehearsal"],
        "rules": sorted({rule["citation"] for rule in receipt["rules"]}),
        "pack": f"{receipt['pack']['id']} {receipt['pack']['version']}",
        "terms": terms and {"version": terms["version"], "hash": terms["hash"]},
        "confirmed": (contract.get("confirmed") or {}).get("how"),
        "leaf": receipt["ledger"]["hash"],
        "receipt": receipt_hash,
    }


def page_of(
    content: Mapping[str, Any],
    *,
    operator_name: str,
    sources: Sequence[Text],
    kept_for: str,
    qr_text: str,
) -> PaperPage:
    """Return the page: what was registered, when, by which rules, under which terms, and what one may do."""
    terms = content["terms"]
    rows = [
        (Text(zh="号码", en="Number"), str(content["number"])),
        (Text(zh="类型", en="Kind"), _both(_WORDS[content["line_kind"]])),
        (Text(zh="运营企业", en="Operator"), operator_name),
        (Text(zh="登记时间", en="Registered"), _instant(content["registered_at"])),
        (Text(zh="登记编号", en="Registration"), str(content["line"])),
        (Text(zh="规则", en="Rules"), f"{content['pack']}: {', '.join(content['rules'])}"),
    ]
    if terms:
        version = f"{terms['version']} ({terms['hash'].removeprefix('sha256:')[:16]}...)"
        rows.append((Text(zh="服务协议版本", en="Terms accepted"), version))
    if content["confirmed"]:
        rows.append((Text(zh="数量确认", en="Confirmed: 1 line"), _both(_WORDS[content["confirmed"]])))
    title = Text(zh="电话用户真实身份登记回执", en="Receipt of a real-name registration")
    rehearsal = (_REHEARSAL,) if content["rehearsal"] else ()
    return PaperPage(title, tuple(rows), (*rehearsal, *sources, *_rights(kept_for)), qr_text, _BESIDE_QR)


def period_in_words(period: str) -> Text:
    """Return a period such as P2Y in words.

    >>> period_in_words("P2Y").en, period_in_words("P1Y6M").zh, period_in_words("P0D").en
    ('2 years', '1年6个月', '0 days')
    """
    found = _PERIOD.fullmatch(period)
    counts = found.groups() if found else ()
    parts = [(count, unit) for count, unit in zip(counts, _UNITS, strict=False) if count is not None]
    return Text(
        zh="".join(f"{count}{unit[0]}" for count, unit in parts),
        en=" ".join(f"{count} {unit[1]}" for count, unit in parts),
    )


def _rights(kept_for: str) -> tuple[Text, ...]:
    period = period_in_words(kept_for)
    return (
        Text(
            zh="查询：您可以凭有效证件查询登记在您名下的线路。",
            en="Ask: you may ask, with your document, which lines are registered in your name.",
        ),
        Text(
            zh="异议：如有并非您本人办理的线路，请向运营企业提出异议，企业应当核查。",
            en="Dispute: tell the operator of a line in your name that is not yours; it has to be checked.",
        ),
        Text(
            zh=f"更正与删除：您可以要求更正；服务终止后登记信息保存 {period.zh}，然后删除。",
            en=f"Correct and erase: you may have errors corrected; {period.en} after the service ends "
            "your data are erased.",
        ),
        Text(
            zh="请勿转让、出租、出售卡和号码；您可能为他人的行为承担责任。",
            en="Do not sell, lend or hand on the card or the number: you may answer for what others do.",
        ),
    )


_BESIDE_QR = (
    Text(
        zh="任何人都可以离线核验此二维码：shiming receipts verify-qr",
        en="Anyone can verify this code offline: shiming receipts verify-qr",
    ),
    Text(
        zh="请将核验显示的内容与本页比较。二维码含号码，不含姓名和证件号码。",
        en="Compare what it shows with this page. It holds no name and no identity number.",
    ),
)


def _both(text: Text) -> str:
    return f"{text.zh} / {text.en}"


def _instant(text: str) -> str:
    """Return an ISO instant to the second, with its zone."""
    return f"{text[:_SECONDS_END].replace('T', ' ')} {'UTC' if text.endswith('+00:00') else text[-6:]}"
