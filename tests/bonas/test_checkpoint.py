from pathlib import Path

import pytest
import torch
from torch import nn

from bonas.checkpoint import load_checkpoint, load_weights, save_checkpoint, save_weights


def test_weights_and_metadata_round_trip(tmp_path: Path) -> None:
    network, other = nn.Linear(3, 2), nn.Linear(3, 2)
    save_weights(tmp_path / "a" / "w.safetensors", network, {"name": "x"})
    assert load_weights(tmp_path / "a" / "w.safetensors", other) == {"name": "x"}
    assert torch.equal(network.weight, other.weight)
    assert [f.name for f in (tmp_path / "a").iterdir()] == ["w.safetensors"]


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    save_weights(tmp_path / "w", nn.Linear(3, 2))
    with pytest.raises(ValueError, match="holds the weights of another network"):
        load_weights(tmp_path / "w", nn.Linear(4, 2))


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    network = nn.Linear(3, 2)
    save_weights(tmp_path / "w", network)
    (tmp_path / "w").write_bytes((tmp_path / "w").read_bytes()[:-5])
    with pytest.raises(ValueError, match=r"w is damaged .*; remove it"):
        load_weights(tmp_path / "w", network)
    with pytest.raises(ValueError, match=r"w is damaged"):
        load_checkpoint(tmp_path / "w", network, (), torch.device("cpu"))


def test_a_state_of_other_parameters_is_refused(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))

    def optimiser(parameters: list[nn.Parameter]) -> torch.optim.SGD:
        return torch.optim.SGD(parameters, lr=0.1, momentum=0.9)

    everything = list(network.parameters())
    whole = optimiser(everything)
    network(torch.ones(1, 3)).sum().backward()
    whole.step()
    save_checkpoint(tmp_path / "c", network, (whole,), 1)
    for fewer in (everything[1:], everything[:1]):
        with pytest.raises(ValueError, match=r"c is the state of another training.*remove it"):
            load_checkpoint(tmp_path / "c", network, (optimiser(fewer),), torch.device("cpu"))
    assert load_checkpoint(tmp_path / "c", network, (whole,), torch.device("cpu")) == 1
