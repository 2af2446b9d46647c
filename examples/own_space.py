"""A search space of one's own with its networks, searched by a zero-cost score."""

import networkx as nx
import torch
from torch import nn

import bonas
from bonas.estimation.zero_cost import ZeroCostEstimator
from spaces.graphs import INPUT, OUTPUT
from spaces.space import Decision


class Chain:
    name = "chain"
    decisions = (
        Decision("depth", (1, 2, 3, 4)),
        Decision("width", (8, 16, 24, 32)),
        Decision("kernel", (3, 5, 7)),
    )

    def graph(self, architecture):
        """A node per decision, one behind the other: enough to tell architectures apart."""
        graph = nx.DiGraph()
        graph.add_node(INPUT, operation=INPUT)
        graph.add_node(OUTPUT, operation=OUTPUT)
        for decision, choice in zip(self.decisions, architecture.choices, strict=True):
            operation = f"{decision.name}={choice}"
            graph.add_node(decision.name, operation=operation, decision=decision.name)
        nx.add_path(graph, [INPUT, *(d.name for d in self.decisions), OUTPUT])
        return graph


class Network(nn.Module):
    def __init__(self, depth, width, kernel):
        super().__init__()
        layers = []
        for channels in (3, *[width] * (depth - 1)):
            layers += [nn.Conv2d(channels, width, kernel, stride=2), nn.BatchNorm2d(width)]
            layers += [nn.ReLU()]
        self.body, self.logit = nn.Sequential(*layers), nn.Linear(width, 1)

    def forward(self, images, architecture):
        return self.logit(self.body(images).mean((2, 3))).squeeze(1)


class ChainBuilder:
    space = Chain()

    def build(self, options):
        return Network(*(options[d.name][0] for d in self.space.decisions))


if __name__ == "__main__":
    images = torch.rand(16, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    estimator = ZeroCostEstimator(ChainBuilder(), "naswot", images, torch.arange(16) % 2)
    best = bonas.Search(ChainBuilder.space, seed=0).run(estimator, trials=20)
    print(f"trial {best.number}: {best.observation.value}  {best.architecture.choices}")
