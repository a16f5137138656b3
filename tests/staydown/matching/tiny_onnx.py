"""ONNX models of one or two steps, written byte by byte, so that tests need no model and no other package.

The field numbers are those of onnx.proto3 (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3).
"""

from __future__ import annotations

FLOAT, UINT8 = 1, 2


def _varint(number: int) -> bytes:
    out = bytearray()
    while True:
        number, low = number >> 7, number & 0x7F
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _block(field: int, body: bytes | str) -> bytes:
    data = body.encode() if isinstance(body, str) else body
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _value(name: str, kind: int, shape: list[int | str]) -> bytes:
    sizes = b"".join(
        _block(1, _number(1, size) if isinstance(size, int) else _block(2, size)) for size in shape
    )
    tensor = _number(1, kind) + _block(2, sizes)
    return _block(1, name) + _block(2, _block(1, tensor))


def _integer(name: str, value: int) -> bytes:
    return _block(5, _block(1, name) + _number(3, value) + _number(20, 2))


def _integers(name: str, values: list[int]) -> bytes:
    return _block(5, _block(1, name) + b"".join(_number(8, value) for value in values) + _number(20, 7))


def _node(operator: str, given: str, made: str, attributes: bytes) -> bytes:
    return _block(1, given) + _block(2, made) + _block(4, operator) + attributes


def mean_colour(kind: int, shape: list[int | str], *, axes: list[int], made: int = 3) -> bytes:
    """A model that gives the mean over these axes of a picture, as its only vector (1, `made`)."""
    nodes = [
        _node("Cast", "picture", "numbers", _integer("to", FLOAT)),
        _node("ReduceMean", "numbers", "vector", _integers("axes", axes) + _integer("keepdims", 0)),
    ]
    graph = b"".join(_block(1, node) for node in nodes)
    graph += _block(2, "tiny") + _block(11, _value("picture", kind, shape))
    graph += _block(12, _value("vector", FLOAT, [1, made]))
    return _number(1, 8) + _block(7, graph) + _block(8, _number(2, 13))
