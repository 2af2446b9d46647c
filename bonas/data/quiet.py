"""A library's warnings kept from the user, in one thread at a time."""

import contextlib
import threading
import warnings
from collections.abc import Iterator

_LOCK = threading.Lock()  # filters of warnings belong to the process, not to a thread


@contextlib.contextmanager
def without(category: type[Warning]) -> Iterator[None]:
    """No warning of a category is shown while the block runs; keep the block short."""
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore", category)
        yield
