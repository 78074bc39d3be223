"""Decide what a report about a notice means: a notice never goes back to knowing less."""

from shiming.registrations.model.notices import NoticeState

#: What may follow; late proof of arrival overrules a failure, and a failure overrules no arrival.
_FOLLOWING = {
    NoticeState.QUEUED: {NoticeState.SENT, NoticeState.FAILED, NoticeState.DELIVERED, NoticeState.REACHED},
    NoticeState.SENT: {NoticeState.FAILED, NoticeState.DELIVERED, NoticeState.REACHED},
    NoticeState.FAILED: {NoticeState.DELIVERED, NoticeState.REACHED},
    NoticeState.DELIVERED: {NoticeState.REACHED},
    NoticeState.REACHED: set[NoticeState](),
}


def decide_notice_state(now: NoticeState, reported: NoticeState) -> NoticeState:
    """Return what a notice becomes when the channel or the person reports `reported`."""
    return reported if reported in _FOLLOWING[now] else now
