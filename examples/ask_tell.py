"""A search by ask and tell, on a space of one's own and an objective that needs no GPU.

python examples/ask_tell.py
"""

import bonas
from spaces.architecture import Architecture
from spaces.cell import CellSpace

SPACE = CellSpace("toy", ("none", "skip", "conv_1x1", "conv_3x3", "avg_pool_3x3"))


def pretended_accuracy(architecture: Architecture) -> float:
    """Stands for training: rewards convolutions on the long path and a skip beside it."""
    edges = dict(zip((d.name for d in SPACE.decisions), architecture.choices, strict=True))
    path = ("cell/0-1", "cell/1-2", "cell/2-3")
    worth = {"conv_3x3": 1.0, "conv_1x1": 0.6, "avg_pool_3x3": 0.2, "skip": 0.1, "none": 0.0}
    return sum(worth[str(edges[e])] for e in path) + 0.5 * (edges["cell/0-3"] == "skip")


def main() -> None:
    """Sixty evaluations of 15,625 architectures."""
    search = bonas.Search(SPACE, seed=0)
    for _ in range(60):
        architecture = search.ask()
        value = pretended_accuracy(architecture)
        search.tell(architecture, bonas.Observation(value=value))
    best = search.best
    assert best is not None
    print(f"trial {best.number}: {best.observation.value}  {best.architecture.choices}")


if __name__ == "__main__":
    main()
