"""Why a number is not given out, or a range not taken into a pool."""

from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import ReasonCode

_TAKEN = Text(zh="该号码暂不可选。", en="This number cannot be had at present.")
_OTHER = Text(zh="请另选一个号码。", en="Choose another number.")
_STAFF = Text(zh="号段由管理人员维护。", en="Ranges are kept by those who manage the pool.")


class NumberRefusal(ReasonCode):
    """Reasons about the pool, the number and those who hold it."""

    NUMBER_OUTSIDE_POOL = (
        "NUMBER_OUTSIDE_POOL",
        Text(
            zh="该号码不在本企业的号码池内。",
            en="The number lies in no block of this operator for such lines.",
        ),
        _TAKEN,
        _OTHER,
    )
    NUMBER_EXCLUDED = (
        "NUMBER_EXCLUDED",
        Text(zh="该号码属于不放号的号段。", en="The number is in a range that is never given out."),
        _TAKEN,
        _OTHER,
    )
    NUMBER_IN_SERVICE = (
        "NUMBER_IN_SERVICE",
        Text(zh="该号码正在使用。", en="A line uses this number."),
        Text(zh="该号码已有人使用。", en="Somebody already uses this number."),
        _OTHER,
    )
    NUMBER_RESERVED = (
        "NUMBER_RESERVED",
        Text(zh="该号码已为他人预留。", en="The number is kept for somebody else."),
        _TAKEN,
        Text(zh="请另选，或待预留到期。", en="Choose another, or wait until it is kept no longer."),
    )
    NUMBER_RESTING = (
        "NUMBER_RESTING",
        Text(zh="该号码注销后尚在冻结期。", en="The number rests after its last use."),
        _TAKEN,
        _OTHER,
    )
    RESERVATIONS_TOO_MANY = (
        "RESERVATIONS_TOO_MANY",
        Text(zh="该对象预留的号码已达上限。", en="As many numbers as allowed are kept for this one already."),
        Text(zh="您预留的号码过多。", en="Too many numbers are kept for you."),
        Text(zh="请先释放不要的号码。", en="Release those that are not wanted."),
    )
    BLOCK_OF_OTHER_OPERATOR = (
        "BLOCK_OF_OTHER_OPERATOR",
        Text(zh="该号段与其他企业的号段重叠。", en="The range overlaps a block of another operator."),
        _STAFF,
        Text(zh="请核对号段分配文件。", en="Compare the assignment of numbers."),
    )
    BLOCK_OVERLAPS = (
        "BLOCK_OVERLAPS",
        Text(zh="该号段与本企业已有号段部分重叠。", en="The range overlaps one that the pool has already."),
        _STAFF,
        Text(zh="请只导入尚未入池的部分。", en="Add only what is not in the pool yet."),
    )
    EXCLUSION_OUTSIDE_BLOCK = (
        "EXCLUSION_OUTSIDE_BLOCK",
        Text(
            zh="不放号的号段不在本企业的某一号段内。",
            en="The exclusion lies in no one block of the operator.",
        ),
        _STAFF,
        Text(
            zh="请先导入所属号段；跨号段的分开填写。",
            en="Add its block first; write one exclusion for each block.",
        ),
    )
