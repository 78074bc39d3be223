"""Why a SIM is not replaced."""

from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import ReasonCode


class SimReplacementRefusal(ReasonCode):
    """Reasons about the line and the new card."""

    LINE_HAS_NO_SIM = (
        "LINE_HAS_NO_SIM",
        Text(zh="该号码没有SIM卡。", en="There is no SIM in this kind of line."),
        Text(zh="该业务不使用SIM卡。", en="This service has no SIM."),
        Text(zh="请核对号码。", en="Compare the line."),
    )
    NEW_SIM_MISSING = (
        "NEW_SIM_MISSING",
        Text(zh="没有指定新的SIM卡。", en="No new SIM was named."),
        Text(zh="请选择新的SIM卡。", en="Choose a new SIM."),
        Text(zh="请扫描新卡的ICCID。", en="Scan the ICCID of the new card."),
    )
