"""Read secrets from files, so that none stands on a command line."""

from pathlib import Path

from shiming.vocabulary.errors import BadInput, Text

BYTES_MAX = 4000


def read_secret(file: Path) -> str:
    """Return the one line of a file; raise BadInput when there is none."""
    try:
        text = file.read_bytes()[: BYTES_MAX + 1].decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise _unreadable() from problem
    if not text or len(text) > BYTES_MAX or any(not character.isprintable() for character in text):
        raise _unreadable()
    return text


def _unreadable() -> BadInput:
    return BadInput(
        "SECRET_FILE_UNREADABLE",
        Text(zh="无法从该文件读取密钥或令牌。", en="No secret can be read from this file."),
        Text(zh="文件应只有一行 ASCII 文本。", en="It holds one line of ASCII text."),
    )
