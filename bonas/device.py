"""Where networks run and in which precision."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import torch


class Precision(StrEnum):
    """Arithmetic of the networks' forward pass; weights stay float32.

    `FLOAT32` is that of the standard: not TF32, with ten bits of mantissa, that torch has for CUDA.
    """

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


@dataclass(frozen=True, slots=True)
class Device:
    """A device with the precision that networks use on it."""

    device: torch.device
    autocast: bool

    @contextlib.contextmanager
    def mixed_precision(self) -> Iterator[None]:
        """Forward passes inside run in bfloat16 where that was chosen."""
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.autocast):
            yield

    @contextlib.contextmanager
    def full_precision(self) -> Iterator[None]:
        """Convolutions inside, and their gradients, have all bits of a float32 on CUDA as well."""
        before = torch.backends.cudnn.allow_tf32
        torch.backends.cudnn.allow_tf32 = False
        try:
            yield
        finally:
            torch.backends.cudnn.allow_tf32 = before

    def describe(self) -> str:
        """Such as `cpu, 2 threads, bfloat16`."""
        threads = torch.get_num_threads()
        name = (
            torch.cuda.get_device_name(self.device)
            if self.device.type == "cuda"
            else f"cpu, {threads} thread{'s' if threads > 1 else ''}"
        )
        return f"{name}, {'bfloat16' if self.autocast else 'float32'}"


def choose_device(
    name: str = "auto", precision: Precision = Precision.AUTO, threads: int | None = None
) -> Device:
    """The named device, set up so that repeated runs give equal bits.

    Args:
        name: `auto` (CUDA where there is one, else the CPU), `cpu`, `cuda` or `cuda:N`.
        precision: `auto` is bfloat16 where the hardware computes in it, otherwise float32.
        threads: CPU threads of torch; the last bits of sums depend on them. `None` leaves them.

    Raises:
        ValueError: no such device here.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    available = torch.cuda.is_available()
    chosen = ("cuda" if available else "cpu") if name == "auto" else name
    if chosen.startswith("cuda") and not available:
        raise ValueError(
            f"device.name is {name!r}, but torch finds no CUDA device. Use 'cpu' or 'auto', or "
            "install a CUDA build of torch and a driver."
        )
    try:
        device = torch.device(chosen)
    except RuntimeError as error:  # names every kind that torch was ever built for
        raise ValueError(
            f"device.name is {name!r}; it must be auto, cpu, cuda, or cuda:N for one of several."
        ) from error
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.allow_tf32 = precision is not Precision.FLOAT32
    if precision is Precision.AUTO:
        return Device(device, _computes_bfloat16(device))
    return Device(device, precision is Precision.BFLOAT16)


def _computes_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # On a CPU without the instructions, bfloat16 is emulated and slower than float32.
    return bool(torch.cpu._is_avx512_bf16_supported())
