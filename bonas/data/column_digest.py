"""A digest of columns, in which no byte of one can pass for a byte of the next."""

import hashlib
import json
from collections.abc import Sequence

import numpy as np
import torch

Column = torch.Tensor | Sequence[str]


def column_digest(*columns: Column) -> str:
    """SHA-256 of columns, the first sixteen hexadecimal digits.

    Before each stands what it is and how long, so that other columns of the same bytes differ.

    Args:
        columns: Tensors, by type, shape and values on any device, or names.
    """
    state = hashlib.sha256()
    for column in columns:
        if isinstance(column, torch.Tensor):
            values = np.ascontiguousarray(column.cpu().numpy())
            state.update(json.dumps([values.dtype.str, *values.shape]).encode() + b"\n")
            state.update(values.data if values.size else b"")
        else:
            names = json.dumps(list(column)).encode()
            state.update(b"%d\n" % len(names) + names)
    return state.hexdigest()[:16]
