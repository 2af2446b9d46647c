"""An ONNX file with the inputs and outputs of YuNet, and a world in which it is exact.

It finds a face in every white cell of a grid of 32 px, as large as the cell, with the landmarks at
`POINTS` of it. Written field by field, since no test needs a library of that format otherwise; the
numbers are those of onnx.proto3.
"""

import struct
from pathlib import Path

import numpy as np

POINTS = ((0.25, 0.3), (0.75, 0.3), (0.5, 0.5), (0.3, 0.8), (0.7, 0.8))
CELL = 32


def write_network(file: Path) -> Path:
    """The file; only cells of stride 32 have a score."""
    nodes, weights, outputs = b"", b"", b""
    for stride in (8, 16, 32):
        white = 1 / (3 * 255 * stride**2) if stride == CELL else 0.0
        heads: dict[str, tuple[float, list[float]]] = {
            "cls": (white, [0.0]),
            "obj": (white, [0.0]),
            "bbox": (0.0, [0.5, 0.5, 0.0, 0.0]),  # the middle of the cell; logs of the edges
            "kps": (0.0, [value for point in POINTS for value in point]),
        }
        for head, (weight, bias) in heads.items():
            name = f"{head}_{stride}"
            kernel = np.full((len(bias), 3, stride, stride), weight)
            weights += field(5, tensor(f"{name}_w", kernel))
            weights += field(5, tensor(f"{name}_b", np.array(bias)))
            shape = [ints("kernel_shape", [stride] * 2), ints("strides", [stride] * 2)]
            nodes += node("Conv", ["input", f"{name}_w", f"{name}_b"], f"{name}_c", shape)
            nodes += node("Transpose", [f"{name}_c"], name, [ints("perm", [0, 2, 3, 1])])
            outputs += field(12, value_info(name, [1, 640 // stride, 640 // stride, len(bias)]))
    inputs = field(11, value_info("input", [1, 3, 640, 640]))
    graph = nodes + field(2, b"cells") + weights + inputs + outputs
    file.write_bytes(number(1, 8) + field(7, graph) + field(8, number(2, 13)))
    return file


def varint(value: int) -> bytes:
    found = b""
    while value > 127:
        found += bytes([value % 128 + 128])
        value //= 128
    return found + bytes([value])


def number(place: int, value: int) -> bytes:
    return varint(place << 3) + varint(value)


def field(place: int, content: bytes) -> bytes:
    return varint(place << 3 | 2) + varint(len(content)) + content


def tensor(name: str, values: np.ndarray) -> bytes:
    dims = b"".join(number(1, length) for length in values.shape)
    raw = struct.pack(f"<{values.size}f", *values.ravel())
    return dims + number(2, 1) + field(8, name.encode()) + field(9, raw)


def ints(name: str, values: list[int]) -> bytes:
    return field(1, name.encode()) + b"".join(number(8, v) for v in values) + number(20, 7)


def node(kind: str, inputs: list[str], output: str, attributes: list[bytes]) -> bytes:
    content = b"".join(field(1, name.encode()) for name in inputs) + field(2, output.encode())
    content += field(3, output.encode()) + field(4, kind.encode())
    return field(1, content + b"".join(field(5, attribute) for attribute in attributes))


def value_info(name: str, shape: list[int]) -> bytes:
    dims = b"".join(field(1, number(1, length)) for length in shape)
    return field(1, name.encode()) + field(2, field(1, number(1, 1) + field(2, dims)))
