"""Networks of the `forgery` spaces: three stages of a cell each, a pyramid, one logit."""

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from bonas.networks.cells import Cell, RelaxedChoices
from bonas.networks.decoder import RegionDecoder
from bonas.networks.heads import full_precision
from bonas.networks.stems import ChosenStem, Stem, entry, first_stem
from bonas.networks.wiring import Wiring, wiring_of
from spaces.architecture import Architecture, Choice
from spaces.forgery import FORGERY, ForgerySpace
from spaces.pyramid import ADD, JOINS, NODES, STAGES, TOP_DOWN

WIDENING = (2, 4, 6)


class ForgeryNetwork(nn.Module):
    """The network of one architecture, or of many that share their weights.

    The stem sees every pixel, since a forgery's traces are as fine as that. The full one convolves
    at the image's resolution and pools, which takes two thirds of a small network's time; the
    folded one turns each 2x2 block of pixels into channels, which loses nothing, and convolves
    those (docs/decisions/0002-network-shape.md). Stages work at a half, a quarter and an eighth of
    the image's resolution with 2, 4 and 6 times `width` channels. Each live stage feeds a level of
    the pyramid; the logit is the sum of what the levels say, so that a stage that an architecture
    leaves dead is absent from it rather than zero.

    Where the space chooses the input, its options share all weights but the first convolution's.
    Levels have the last stage's resolution, so that a coarser one is added to a finer one without
    being enlarged.

    A second head (Liu et al. 2021 estimate the manipulated region beside the verdict) says of each
    position of the first stage, every second pixel, whether it was manipulated: see
    `RegionDecoder`. The verdict does not depend on it, but for what both learn together.

    Args:
        options: The operations that each edge may carry, and the options of the space's other
            decisions, by decision: one each for a stand-alone network, all for a supernet.
        width: Half the channels of the first stage.
        level_width: Channels of each pyramid level.
        stem: Full or folded.
        space: Whose architectures a call names.
        regions: Whether there is a second head. All other weights of a seed are then the same.
    """

    def __init__(
        self,
        options: Mapping[str, Sequence[Choice]],
        *,
        width: int = 16,
        level_width: int = 64,
        stem: Stem = "full",
        space: ForgerySpace = FORGERY,
        regions: bool = False,
    ) -> None:
        super().__init__()
        self.space = space
        self.entries = nn.ModuleList()
        self.cells = nn.ModuleList()
        self.levels = nn.ModuleList()
        self.logits = nn.ModuleList()
        inputs = [str(option) for option in options.get("input", space.inputs)]
        previous = 0
        for number, stage in enumerate(STAGES):
            channels = width * WIDENING[number]
            # Built for all stages though one keeps it: a seed's weights stay what they were.
            first = first_stem(inputs, width, channels, stem, chosen=len(space.inputs) > 1)
            self.entries.append(entry(previous, channels) if number else first)
            self.cells.append(Cell(stage, options, NODES, channels))
            # Pooled to the last stage's resolution first: the levels cost next to nothing then.
            self.levels.append(_level(channels, level_width, 2 ** (len(STAGES) - 1 - number)))
            self.logits.append(nn.Linear(2 * level_width, 1))
            previous = channels
        self.joins = nn.ModuleDict()
        for name in [*JOINS, *TOP_DOWN]:
            if ADD in options.get(name, ()):
                self.joins[name] = _join(name, width, level_width)
        # The last to be drawn, so that the weights before do not depend on it.
        self.decoder = RegionDecoder([width * w for w in WIDENING]) if regions else None

    def forward(
        self, images: torch.Tensor, architecture: Architecture | RelaxedChoices
    ) -> torch.Tensor:
        """Logits, `n`; positive means forged.

        Args:
            images: Normalised images, `n x 3 x h x w`, h and w even.
            architecture: Which operation each edge carries; at least its first stage must be live.
        """
        return self._verdict(self._levels(images, architecture)[1])

    def localise(
        self, images: torch.Tensor, architecture: Architecture | RelaxedChoices
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits of the images, `n`, and of their positions, `n x h/2 x w/2`: is it manipulated?

        Raises:
            ValueError: the network has no second head.
        """
        if self.decoder is None:
            raise ValueError("the network was built without a head for regions (regions=True).")
        ends, levels = self._levels(images, architecture)
        return self._verdict(levels), self.decoder(ends)

    def _verdict(self, levels: Sequence[torch.Tensor | None]) -> torch.Tensor:
        said = [
            full_precision(head, _statistics(value)).squeeze(1)
            for value, head in zip(levels, self._heads(), strict=True)
            if value is not None
        ]
        return sum(said[1:], start=said[0])

    def _heads(self) -> list[nn.Linear]:
        return [head for head in self.logits if isinstance(head, nn.Linear)]

    def _levels(
        self, images: torch.Tensor, architecture: Architecture | RelaxedChoices
    ) -> tuple[list[torch.Tensor | None], list[torch.Tensor | None]]:
        """The ends of the stages and the pyramid; `None` where nothing arrives.

        Ends have each stage's channels and resolution, levels are `n x level_width x h/8 x w/8`.
        """
        wiring = wiring_of(self.space, architecture.choices)
        per_cell = self.space.cells(architecture.choices)
        ends: list[torch.Tensor | None] = []
        levels: list[torch.Tensor | None] = []
        for number, stage in enumerate(STAGES):
            entering = self._entering(number, images, ends, wiring)
            end = None
            if entering is not None:
                end = self.cells[number](entering, per_cell[stage], wiring.thetas[number])
            if end is None and number == 0:
                raise ValueError(
                    f"{architecture} connects its input to nothing: no path leads through "
                    f"the cell {stage!r}. Draw another (spaces.graphs.is_connected tells)."
                )
            ends.append(end)
            levels.append(None if end is None else self.levels[number](end))
        for name, (above, level) in TOP_DOWN.items():
            levels[level] = self._joined(levels[level], name, levels[above], wiring)
        return ends, levels

    def _entering(
        self,
        number: int,
        images: torch.Tensor,
        ends: Sequence[torch.Tensor | None],  # of the stages before
        wiring: Wiring,
    ) -> torch.Tensor | None:
        """What a stage's cell receives; `None` where nothing does."""
        enter = self.entries[number]
        if number == 0:
            seen: torch.Tensor = (
                enter(images, wiring.input) if isinstance(enter, ChosenStem) else enter(images)
            )
            return seen
        before = ends[number - 1]
        entering = None if before is None else enter(before)
        for name, (source, target) in JOINS.items():
            if target == number:
                entering = self._joined(entering, name, ends[source], wiring)
        return entering

    def _joined(
        self,
        value: torch.Tensor | None,
        name: str,
        source: torch.Tensor | None,
        wiring: Wiring,
    ) -> torch.Tensor | None:
        """The value with what the named join adds, where the architecture has it."""
        # A join into a dead cell has no module in a stand-alone network.
        if name not in wiring.gates or name not in self.joins or source is None:
            return value
        gate = wiring.gates[name]
        term: torch.Tensor = self.joins[name](source)
        if gate is not None:
            term = gate * term
        return term if value is None else value + term


def _statistics(value: torch.Tensor) -> torch.Tensor:
    """Mean and standard deviation over the positions, `n x 2c`: a local trace moves the latter."""
    if value.dtype is torch.bfloat16:  # in which the square of a small deviation is lost
        value = value.float()
    variance, mean = torch.var_mean(value, dim=(2, 3), correction=0)
    return torch.cat([mean, (variance + 1e-5).sqrt()], dim=1)


def _join(name: str, width: int, level_width: int) -> nn.Module:
    """From one stage's end to another's entry, or from one level to the next finer one."""
    if name in TOP_DOWN:
        return nn.Sequential(
            nn.Conv2d(level_width, level_width, 1, bias=False),
            nn.BatchNorm2d(level_width),
            nn.ReLU(),
        )
    source, target = JOINS[name]
    return nn.Sequential(
        nn.MaxPool2d(2 ** (target - source)),
        nn.ReLU(),
        nn.Conv2d(width * WIDENING[source], width * WIDENING[target], 1, bias=False),
        nn.BatchNorm2d(width * WIDENING[target]),
    )


def _level(channels: int, level_width: int, pooled: int) -> nn.Module:
    return nn.Sequential(
        nn.ReLU(),
        nn.AvgPool2d(pooled) if pooled > 1 else nn.Identity(),
        nn.Conv2d(channels, level_width, 1, bias=False),
        nn.BatchNorm2d(level_width),
        nn.ReLU(),
    )
