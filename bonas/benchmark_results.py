"""What benchmarks found: files that are continued, tables and curves."""

import json
import math
import os
import statistics
import textwrap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import bonas
from bonas.benchmarking import BenchmarkRun
from bonas.estimation.tabular import TabularEstimator
from bonas.paired import mean_and_half_width
from bonas.run_folder import file_digest
from bonas.versions import versions
from bonas.whole_files import write_whole


def table_protocol(
    table: Path,
    estimator: TabularEstimator,
    *,
    space: str,
    decisions: Sequence[str] = (),
    trials: int,
    workers: int = 1,
) -> dict[str, Any]:
    """What runs on a table hold for, as a JSON document.

    Args:
        table: The file.
        estimator: Read from it.
        space: Its name.
        decisions: The columns of a space without graphs, in their order.
        trials: Of each run.
        workers: Pending suggestions in each.
    """
    return {
        "version": bonas.__version__,
        "versions": versions(decoders=False),
        "table": {"name": table.name, "sha256": file_digest(table)},
        "space": space,
        **({"decisions": list(decisions)} if decisions else {}),
        "architectures": len(estimator.values),
        "trials": trials,
        "workers": workers,
    }


@dataclass(frozen=True, slots=True)
class Benchmark:
    """All runs on one objective.

    Attributes:
        objective: What was maximised, as it was written.
        optimum: The table's largest value.
        runs: As they finished.
        protocol: What the runs hold for: versions, the table's digest, `trials`, `workers`.
    """

    objective: str
    optimum: float
    runs: list[BenchmarkRun]
    protocol: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """One object with `objective`, `optimum`, `runs` and `protocol`."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Benchmark":
        """What `to_json` wrote.

        Raises:
            ValueError: something else.
        """
        try:
            document = json.loads(text)
            runs = [BenchmarkRun(**run) for run in document["runs"]]
            protocol = document.get("protocol", {})
            return cls(document["objective"], document["optimum"], runs, protocol)
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"not the JSON of a benchmark: {error!r}.") from error

    @property
    def longest(self) -> int:
        """Evaluations of the longest run: fewer than its trials where nothing was left."""
        return max((len(run.best) for run in self.runs), default=0)

    def curves(self, strategy: str) -> list[list[float]]:
        """`best` of every seed, by seed; runs that found nothing are left out."""
        runs = sorted(self.runs, key=lambda run: run.seed)
        return [run.best for run in runs if run.strategy == strategy and run.best]

    def begun_or_continued(self, path: Path) -> "Benchmark":
        """The benchmark with the runs that a file holds, if there is one.

        Raises:
            ValueError: the file is no benchmark, or one of another objective, optimum or protocol.
        """
        if not path.exists():
            return self
        try:
            found = Benchmark.from_json(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{path} is {error} Restore it, or name another file.") from error
        for name in ("objective", "optimum", "protocol"):
            if getattr(found, name) != getattr(self, name):
                raise ValueError(
                    f"{path} holds runs of another benchmark: {name} is {getattr(found, name)!r} "
                    f"there and {getattr(self, name)!r} here. Name another file, or the same "
                    "arguments to continue it."
                )
        return found

    def with_run(self, run: BenchmarkRun) -> "Benchmark":
        """The benchmark with one run more, in the place of an earlier one of its name and seed."""
        kept = [r for r in self.runs if (r.strategy, r.seed) != (run.strategy, run.seed)]
        return replace(self, runs=[*kept, run])

    def of(self, strategies: Sequence[str], seeds: Collection[int]) -> "Benchmark":
        """Only the runs of these strategies, in their order, with these seeds."""
        runs = [r for s in strategies for r in self.runs if r.strategy == s and r.seed in seeds]
        return replace(self, runs=runs)

    def write(self, path: Path) -> None:
        """Write the JSON, whole or not at all."""
        write_whole(path, self.to_json())


def check_output(argument: str, path: Path) -> None:
    """Raise unless a file can be written there, before anything is computed for it.

    Raises:
        ValueError: naming argument and path.
    """
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise ValueError(
            f"{argument} is {str(path)!r}, where no file can be written; name a file in a folder "
            "that exists."
        )


def check_plot(path: Path) -> None:
    """Raise unless a plot can be drawn into a file of this name.

    Raises:
        ModuleNotFoundError: matplotlib is missing; the message names the extra.
        ValueError: a suffix that is no format of matplotlib's.
    """
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "drawing needs matplotlib; install it with: pip install 'bonas[dashboard]'"
        ) from error
    formats = Figure().canvas.get_supported_filetypes()
    if path.suffix.removeprefix(".") not in formats:
        raise ValueError(
            f"the plot is {str(path)!r}, whose suffix is none of {', '.join(sorted(formats))}; "
            "name a .png or .svg."
        )


def draw_curves(benchmark: Benchmark, path: Path) -> None:
    """Draw mean and 95 % confidence band of every strategy's best value; no band of one seed.

    Raises:
        ModuleNotFoundError, ValueError: as `check_plot`.
    """
    check_plot(path)
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for strategy in dict.fromkeys(run.strategy for run in benchmark.runs if run.best):
        mean, half = mean_and_half_width(benchmark.curves(strategy))
        steps = range(1, len(mean) + 1)
        (line,) = axes.plot(steps, mean, label=strategy)
        axes.fill_between(steps, mean - half, mean + half, alpha=0.2, color=line.get_color())
    axes.axhline(benchmark.optimum, linestyle=":", color="black", label="optimum")
    axes.set(xlabel="evaluations", ylabel="best value, mean with its 95 % interval")
    parts = textwrap.wrap(benchmark.objective.replace(",", ", "), 90)
    axes.set_title("\n".join(parts), fontsize="small")
    # From the tenth evaluation on: before it the worst draws would set the axis.
    starts = [run.best[min(9, len(run.best) - 1)] for run in benchmark.runs if run.best]
    low = statistics.quantiles([*starts, *starts], n=20)[0] if starts else benchmark.optimum
    axes.set_ylim(low, benchmark.optimum + 0.03 * (benchmark.optimum - low) + 1e-12)
    axes.legend()
    figure.savefig(path, dpi=150)


def number_format(benchmark: Benchmark) -> str:
    """How its values are written: two decimals of an accuracy in per cent, four of a share.

    Four digits of the optimum; as powers of ten where that would be a row of zeros.
    """
    size = abs(benchmark.optimum)
    if size and not 1e-3 <= size < 1e6:
        return ".3e"
    return f".{max(0, 3 - math.floor(math.log10(size))) if size else 2}f"


def summary(benchmark: Benchmark, at: Sequence[int]) -> list[tuple[str, list[str], str]]:
    """Per strategy: mean best value with its 95 % half width at each number, and milliseconds.

    One seed has no spread, and none is shown. A run that ended early, as nothing was left to
    propose, has its last value from there on.
    """
    rows = []
    shown = number_format(benchmark)
    seconds: Mapping[str, list[float]] = {r.strategy: [] for r in benchmark.runs}
    for run in benchmark.runs:
        seconds[run.strategy].append(run.seconds_per_suggestion)
    for strategy, times in seconds.items():
        curves = benchmark.curves(strategy)
        cells = []
        if curves:
            mean, half = mean_and_half_width(curves)
            spread = [f" ± {h:{shown}}" if len(curves) > 1 else "" for h in half]
            places = [min(n, len(mean)) - 1 for n in at]
            cells = [f"{mean[i]:{shown}}{spread[i]}" for i in places]
        rows.append((strategy, cells, f"{1000 * statistics.median(times):.1f}"))
    return rows
