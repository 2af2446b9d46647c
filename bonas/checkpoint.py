"""Weights and training states on disk: safetensors, written whole or not at all."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

STEP, TERMS, SECONDS = "step", "terms", "seconds"
_NETWORK, _OPTIMISER = "network/", "optimiser/"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a training keeps its state, and what it stands on.

    Attributes:
        path: Of the file.
        terms: Written beside the state; whoever goes on compares them first (`training_terms`).
    """

    path: Path
    terms: Mapping[str, Any] = field(default_factory=dict)


def save_weights(path: Path, network: nn.Module, metadata: dict[str, str] | None = None) -> None:
    """Write the network's parameters and buffers; a crash leaves the old file."""
    tensors = {name: tensor.contiguous().cpu() for name, tensor in network.state_dict().items()}
    write_tensors(path, tensors, metadata or {})


def load_weights(path: Path, network: nn.Module) -> dict[str, str]:
    """Read `save_weights`' file into a network and return the metadata.

    Raises:
        ValueError: the file is damaged, or holds another network's weights.
    """
    tensors, metadata = read_tensors(path)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        first = str(error).splitlines()[-1].strip()
        raise ValueError(
            f"{path} holds the weights of another network ({first}). "
            "Train it again, or use the configuration that it was trained with."
        ) from error
    return metadata


def save_checkpoint(
    path: Path,
    network: nn.Module,
    optimisers: Sequence[torch.optim.Optimizer],
    step: int,
    terms: Mapping[str, Any] | None = None,
    seconds: float = 0.0,
) -> None:
    """Write all that training needs to continue after `step` steps, what it stands on, and how
    many seconds it took so far, over all starts."""
    tensors = {_NETWORK + n: t.contiguous().cpu() for n, t in network.state_dict().items()}
    for which, optimiser in enumerate(optimisers):
        for number, state in optimiser.state_dict()["state"].items():
            for name, tensor in state.items():
                # A step counter is a tensor of no dimension, moments have their parameter's shape.
                tensors[f"{_OPTIMISER}{which}/{number}/{name}"] = tensor.contiguous().cpu()
    metadata = {STEP: str(step), TERMS: json.dumps(dict(terms or {})), SECONDS: str(seconds)}
    write_tensors(path, tensors, metadata)


def terms_of(path: Path) -> dict[str, Any]:
    """What the training in a checkpoint stands on, as `save_checkpoint` was told."""
    with safe_open(path, framework="pt") as file:
        terms: dict[str, Any] = json.loads(file.metadata().get(TERMS, "{}"))
    return terms


def seconds_of(path: Path) -> float:
    """How long the training in a checkpoint took; 0 where there is none, or it does not say."""
    if not path.is_file():
        return 0.0
    with safe_open(path, framework="pt") as file:
        return float((file.metadata() or {}).get(SECONDS, 0.0))


def load_checkpoint(
    path: Path,
    network: nn.Module,
    optimisers: Sequence[torch.optim.Optimizer],
    device: torch.device,
) -> int:
    """Restore what `save_checkpoint` wrote, in place, and return the number of steps done.

    Raises:
        ValueError: the file is damaged, or of another training.
    """
    tensors, metadata = read_tensors(path)
    step = int(metadata[STEP])
    network.load_state_dict(
        {n.removeprefix(_NETWORK): t for n, t in tensors.items() if n.startswith(_NETWORK)}
    )
    states: list[dict[int, dict[str, torch.Tensor]]] = [{} for _ in optimisers]
    for name, tensor in tensors.items():
        if name.startswith(_OPTIMISER):
            which, number, key = name.removeprefix(_OPTIMISER).split("/")
            placed = tensor if key == STEP else tensor.to(device)
            states[int(which)].setdefault(int(number), {})[key] = placed
    for optimiser, state in zip(optimisers, states, strict=True):
        _check_shapes(path, optimiser, state)
        whole = optimiser.state_dict()
        optimiser.load_state_dict({"state": state, "param_groups": whole["param_groups"]})
    return step


def _check_shapes(
    path: Path, optimiser: torch.optim.Optimizer, state: Mapping[int, Mapping[str, torch.Tensor]]
) -> None:
    """Optimisers know their states by the parameters' positions, and would not see other ones."""
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    for number, moments in state.items():
        shape = parameters[number].shape if number < len(parameters) else None
        if any(key != STEP and tensor.shape != shape for key, tensor in moments.items()):
            raise ValueError(
                f"{path} is the state of another training, perhaps of an earlier version; remove "
                "it, and the same command begins the training anew."
            )


def read_tensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Tensors and metadata of a file.

    Raises:
        ValueError: it is damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return tensors, file.metadata() or {}
    except SafetensorError as error:
        raise ValueError(
            f"{path} is damaged ({error}); remove it, and the same command makes it again."
        ) from error


def write_tensors(path: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> None:
    """Write tensors and metadata; a crash leaves the old file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(save(tensors, metadata))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
