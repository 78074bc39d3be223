"""Why a stop is not set or not lifted, or a line is not confirmed."""

from shiming.vocabulary.errors import Text
from shiming.vocabulary.refusals import ReasonCode

_SORRY = Text(zh="您的要求暂不能办理。", en="We cannot do this for you as things stand.")


class StopRefusal(ReasonCode):
    """Reasons about the line, the reason of the stop, who asks, and when."""

    LINE_TERMINATED = (
        "LINE_TERMINATED",
        Text(zh="该号码已注销，状态不再改变。", en="The line is terminated; its status changes no more."),
        Text(zh="该号码已经注销。", en="This line has ended."),
        Text(zh="如需使用，请重新办理入网。", en="Register a new line."),
    )
    STOP_UNKNOWN = (
        "STOP_UNKNOWN",
        Text(zh="规则包没有这种停机原因。", en="The policy pack knows no stop for this reason."),
        _SORRY,
        Text(zh="请选择规则包列出的原因。", en="Choose a reason that the pack lists."),
    )
    STOP_ROLE = (
        "STOP_ROLE",
        Text(zh="此身份不能因该原因停机。", en="Who asks may not stop a line for this reason."),
        _SORRY,
        Text(
            zh="请转交规则包指定的人员办理。", en="Pass it on to those whom the pack names for this reason."
        ),
    )
    LIFT_ROLE = (
        "LIFT_ROLE",
        Text(zh="此身份不能解除该原因的停机。", en="Who asks may not lift a stop of this reason."),
        Text(zh="该停机需由专人核实后解除。", en="Others have to check this before the line is restored."),
        Text(
            zh="请转交规则包指定的人员办理。", en="Pass it on to those whom the pack names for this reason."
        ),
    )
    STOP_NOT_SET = (
        "STOP_NOT_SET",
        Text(
            zh="该号码没有此原因的停机。", en="The line is not stopped for this reason under this reference."
        ),
        Text(zh="该号码没有因此停机。", en="Your line is not stopped for this reason."),
        Text(zh="请查看该号码现有的停机记录。", en="Look at the stops that the line has."),
    )
    STOP_IN_FUTURE = (
        "STOP_IN_FUTURE",
        Text(zh="停机时间晚于现在。", en="The time of the stop is in the future."),
        _SORRY,
        Text(zh="请核对来源系统的时钟。", en="Compare the clock of the system that reports it."),
    )
    STOP_BEFORE_REGISTRATION = (
        "STOP_BEFORE_REGISTRATION",
        Text(zh="停机时间早于入网时间。", en="The time of the stop is before the line was registered."),
        _SORRY,
        Text(
            zh="请核对号码和时间：停机可能针对前一用户。",
            en="Compare line and time: it may be about the holder before.",
        ),
    )
    STOP_LIFTED_BEFORE_SET = (
        "STOP_LIFTED_BEFORE_SET",
        Text(zh="解除时间早于停机时间。", en="The stop would be lifted before it was set."),
        _SORRY,
        Text(zh="请核对时钟后重试。", en="Compare the clocks, then try again."),
    )
