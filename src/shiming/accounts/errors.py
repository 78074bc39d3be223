"""What can go wrong with accounts, each with a stable code and what to do about it."""

from typing import Any

from shiming.vocabulary.errors import BadInput, Text

_TRY_AGAIN = Text(zh="请核对后重试。", en="Check it and try again.")
_READ_AGAIN = Text(zh="请重新读取后再修改。", en="Read it again, then change it.")
_ASK_ADMINISTRATOR = Text(zh="请联系管理员。", en="Ask an administrator.")

_TEXTS: dict[str, tuple[Text, Text]] = {
    "SIGN_IN_FAILED": (
        Text(zh="登录失败。", en="Signing in failed."),
        Text(
            zh="请核对用户名和密码；或使用通行密钥。",
            en="Check the user name and password, or use a passkey.",
        ),
    ),
    "SIGN_IN_LOCKED": (
        Text(zh="失败次数过多，暂停密码登录。", en="Too many failures: passwords are not accepted for now."),
        Text(zh="请稍后再试，或使用通行密钥。", en="Wait and try again, or use a passkey."),
    ),
    "PASSKEY_REQUIRED": (
        Text(zh="您的角色须用通行密钥登录。", en="Your role signs in with a passkey."),
        Text(zh="请使用已登记的通行密钥。", en="Use the passkey that you enrolled."),
    ),
    "PASSKEY_REFUSED": (
        Text(zh="通行密钥验证失败。", en="The passkey was not accepted."),
        Text(zh="请重新开始。", en="Begin again."),
    ),
    "PASSKEY_SUSPENDED": (
        Text(zh="该通行密钥可能已被复制，已停用。", en="This passkey may have been copied; it is suspended."),
        Text(zh="请使用另一通行密钥并联系管理员。", en="Use another passkey and tell an administrator."),
    ),
    "PASSKEYS_TOO_MANY": (
        Text(zh="通行密钥数量已达上限。", en="No more passkeys can be enrolled."),
        _ASK_ADMINISTRATOR,
    ),
    "CSRF_TOKEN_MISSING": (
        Text(zh="请求缺少有效的 CSRF 令牌。", en="The request carries no valid CSRF token."),
        Text(
            zh="请在 X-CSRF-Token 中发送登录时得到的令牌。",
            en="Send the token that came with the sign-in as X-CSRF-Token.",
        ),
    ),
    "ENROLMENT_REFUSED": (
        Text(zh="一次性注册令牌无效或已过期。", en="The one-time enrolment token is not valid any more."),
        _ASK_ADMINISTRATOR,
    ),
    "PROVIDER_NOT_CONFIGURED": (
        Text(zh="未配置身份提供方。", en="No identity provider is configured."),
        Text(zh="请使用其他登录方式。", en="Sign in another way."),
    ),
    "PROVIDER_REFUSED": (
        Text(zh="身份提供方的答复未通过验证。", en="The identity provider's answer did not hold."),
        Text(zh="请重新开始登录。", en="Begin signing in again."),
    ),
    "PROVIDER_ACCOUNT_UNKNOWN": (
        Text(zh="没有与该身份关联的账户。", en="No account is linked to this identity."),
        Text(zh="请管理员先关联账户。", en="Ask an administrator to link your account first."),
    ),
    "PROVIDER_LINK_TAKEN": (
        Text(zh="该身份已关联其他账户。", en="This identity is linked to another account."),
        _TRY_AGAIN,
    ),
    "ACCOUNT_UNKNOWN": (Text(zh="没有此账户。", en="There is no such account."), _TRY_AGAIN),
    "DEVICE_UNKNOWN": (Text(zh="没有此采集设备。", en="There is no such capture device."), _TRY_AGAIN),
    "DEVICE_PROOF_MISSING": (
        Text(zh="请求没有采集设备的签名。", en="The request is not signed by a capture device."),
        Text(zh="请先登记设备，再由该设备发送。", en="Enrol the device and send it from there."),
    ),
    "DEVICE_NOT_ENROLLED": (
        Text(zh="采集设备未登记。", en="The capture device is not enrolled."),
        _ASK_ADMINISTRATOR,
    ),
    "DEVICE_REVOKED": (
        Text(zh="采集设备已停用。", en="The capture device was revoked."),
        _ASK_ADMINISTRATOR,
    ),
    "DEVICE_OTHER_OPERATOR": (
        Text(zh="采集设备属于其他运营者。", en="The capture device belongs to another operator."),
        _ASK_ADMINISTRATOR,
    ),
    "DEVICE_PROOF_INVALID": (
        Text(zh="采集设备的签名无效。", en="The signature of the capture device does not hold."),
        Text(zh="请核对设备密钥。", en="Check which key the device holds."),
    ),
    "DEVICE_PROOF_OTHER_REQUEST": (
        Text(zh="设备签名不是这次请求的。", en="The device signed another request than this one."),
        _TRY_AGAIN,
    ),
    "DEVICE_PROOF_STALE": (
        Text(zh="设备签名已过时。", en="The signature of the device is too old, or from the future."),
        Text(zh="请校准设备时钟。", en="Set the clock of the device."),
    ),
    "DEVICE_PROOF_REPLAYED": (
        Text(zh="设备签名已被使用过。", en="This signature of the device was used before."),
        _TRY_AGAIN,
    ),
    "DEVICE_NAME_FORMAT": (
        Text(zh="设备名称或网点名称不正确。", en="This is no name for a device or an outlet."),
        Text(zh="1 至 80 个字符。", en="Use 1 to 80 characters."),
    ),
    "DEVICE_KEY_INVALID": (
        Text(zh="设备公钥无效。", en="This is no public key of a device."),
        Text(zh="请提供 P-256 或 Ed25519 公钥（JWK）。", en="Give a P-256 or Ed25519 public key as a JWK."),
    ),
    "DEVICE_KEY_TAKEN": (
        Text(zh="该密钥已登记过。", en="This key was enrolled already."),
        Text(zh="请为每台设备生成新密钥。", en="Make a new key for each device."),
    ),
    "CLIENT_UNKNOWN": (Text(zh="没有此客户端。", en="There is no such client."), _TRY_AGAIN),
    "ACCOUNT_DISABLED": (Text(zh="账户已停用。", en="The account is disabled."), _ASK_ADMINISTRATOR),
    "CREDENTIALS_EXIST": (
        Text(zh="该账户已有登录凭据。", en="The account has credentials already."),
        Text(zh="凭据丢失时请重置。", en="Reset them when they are lost."),
    ),
    "USER_NAME_TAKEN": (
        Text(zh="用户名已被使用。", en="This user name is taken."),
        Text(zh="请换一个用户名。", en="Choose another one."),
    ),
    "USER_NAME_FORMAT": (
        Text(zh="用户名格式不正确。", en="This is no user name."),
        Text(
            zh="3 至 40 个小写字母、数字、点、连字符或下划线，以字母开头。",
            en="3 to 40 lower-case letters, digits, dots, hyphens or underscores; a letter comes first.",
        ),
    ),
    "PERSON_NUMBER_FORMAT": (
        Text(zh="人员编号不正确。", en="This is no number of a person."),
        Text(zh="请提供身份证件或工号。", en="Give the number of an identity document or of the employment."),
    ),
    "CLIENT_NAME_FORMAT": (
        Text(zh="客户端名称不正确。", en="This is no name for a client."),
        Text(zh="1 至 80 个字符。", en="Use 1 to 80 characters."),
    ),
    "CLIENT_KEYS_INVALID": (
        Text(zh="公钥集无效。", en="This is no set of public keys."),
        Text(zh="请提供只含公钥的 JWKS。", en="Give a JWKS with public keys only."),
    ),
    "OPERATOR_FORMAT": (
        Text(zh="运营者代码格式不正确。", en="This is no code of an operator."),
        Text(zh="例如 cn-mobile。", en="For example cn-mobile."),
    ),
    "VERSION_CHANGED": (Text(zh="资源已被更改。", en="It has changed since you read it."), _READ_AGAIN),
    "ROLES_NONE_GIVEN": (
        Text(zh="至少需要一个角色或权限。", en="Nothing was granted."),
        Text(zh="请指定角色或权限范围。", en="Name at least one role or scope."),
    ),
    "ROLES_AUDITOR_ALONE": (
        Text(zh="审计员不得兼任其他角色。", en="An auditor holds no other role."),
        Text(zh="请由另一人担任。", en="Let another person hold it."),
    ),
    "ROLES_ADMINISTRATOR_APART": (
        Text(
            zh="管理员不得兼任合规或隐私负责人。", en="An administrator is no compliance or privacy officer."
        ),
        Text(zh="请由另一人担任。", en="Let another person hold it."),
    ),
    "ROLES_OWN": (
        Text(zh="不得更改自己的权限。", en="Nobody changes their own rights."),
        Text(zh="请由另一位管理员操作。", en="Ask another administrator."),
    ),
    "ROLES_LAST_ADMINISTRATOR": (
        Text(zh="必须保留一名平台管理员。", en="One administrator of the platform must remain."),
        Text(zh="请先任命另一位管理员。", en="Appoint another one first."),
    ),
    "ROLE_UNKNOWN": (
        Text(zh="没有此角色。", en="There is no such role."),
        Text(
            zh="可用角色见 shiming accounts create --help。",
            en="See shiming accounts create --help for the roles.",
        ),
    ),
    "SCOPE_UNKNOWN": (
        Text(zh="该权限不能授予客户端。", en="A client cannot be given this scope."),
        Text(zh="可用权限见文档。", en="See docs/explanation/accounts.md for those that it can."),
    ),
    "SCOPE_PLATFORM_ONLY": (
        Text(zh="该权限只属于平台。", en="This scope belongs to the platform only."),
        Text(zh="请创建不属于任何运营者的客户端。", en="Create a client that belongs to no operator."),
    ),
    "PASSWORD_TOO_SHORT": (
        Text(zh="密码太短。", en="The password is too short."),
        Text(zh="至少 12 个字符。", en="Use at least 12 characters."),
    ),
    "PASSWORD_TOO_LONG": (
        Text(zh="密码太长。", en="The password is too long."),
        Text(zh="至多 128 个字符。", en="Use at most 128 characters."),
    ),
    "PASSWORD_CONTAINS_NAME": (
        Text(zh="密码不得包含用户名。", en="The password contains the user name."),
        Text(zh="请另选密码。", en="Choose another one."),
    ),
    "PASSWORD_GUESSED_FIRST": (
        Text(zh="密码太容易猜到。", en="This password is guessed first."),
        Text(zh="请使用几个不相干的词。", en="Use a few unrelated words."),
    ),
}
CODES = frozenset(_TEXTS)


def refused(code: str, **details: Any) -> BadInput:
    """Return the error with this code."""
    text, advice = _TEXTS[code]
    return BadInput(code, text, advice, details)
