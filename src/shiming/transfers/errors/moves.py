"""Why a line is not moved to another address."""

from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import ReasonCode


class MoveRefusal(ReasonCode):
    """Reasons about the line and the new place."""

    LINE_HAS_NO_PLACE = (
        "LINE_HAS_NO_PLACE",
        Text(zh="该类号码没有安装地址。", en="A line of this kind is not installed at an address."),
        Text(zh="该业务无需移机。", en="This service needs no move."),
        Text(zh="移机只适用于固定电话和宽带。", en="Only fixed and internet lines are moved."),
    )
    NEW_ADDRESS_SAME = (
        "NEW_ADDRESS_SAME",
        Text(zh="新地址与现安装地址相同。", en="The new address is the present one."),
        Text(zh="您已在该地址使用。", en="The line is at this address already."),
        Text(zh="无需移机。", en="No move is needed."),
    )
    NEW_ADDRESS_MISSING = (
        "NEW_ADDRESS_MISSING",
        Text(zh="没有登记新的安装地址。", en="The new address of installation is not recorded."),
        Text(zh="请提供新的安装地址。", en="Please name the new address."),
        Text(zh="将新地址存入证据库后再办理。", en="Put the new address into the vault, then try again."),
    )
