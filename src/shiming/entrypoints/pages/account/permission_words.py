"""What one may do, in words: every code of the permission table, gathered by what it is about."""

from collections.abc import Iterable

from shiming.accounts.model import Role
from shiming.vocabulary.errors import Text

ROLE_WORDS = {
    Role.CLERK: Text(zh="营业员", en="clerk"),
    Role.SUPERVISOR: Text(zh="主管", en="supervisor"),
    Role.COMPLIANCE_OFFICER: Text(zh="合规负责人", en="compliance officer"),
    Role.PRIVACY_OFFICER: Text(zh="隐私负责人", en="privacy officer"),
    Role.AUDITOR: Text(zh="审计员", en="auditor"),
    Role.ADMINISTRATOR: Text(zh="管理员", en="administrator"),
}

_COUNTER = Text(zh="营业柜台", en="At the counter")
_STOCK = Text(zh="号码与卡", en="Numbers and cards")
_CHANGES = Text(zh="变更与异议", en="Changes and objections")
_COMPANIES = Text(zh="单位与物联网", en="Companies and industry cards")
_OVERSIGHT = Text(zh="证据、审计与合规", en="Evidence, audit and compliance")
_MACHINE = Text(zh="系统", en="The installation")

#: Group, then code by code: what it lets somebody do.
PERMISSION_WORDS: dict[Text, dict[str, Text]] = {
    _COUNTER: {
        "sessions.create": Text(zh="办理身份核验", en="Take people through the proof of identity"),
        "sessions.read": Text(zh="查看核验进度", en="See how a proof stands"),
        "sessions.review": Text(zh="目视复核核验会话", en="Compare by eye in a review"),
        "sessions.decide": Text(zh="提交核验决定", en="Have a proof decided"),
        "orders.manage": Text(zh="受理与修改订单", en="Open and change orders"),
        "orders.read": Text(zh="查看订单", en="See orders"),
        "orders.accept": Text(
            zh="记录协议接受与客户确认", en="Record that a customer accepted and confirmed"
        ),
        "orders.represent": Text(zh="登记代办人或监护人", en="Name a proxy or a guardian"),
        "registrations.create": Text(zh="登记号码", en="Register lines"),
        "registrations.read": Text(zh="查看登记", en="See registrations"),
        "receipts.read": Text(zh="出具回执", en="Give out receipts"),
        "terms.read": Text(zh="查看服务协议", en="See terms of service"),
        "accounts.read_own": Text(zh="查看本人账户", en="See your own account"),
    },
    _STOCK: {
        "numbers.read": Text(zh="查看号码池", en="See the pool of numbers"),
        "numbers.reserve": Text(zh="预留号码", en="Keep numbers for customers"),
        "numbers.manage": Text(zh="管理号码池", en="Manage the pool of numbers"),
        "number_sets.read": Text(zh="查看号码组", en="See sets of numbers"),
        "sims.read": Text(zh="查看卡库存", en="See the stock of cards"),
        "sims.manage": Text(zh="管理卡库存", en="Manage the stock of cards"),
    },
    _CHANGES: {
        "transfers.create": Text(zh="办理过户、换卡与携号", en="Take on changes of holder, card or network"),
        "transfers.read": Text(zh="查看变更业务", en="See changes"),
        "transfers.decide": Text(zh="裁定变更业务", en="Decide changes"),
        "transfers.announce_terms": Text(zh="通知新协议", en="Announce new terms"),
        "lines.stop_for_holder": Text(zh="应机主要求停机", en="Stop a line for its holder"),
        "lines.stop_for_compliance": Text(zh="因合规停机", en="Stop a line for compliance"),
        "holder_clocks.read": Text(zh="查看到期提醒", en="See what becomes due for holders"),
        "handovers.complete": Text(zh="办结成年接手", en="Complete the handover at full age"),
        "repudiations.create": Text(zh="受理“非本人”异议", en="Take on objections “not mine”"),
        "repudiations.decide": Text(zh="裁定“非本人”异议", en="Decide objections “not mine”"),
        "notices.read": Text(zh="查看通知记录", en="See what holders were told"),
        "notices.record": Text(zh="记录通知送达", en="Record that a notice arrived"),
        "registration_reviews.decide": Text(zh="裁定加强核查", en="Decide enhanced reviews"),
        "registrations.list_by_person": Text(zh="查看某人的全部号码", en="List the lines of one person"),
        "registrations.list_over_cap": Text(zh="查看超限名单", en="List holders above a cap"),
    },
    _COMPANIES: {
        "organisations.manage": Text(zh="管理单位用户", en="Manage companies"),
        "organisations.read": Text(zh="查看单位用户", en="See companies"),
        "organisations.suspend": Text(zh="暂停单位用户", en="Suspend companies"),
        "enterprise_lines.manage": Text(zh="管理单位号码", en="Manage lines of companies"),
        "enterprise_lines.read": Text(zh="查看单位号码", en="See lines of companies"),
        "key_services.manage": Text(zh="办理重点业务", en="Take on key services"),
        "iot.manage": Text(zh="管理物联网卡", en="Manage industry cards"),
        "iot.read": Text(zh="查看物联网卡", en="See industry cards"),
        "iot.report": Text(zh="报送物联网卡情况", en="Report on industry cards"),
        "iot.decide_resale": Text(zh="裁定物联网卡转售", en="Decide on resale of industry cards"),
    },
    _OVERSIGHT: {
        "evidence.list": Text(zh="查看证据目录", en="List evidence"),
        "evidence.read": Text(zh="按目的调阅证据", en="Open evidence for a stated purpose"),
        "evidence.erase": Text(zh="删除证据", en="Erase evidence"),
        "identity.read": Text(zh="按目的查看身份信息", en="See an identity for a stated purpose"),
        "disclosures.request": Text(zh="申请对外提供", en="Ask for a disclosure"),
        "disclosures.approve": Text(zh="批准对外提供", en="Approve a disclosure"),
        "disclosures.execute": Text(zh="执行对外提供", en="Carry out a disclosure"),
        "disclosures.read": Text(zh="查看对外提供", en="See disclosures"),
        "access_log.read": Text(zh="查看访问日志", en="Read the log of access"),
        "figures.read": Text(zh="查看各方式通过率", en="See pass rates by way of proof"),
        "ledger.read": Text(zh="查验账本", en="Read and verify the ledger"),
        "ledger.witness": Text(zh="见证账本", en="Witness the ledger"),
        "terms.publish": Text(zh="发布服务协议", en="Publish terms of service"),
    },
    _MACHINE: {
        "accounts.manage": Text(zh="管理账户", en="Manage accounts"),
        "clients.manage": Text(zh="管理接入程序", en="Manage programs that connect"),
        "devices.manage": Text(zh="管理采集设备", en="Manage capture devices"),
        "jobs.manage": Text(zh="管理后台任务", en="Manage jobs"),
        "webhooks.manage": Text(zh="管理事件推送", en="Manage webhooks"),
        "keys.rotate": Text(zh="轮换密钥", en="Rotate keys"),
        "provisioning.read": Text(zh="查看网络开通", en="See orders to the network"),
        "provisioning.confirm": Text(zh="人工确认网络开通", en="Confirm by hand what the network did"),
        "provisioning.manage": Text(zh="管理网络开通", en="Manage orders to the network"),
    },
}


def words_of(codes: Iterable[str]) -> tuple[tuple[Text, tuple[Text, ...]], ...]:
    """Return what these codes let somebody do, by group; a code without words stands as it is."""
    held = frozenset(codes)
    groups = [
        (group, tuple(text for code, text in words.items() if code in held))
        for group, words in PERMISSION_WORDS.items()
    ]
    known = {code for words in PERMISSION_WORDS.values() for code in words}
    rest = tuple(Text(zh=code, en=code) for code in sorted(held - known))
    groups.append((_MACHINE, rest))
    return tuple((group, texts) for group, texts in groups if texts)
