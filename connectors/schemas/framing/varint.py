"""Whole numbers in as many bytes as they need, seven bits in each (protobuf.dev, encoding)."""

_LONGEST = 5


def read(data: bytes, start: int) -> tuple[int, int] | None:
    """The number that begins at ``start``, and where it ends; None where none of 32 bits does."""
    value = 0
    for place in range(start, min(start + _LONGEST, len(data))):
        value |= (data[place] & 0x7F) << 7 * (place - start)
        if data[place] < 0x80:
            return value, place + 1
    return None


def write(value: int) -> bytes:
    """``value``, which is not negative."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)
