"""Why a clip is refused, with advice: one function a code."""

from shiming.vocabulary.errors import BadInput, Text

_RECORD_AGAIN = Text(zh="请用手机正面重新录制一段短视频。", en="Record a short clip again with the phone.")


def unreadable(reason: str) -> BadInput:
    """Return CLIP_UNREADABLE: not a video, truncated, or damaged."""
    return BadInput(
        "CLIP_UNREADABLE",
        Text(zh="无法读取视频。", en="The clip cannot be read."),
        advice=_RECORD_AGAIN,
        details={"reason": reason},
    )


def empty() -> BadInput:
    """Return CLIP_EMPTY: zero bytes."""
    return BadInput(
        "CLIP_EMPTY", Text(zh="视频文件为空。", en="The clip file is empty."), advice=_RECORD_AGAIN
    )


def is_picture(kind: str) -> BadInput:
    """Return CLIP_IS_PICTURE: a still or animated picture instead of a video."""
    return BadInput(
        "CLIP_IS_PICTURE",
        Text(zh="这是图片, 不是视频。", en="This is a picture, not a video."),
        advice=Text(
            zh="请录制视频; 动图和照片不能代替。", en="Record a video; a GIF or a photo will not do."
        ),
        details={"kind": kind},
    )


def too_big(size_bytes: int, bytes_max: int) -> BadInput:
    """Return CLIP_TOO_BIG: more bytes than allowed."""
    return BadInput(
        "CLIP_TOO_BIG",
        Text(zh="视频文件太大。", en="The clip file is too big."),
        advice=Text(zh="请缩短视频或降低分辨率。", en="Record a shorter clip or use a lower resolution."),
        details={"bytes": size_bytes, "bytes_max": bytes_max},
    )


def too_long(duration_s: float, duration_s_max: float) -> BadInput:
    """Return CLIP_TOO_LONG: lasts longer than allowed."""
    return BadInput(
        "CLIP_TOO_LONG",
        Text(zh="视频太长。", en="The clip is too long."),
        advice=Text(
            zh=f"请录制不超过 {duration_s_max:g} 秒的视频。", en=f"Record at most {duration_s_max:g} seconds."
        ),
        details={"duration_s": round(duration_s, 1), "duration_s_max": duration_s_max},
    )


def too_short(duration_s: float, frames: int) -> BadInput:
    """Return CLIP_TOO_SHORT: too few frames to see anything happen."""
    return BadInput(
        "CLIP_TOO_SHORT",
        Text(zh="视频太短。", en="The clip is too short."),
        advice=Text(
            zh="请按提示完成全部动作后再停止录制。", en="Finish all steps before you stop recording."
        ),
        details={"duration_s": round(duration_s, 2), "frames": frames},
    )


def wrong_size(width: int, height: int) -> BadInput:
    """Return CLIP_RESOLUTION_UNSUPPORTED: frames too large or too small."""
    return BadInput(
        "CLIP_RESOLUTION_UNSUPPORTED",
        Text(zh="视频分辨率不支持。", en="The resolution of the clip is not supported."),
        advice=Text(zh="请用 480x640 到 1080x1920 录制。", en="Record at 480x640 up to 1080x1920."),
        details={"width": width, "height": height},
    )


def codec_unsupported(codec: str, allowed: frozenset[str]) -> BadInput:
    """Return CLIP_CODEC_UNSUPPORTED: a codec off the list of allowed ones."""
    return BadInput(
        "CLIP_CODEC_UNSUPPORTED",
        Text(zh="视频编码不支持。", en="The codec of the clip is not supported."),
        advice=Text(zh="请用 H.264 (MP4) 录制。", en="Record as H.264 (MP4)."),
        details={"codec": codec, "allowed": sorted(allowed)},
    )


def without_face(searched_s: float) -> BadInput:
    """Return CLIP_WITHOUT_FACE: nobody to be seen from the start on."""
    return BadInput(
        "CLIP_WITHOUT_FACE",
        Text(zh="视频中没有找到人脸。", en="No face was found in the clip."),
        advice=Text(
            zh="请正对镜头, 保证光线充足, 并从头到尾保持脸部在画面中。",
            en="Face the camera in good light and keep your face in the picture all the time.",
        ),
        details={"searched_s": searched_s},
    )


def no_video() -> BadInput:
    """Return CLIP_WITHOUT_VIDEO: only sound or data inside."""
    return BadInput(
        "CLIP_WITHOUT_VIDEO",
        Text(zh="文件中没有视频画面。", en="The file holds no video."),
        advice=_RECORD_AGAIN,
    )
