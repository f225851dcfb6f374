"""A reader of CBOR (RFC 8949) for what Smithy's RPC v2 sends: no indefinite strings, one tag."""

import struct


class _Break:
    pass


def loads(data):
    """Returns the one value that `data` holds."""
    value, at = _item(data, 0)
    if at != len(data):
        raise ValueError(f"{len(data) - at} bytes after the value")
    return value


def _argument(data, at, low):
    if low < 24:
        return low, at
    size = {24: 1, 25: 2, 26: 4, 27: 8}[low]
    return int.from_bytes(data[at : at + size], "big"), at + size


def _item(data, at):
    kind, low = data[at] >> 5, data[at] & 31
    at += 1
    if kind == 7:
        return _simple(data, at, low)
    if low == 31:
        return _open(data, at, kind)
    number, at = _argument(data, at, low)
    if kind == 0:
        return number, at
    if kind == 1:
        return -1 - number, at
    if kind in (2, 3):
        piece = bytes(data[at : at + number])
        if len(piece) != number:
            raise ValueError("a string ends early")
        return (piece if kind == 2 else piece.decode()), at + number
    if kind == 4:
        items = []
        for _ in range(number):
            item, at = _item(data, at)
            items.append(item)
        return items, at
    if kind == 5:
        entries = {}
        for _ in range(number):
            key, at = _item(data, at)
            entries[key], at = _item(data, at)
        return entries, at
    if number != 1:
        raise ValueError(f"tag {number}; RPC v2 has tag 1 only")
    return _item(data, at)


def _open(data, at, kind):
    """Reads a list or a map without a length, up to its end."""
    items = []
    while True:
        item, at = _item(data, at)
        if item is _Break:
            break
        items.append(item)
    if kind == 4:
        return items, at
    if kind == 5:
        return dict(zip(items[::2], items[1::2], strict=True)), at
    raise ValueError("a string without a length")


def _simple(data, at, low):
    fixed = {20: False, 21: True, 22: None, 23: None, 31: _Break}
    if low in fixed:
        return fixed[low], at
    form, size = {25: (">e", 2), 26: (">f", 4), 27: (">d", 8)}[low]
    return struct.unpack(form, data[at : at + size])[0], at + size
