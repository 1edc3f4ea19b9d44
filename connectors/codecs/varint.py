"""Whole numbers in as many bytes as they need: seven bits in each, the lowest first (protobuf.dev, encoding)."""

_LONGEST = 5


def read_varint(data: bytes, start: int) -> tuple[int, int] | None:
    """The number that begins at ``start``, and where it ends; None where none of 32 bits does."""
    value = 0
    for place in range(start, min(start + _LONGEST, len(data))):
        value |= (data[place] & 0x7F) << 7 * (place - start)
        if data[place] < 0x80:
            return value, place + 1
    return None


def varint(number: int) -> bytes:
    """``number``, which is not negative."""
    if number < 0x80:
        return bytes((number,))
    if number < 0x4000:
        return bytes((number & 0x7F | 0x80, number >> 7))
    octets = bytearray()
    while number > 0x7F:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    octets.append(number)
    return bytes(octets)
