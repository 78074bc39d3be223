"""Base45 (RFC 9285): bytes in the 45 characters that QR codes pack most densely.

>>> encode(b"Hello!!"), encode(b"AB"), encode(b"ietf!")
('%69 VD92EX0', 'BB8', 'QED8WEX0')
>>> decode("QED8WEX0")
b'ietf!'
>>> decode("GGW")
Traceback (most recent call last):
    ...
ValueError: ...
"""

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_BASE, _BYTE, _TWO_BYTES = 45, 1 << 8, 1 << 16
_SHORT = 2  # characters that one last byte takes


def encode(content: bytes) -> str:
    """Return two bytes as three characters, one last byte as two; the least significant comes first."""
    characters = []
    for start in range(0, len(content), 2):
        pair = content[start : start + 2]
        value, count = int.from_bytes(pair), len(pair) + 1
        for _ in range(count):
            value, digit = divmod(value, _BASE)
            characters.append(ALPHABET[digit])
    return "".join(characters)


def decode(text: str) -> bytes:
    """Return the bytes; ValueError for what no bytes are written as."""
    content = bytearray()
    for start in range(0, len(text), 3):
        digits = [_VALUES.get(character, -1) for character in text[start : start + 3]]
        value = sum(digit * _BASE**place for place, digit in enumerate(digits))
        limit, size = (_BYTE, 1) if len(digits) == _SHORT else (_TWO_BYTES, 2)
        if len(digits) == 1 or min(digits) < 0 or value >= limit:
            message = "not base45"
            raise ValueError(message)
        content += value.to_bytes(size)
    return bytes(content)
