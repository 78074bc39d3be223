"""Words of states for people, in both languages; what the rules name is taken from the rules' own words."""

from collections.abc import Iterable
from enum import StrEnum

from shiming.entrypoints.pages.account.permission_words import ROLE_WORDS
from shiming.infrastructure.job_queue.model import JobState
from shiming.jurisdictions.explanations import labels
from shiming.privacy.model import EvidenceKind
from shiming.registrations.errors.provisioning import WaitReason
from shiming.registrations.model.drift import DriftKind
from shiming.registrations.model.lines import LineKind, LineStatus, SimForm
from shiming.registrations.model.numbers import NumberState
from shiming.registrations.model.organisations import OrganisationState
from shiming.registrations.model.provisioning import OrderAction, OrderState
from shiming.registrations.model.repudiation import Means, RepudiationState
from shiming.registrations.model.sims import SimState
from shiming.transfers.model.private_transfer import CaseState, PrivateTransferKind
from shiming.vocabulary.errors import Text

_WORDS: tuple[tuple[StrEnum, Text], ...] = (
    (OrganisationState.DRAFT, Text(zh="资料不全", en="incomplete")),
    (OrganisationState.COMPLETE, Text(zh="齐全", en="complete")),
    (OrganisationState.SUSPENDED, Text(zh="已暂停", en="suspended")),
    (OrganisationState.CLOSED, Text(zh="已关闭", en="closed")),
    (LineKind.MOBILE, Text(zh="移动电话", en="mobile")),
    (LineKind.DATA_CARD, Text(zh="无线上网卡", en="data card")),
    (LineKind.FIXED, Text(zh="固定电话", en="fixed")),
    (LineKind.INTERNET, Text(zh="宽带", en="internet access")),
    (LineStatus.PENDING, Text(zh="待开通", en="waits for the network")),
    (LineStatus.ACTIVE, Text(zh="在用", en="active")),
    (LineStatus.ONE_WAY_STOPPED, Text(zh="单向停机", en="stopped one way")),
    (LineStatus.TWO_WAY_STOPPED, Text(zh="双向停机", en="stopped both ways")),
    (LineStatus.TERMINATED, Text(zh="已销户", en="ended")),
    (WaitReason.NO_BSS, Text(zh="该企业未接入网络系统", en="no network is connected")),
    (WaitReason.NOT_IN_NETWORK, Text(zh="号码开通失败", en="the line was not added")),
    (WaitReason.EARLIER_ORDER, Text(zh="等待前一工单", en="waits for an earlier order")),
    (DriftKind.MISSING, Text(zh="网络中没有", en="missing in the network")),
    (DriftKind.UNREGISTERED, Text(zh="没有登记", en="nobody registered it")),
    (DriftKind.STATUS, Text(zh="状态不同", en="another status")),
    (DriftKind.CHARACTERISTICS, Text(zh="内容不同", en="other contents")),
    (SimForm.PHYSICAL, Text(zh="实体卡", en="card")),
    (SimForm.ESIM, Text(zh="eSIM", en="eSIM")),
    (SimState.STOCK, Text(zh="库存", en="in stock")),
    (SimState.ASSIGNED, Text(zh="已写入号码", en="in a line")),
    (SimState.RETIRED, Text(zh="已作废", en="retired")),
    (NumberState.OUTSIDE, Text(zh="不在号码池", en="not in the pool")),
    (NumberState.EXCLUDED, Text(zh="不放号", en="excluded")),
    (NumberState.FREE, Text(zh="空闲", en="free")),
    (NumberState.RESERVED, Text(zh="已预留", en="reserved")),
    (NumberState.IN_SERVICE, Text(zh="在用", en="in service")),
    (NumberState.QUARANTINE, Text(zh="冷冻期", en="rests after use")),
    (JobState.WAITING, Text(zh="排队", en="waits")),
    (JobState.RUNNING, Text(zh="执行中", en="runs")),
    (JobState.DEAD, Text(zh="失败停止", en="gave up")),
    (RepudiationState.OPEN, Text(zh="待裁定", en="to be decided")),
    (RepudiationState.UPHELD, Text(zh="异议成立", en="upheld")),
    (RepudiationState.REJECTED, Text(zh="异议不成立", en="rejected")),
    (Means.SESSION, Text(zh="重新核验身份", en="a new proof")),
    (Means.CODE, Text(zh="短信验证码", en="code of the message")),
    (CaseState.OPEN, Text(zh="新案件", en="open")),
    (CaseState.ASSESSED, Text(zh="已查证", en="assessed")),
    (CaseState.SANCTIONED, Text(zh="已处置", en="sanctioned")),
    (CaseState.APPEALED, Text(zh="申诉中", en="appealed")),
    (CaseState.DISMISSED, Text(zh="已撤销", en="dismissed")),
    (CaseState.LIFTED, Text(zh="已解除", en="lifted")),
    (PrivateTransferKind.SALE, Text(zh="出售", en="sold")),
    (PrivateTransferKind.RENTAL, Text(zh="出租", en="rented out")),
    (PrivateTransferKind.LENDING, Text(zh="出借", en="lent")),
    (PrivateTransferKind.RESALE, Text(zh="倒卖", en="resold as a business")),
    (OrderAction.ADD, Text(zh="开通", en="add")),
    (OrderAction.MODIFY, Text(zh="变更", en="change")),
    (OrderAction.SUSPEND, Text(zh="停机", en="suspend")),
    (OrderAction.RESUME, Text(zh="复机", en="resume")),
    (OrderAction.DELETE, Text(zh="拆机", en="delete")),
    (OrderState.WAITING, Text(zh="待发送", en="waits")),
    (OrderState.HELD, Text(zh="挂起", en="held")),
    (OrderState.ACKNOWLEDGED, Text(zh="已受理", en="acknowledged")),
    (OrderState.IN_PROGRESS, Text(zh="处理中", en="in progress")),
    (OrderState.COMPLETED, Text(zh="已完成", en="completed")),
    (OrderState.FAILED, Text(zh="失败", en="failed")),
    (OrderState.CANCELLED, Text(zh="已取消", en="cancelled")),
    (EvidenceKind.DOCUMENT_FRONT, Text(zh="证件正面", en="document, front")),
    (EvidenceKind.DOCUMENT_BACK, Text(zh="证件背面", en="document, back")),
    (EvidenceKind.PORTRAIT, Text(zh="人像", en="portrait")),
    (EvidenceKind.CLIP, Text(zh="活体视频", en="live clip")),
    (EvidenceKind.AUDIO, Text(zh="录音", en="sound")),
    (EvidenceKind.SIGNATURE, Text(zh="签名", en="signature")),
    (EvidenceKind.CONTRACT, Text(zh="合同", en="contract")),
    (EvidenceKind.IDENTITY_RECORD, Text(zh="身份信息", en="identity record")),
    (EvidenceKind.INSTALL_ADDRESS, Text(zh="装机地址", en="address of the line")),
    (EvidenceKind.AUTHORITY_DOCUMENT, Text(zh="授权或监护材料", en="document of authority")),
)
#: By kind and value: states of two kinds that have the same value are equal, and would hide each other.
_BY_NAME = {f"{type(value).__name__}.{value.value}": words for value, words in (*_WORDS, *ROLE_WORDS.items())}


def word(value: StrEnum) -> Text:
    """Return the words of a state; what nobody named stands as it is."""
    kind = type(value).__name__
    found = _BY_NAME.get(f"{kind}.{value.value}")
    if found is not None:
        return found
    wording = labels().terms.get(f"{kind}.{value.value}")
    return Text(zh=value.value, en=value.value) if wording is None else Text(zh=wording.zh, en=wording.en)


def options(values: Iterable[StrEnum]) -> dict[str, Text]:
    """Return what a filter or a list offers, by value."""
    return {value.value: word(value) for value in values}


def joined(values: Iterable[StrEnum]) -> Text:
    """Return several words as one text."""
    words = [word(value) for value in values]
    return Text(zh="、".join(each.zh for each in words), en=", ".join(each.en for each in words))
