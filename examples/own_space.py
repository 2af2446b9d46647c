"""A space of one's own; `bonas search` takes it as `space.name = "own_space.py:ChainBuilder"`."""

import networkx as nx
import torch
from torch import nn

import bonas
from bonas.estimation.zero_cost import ZeroCostEstimator
from spaces.graphs import INPUT, OUTPUT
from spaces.space import Decision


class Chain:
    name = "chain"
    decisions = (Decision("depth", (1, 2, 3, 4)),)
    decisions += tuple(Decision(f"kernel{i}", (3, 5, 7)) for i in range(4))

    def graph(self, architecture):
        """The layers one behind the other; a kernel beyond the depth leaves no mark."""
        depth, *kernels = architecture.choices
        graph = nx.DiGraph()
        graph.add_node(INPUT, operation=INPUT)
        for i, k in enumerate(kernels[:depth]):
            graph.add_node(f"layer{i}", operation=f"conv{k}", decisions=("depth", f"kernel{i}"))
        graph.add_node(OUTPUT, operation=OUTPUT)
        nx.add_path(graph, list(graph))
        return graph


class Network(nn.Module):
    """Of one option per decision a stand-alone network, of all of them a supernet."""

    def __init__(self, options):
        super().__init__()
        self.layers, self.logit = nn.ModuleDict(), nn.Linear(16, 1)
        for i in range(max(options["depth"])):
            for k in options[f"kernel{i}"]:
                convolution = nn.Conv2d(16 if i else 3, 16, k, stride=2, padding=k // 2)
                self.layers[f"{i}-{k}"] = nn.Sequential(convolution, nn.BatchNorm2d(16), nn.ReLU())

    def forward(self, images, architecture):
        depth, *kernels = architecture.choices
        for i, k in enumerate(kernels[:depth]):
            images = self.layers[f"{i}-{k}"](images)
        return self.logit(images.mean((2, 3))).squeeze(1)


class ChainBuilder:
    space = Chain()

    def build(self, options):
        return Network(options)


if __name__ == "__main__":
    images = torch.rand(16, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    estimator = ZeroCostEstimator(ChainBuilder(), "naswot", images, torch.arange(16) % 2)
    best = bonas.Search(ChainBuilder.space, seed=0).run(estimator, trials=20)
    print(f"trial {best.number}: {best.observation.value}  {best.architecture.choices}")
