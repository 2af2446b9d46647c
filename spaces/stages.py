"""Stage spaces (macro search): how deep and wide each stage is, and of what its layers are made."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import networkx as nx

from spaces.architecture import Architecture, Choice
from spaces.graphs import INPUT, OUTPUT
from spaces.space import Decision, check

CONVOLUTION = "conv"
CENTRAL_DIFFERENCE = "cdc"
INVERTED_RESIDUAL = "mbconv"
EXPANDING = frozenset({INVERTED_RESIDUAL})
"""Operations that have hidden channels, so that the expansion has an effect."""
SETTINGS = ("operation", "depth", "width", "kernel", "expansion")


@dataclass(frozen=True, slots=True)
class Stage:
    """What was chosen for one stage; all of its layers are alike.

    Attributes:
        operation: Of every layer.
        depth: Number of layers.
        width: Output channels of every layer, as a share of the stage's full number.
        kernel: Edge of the spatial kernel.
        expansion: Hidden channels over input channels; 1 where the operation has none.
    """

    operation: str
    depth: int
    width: float
    kernel: int
    expansion: int

    @property
    def layer(self) -> str:
        """The operation with its settings, such as `mbconv_5x5_e3_w0.5`."""
        expansion = f"_e{self.expansion}" if self.operation in EXPANDING else ""
        return f"{self.operation}_{self.kernel}x{self.kernel}{expansion}_w{self.width:g}"


@dataclass(frozen=True, slots=True)
class StageSpace:
    """A chain of stages; each decides on its own operation, depth, width, kernel and expansion.

    Decisions are named such as `stage1/depth`. A setting with a single option is a constant and
    no decision. In a stage whose operation does not expand, the expansion has no effect: such
    architectures differ in no canonical key, and their stages have expansion 1.

    Attributes:
        name: Of the space.
        stages: Their names, from the input on.
        operations: Of a stage's layers.
        depths: Numbers of layers.
        widths: Shares of a stage's full number of channels; the network fixes the latter.
        kernels: Edges of kernels, odd.
        expansions: Hidden channels over input channels.

    Raises:
        ValueError: a setting without options or with one outside its rule, or several expansions
            where no operation expands.
    """

    name: str
    stages: tuple[str, ...]
    operations: tuple[str, ...]
    depths: tuple[int, ...]
    widths: tuple[float, ...]
    kernels: tuple[int, ...]
    expansions: tuple[int, ...]

    def __post_init__(self) -> None:
        rules = {
            "stages": (len(set(self.stages)) == len(self.stages), "different names"),
            "operations": (all(self.operations), "names"),
            "depths": (min(self.depths, default=0) >= 1, "numbers from 1 on"),
            "widths": (min(self.widths, default=0) > 0, "numbers above 0"),
            "kernels": (all(k >= 1 and k % 2 for k in self.kernels), "odd numbers"),
            "expansions": (min(self.expansions, default=0) >= 1, "numbers from 1 on"),
        }
        for setting, (kept, rule) in rules.items():
            given = getattr(self, setting)
            if not given or not kept:
                raise ValueError(f"{setting} is {given}; it must hold {rule}, at least one.")
        if len(self.expansions) > 1 and not EXPANDING & set(self.operations):
            raise ValueError(
                f"expansions is {self.expansions}, but none of the operations "
                f"{', '.join(self.operations)} expands; leave one, or add "
                f"{' or '.join(sorted(EXPANDING))}."
            )

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """Five per stage at most, stage by stage, in the order of `SETTINGS`."""
        return _decisions(self)

    @property
    def settings(self) -> tuple[tuple[str, tuple[Choice, ...]], ...]:
        """What each of `SETTINGS` can be, in every stage, constants included."""
        return _settings(self)

    def chosen(self, architecture: Architecture) -> dict[str, Stage]:
        """The architecture, stage by stage.

        Raises:
            ValueError: as `spaces.space.check`.
        """
        check(self, architecture)
        names = (decision.name for decision in self.decisions)
        choices = dict(zip(names, architecture.choices, strict=True))
        found = {}
        for stage in self.stages:
            setting = {
                name: choices.get(f"{stage}/{name}", options[0]) for name, options in self.settings
            }
            operation = str(setting["operation"])
            found[stage] = Stage(
                operation,
                int(setting["depth"]),
                float(setting["width"]),
                int(setting["kernel"]),
                int(setting["expansion"]) if operation in EXPANDING else 1,
            )
        return found

    def graph(self, architecture: Architecture) -> "nx.DiGraph[str]":
        """Input, a node per layer one behind the other, output.

        A layer's operation carries the name of its stage, since stages cannot be exchanged, and
        all settings: they are of one node, which several decisions choose together.
        """
        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_node(INPUT, operation=INPUT)
        end = INPUT
        for name, stage in self.chosen(architecture).items():
            shaping = tuple(self._effective(name, stage))
            for layer in range(1, stage.depth + 1):
                node = f"{name}/{layer}"
                operation = f"{name}/{stage.layer}"
                graph.add_node(node, operation=operation, cell=name, decisions=shaping)
                graph.add_edge(end, node)
                end = node
        graph.add_node(OUTPUT, operation=OUTPUT)
        graph.add_edge(end, OUTPUT)
        return graph

    def live(self, architecture: Architecture) -> frozenset[str]:
        """All decisions but the expansions of stages that do not expand."""
        stages = self.chosen(architecture).items()
        return frozenset(d for name, stage in stages for d in self._effective(name, stage))

    def _effective(self, name: str, stage: Stage) -> Iterator[str]:
        for setting, options in self.settings:
            dead = setting == "expansion" and stage.operation not in EXPANDING
            if len(options) > 1 and not dead:
                yield f"{name}/{setting}"


@cache
def _settings(space: StageSpace) -> tuple[tuple[str, tuple[Choice, ...]], ...]:
    settings = (space.operations, space.depths, space.widths, space.kernels, space.expansions)
    return tuple(zip(SETTINGS, settings, strict=True))


@cache
def _decisions(space: StageSpace) -> tuple[Decision, ...]:
    return tuple(
        Decision(f"{stage}/{setting}", options)
        for stage in space.stages
        for setting, options in space.settings
        if len(options) > 1
    )
