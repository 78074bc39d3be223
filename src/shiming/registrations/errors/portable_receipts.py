"""Why no portable receipt is made, and what is wrong with one that is shown."""

from shiming.vocabulary.errors import BadInput, Text, Unavailable
from shiming.vocabulary.refusals import ReasonCode


class PortableRefusal(ReasonCode):
    """Reasons against making one."""

    PORTABLE_LINE_ENDED = (
        "PORTABLE_LINE_ENDED",
        Text(zh="该线路已终止。", en="This line has ended."),
        Text(zh="您的该线路已终止。", en="This line of yours has ended."),
        Text(zh="可提供纸质回执。", en="Give out the receipt on paper, which says when it was registered."),
    )
    PORTABLE_REHEARSAL = (
        "PORTABLE_REHEARSAL",
        Text(zh="该登记仅为演练。", en="This registration was a rehearsal."),
        Text(zh="此次登记仅为演练。", en="This registration was a rehearsal."),
        Text(zh="请重新核验并登记。", en="Prove the person again, and register the line."),
    )


#: What a verifier is told; a stable code, and never what was in the presentation.
NOT_GENUINE = {
    "SD_JWT_FORM": Text(zh="这不是 SD-JWT。", en="This is no SD-JWT."),
    "SD_JWT_ALGORITHM": Text(zh="签名算法不被接受。", en="The signature algorithm is not accepted."),
    "SD_JWT_SIGNATURE": Text(
        zh="不是由受信任的密钥签发，或已被更改。", en="No trusted key signed it, or it was altered."
    ),
    "SD_JWT_DIGEST_REPEATED": Text(zh="同一摘要出现两次。", en="A digest stands in it twice."),
    "SD_JWT_DISCLOSURE_FORM": Text(zh="披露项格式错误。", en="A disclosure is not formed as it must be."),
    "SD_JWT_DISCLOSURE_UNSIGNED": Text(
        zh="有披露项不在签名范围内。", en="A disclosure is not covered by the signature."
    ),
    "SD_JWT_NAME_RESERVED": Text(zh="披露项使用了保留名称。", en="A disclosure uses a reserved name."),
    "SD_JWT_NAME_REPEATED": Text(zh="同一声明出现两次。", en="A claim is stated twice."),
    "SD_JWT_HASH": Text(zh="摘要算法不被支持。", en="The hash algorithm is not supported."),
    "PORTABLE_KIND": Text(zh="不是所要的凭证类型。", en="It is a credential of another kind."),
    "PORTABLE_ISSUER": Text(zh="签发方不是所要的。", en="Another issuer made it."),
    "PORTABLE_EXPIRED": Text(zh="凭证已过期。", en="It has expired."),
    "PORTABLE_NOT_YET": Text(zh="凭证尚未生效。", en="It is not valid yet."),
    "PORTABLE_STATUS": Text(zh="无法查询该凭证的状态。", en="It has a status that cannot be looked up here."),
    "KEY_BINDING_MISSING": Text(zh="没有持有人密钥证明。", en="The proof of the holder's key is missing."),
    "KEY_BINDING_WRONG": Text(
        zh="持有人密钥证明不正确。", en="The proof of the holder's key is not right for this."
    ),
    "KEY_BINDING_OLD": Text(zh="持有人密钥证明已过时。", en="The proof of the holder's key is too old."),
}


def holder_key_refused(code: str) -> BadInput:
    """Return the error for a key that no receipt can be bound to."""
    return BadInput(
        code,
        Text(zh="该密钥不能用于绑定回执。", en="No receipt can be bound to this key."),
        Text(
            zh="请提供公钥 JWK：EC P-256 或 OKP Ed25519，不含私钥部分。",
            en="Send a public JWK, EC P-256 or OKP Ed25519, without its private part.",
        ),
    )


def driver_missing(name: str | None) -> Unavailable:
    """Return the error for an installation without the library."""
    return Unavailable(
        "PORTABLE_RECEIPT_DRIVER_MISSING",
        Text(zh="未安装可携回执所需的程序库。", en="The library for portable receipts is not installed."),
        Text(zh="请运行 make server。", en="Run `make server`."),
        {"driver": name},
    )
