"""Why no more numbers are kept, or a range is not taken into a pool.

Why one number is not given out stands in `orders` and `registration`: the reasons are the same there.
"""

from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import ReasonCode

_STAFF = Text(zh="号段由管理人员维护。", en="Ranges are kept by those who manage the pool.")


class NumberRefusal(ReasonCode):
    """Reasons about reservations and ranges."""

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
