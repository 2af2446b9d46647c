"""The strategies on the built-in faces with one budget of device seconds: what each finds.

    python benchmarks/strategies.py [--seconds 150] [--seeds 3] [--out runs/strategies]
        [--strategies bayesian,...] [--threads 2]

A strategy that samples architectures spends the budget on a supernet and then on estimates, one by
gradient on the training of its relaxed network. The supernet of a seed is trained once and charged
to each. What was found is trained from scratch by one recipe and tested on people and a kind of
forgery that were not seen. Prints a table in Markdown; a folder that was begun is continued.
"""

import argparse
import json
import shutil
import statistics
import time
from pathlib import Path
from typing import Any

import optuna

from bonas.assembly import Components
from bonas.commands import demo
from bonas.commands.search import run_search
from bonas.commands.train import choose_architecture
from bonas.comparison import Contestant, run_contestant
from bonas.config_file import parse_config
from bonas.protocol import line
from bonas.run_folder import RunFolder
from bonas.search_cost import GRADIENT, SearchCost
from bonas.strategies.named import GRADIENT_STRATEGIES, STRATEGIES
from bonas.supernet_training import supernet_estimator
from spaces.skips import all_skips, skips_by_cell

# The demo's faces, supernet and training, with networks of half the width: twenty-one searches are
# to end within two hours of a core. A search by gradient can keep no limits, so none does.
SETTINGS: dict[str, Any] = demo.SETTINGS | {
    "space": {"width": 8, "level_width": 32},
    "search": {"trials": 10_000},
}

RATES = {"darts": 3e-3, "pdarts": 6e-3}
"""Ten times the published rates of the strengths, for a hundredth of the published steps."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=150.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("runs/strategies"))
    parser.add_argument("--strategies", default=",".join((*STRATEGIES, *GRADIENT_STRATEGIES)))
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    rows: dict[str, list[dict[str, Any]]] = {}
    for seed in range(arguments.seeds):
        shared = arguments.out / f"supernet-{seed}"
        for strategy in arguments.strategies.split(","):
            folder = _folder(arguments, strategy, seed)
            result = folder.path / "result.json"
            if not result.is_file():
                result.write_text(json.dumps(_run(folder, shared, arguments.seconds)))
            rows.setdefault(strategy, []).append(json.loads(result.read_text()))
            shown = {k: v for k, v in rows[strategy][-1].items() if k != "protocol"}
            print(strategy, seed, shown, flush=True)
    print(f"\n{arguments.seconds:g} s of search each, {arguments.seeds} seed(s)\n")
    print(_table(rows))
    for strategy, runs in rows.items():
        # Results of before they kept their protocol have none.
        told = dict.fromkeys(line(run["protocol"]) for run in runs if "protocol" in run)
        for protocol in told:
            print(f"{strategy}: {protocol}")


def _folder(arguments: argparse.Namespace, strategy: str, seed: int) -> RunFolder:
    settings = SETTINGS | {
        "seed": seed,
        "search": {**SETTINGS["search"], "strategy": strategy},
        "gradient": {"strength_rate": RATES.get(strategy, 3e-3)},
        "device": {"threads": arguments.threads},
    }
    return RunFolder.create(arguments.out / f"{strategy}-{seed}", parse_config(settings, strategy))


def _run(folder: RunFolder, shared: Path, seconds: float) -> dict[str, Any]:
    parts = Components.of(folder)
    sampled = folder.config.search.strategy in STRATEGIES
    started = time.perf_counter()
    charged = _supernet(parts, folder, shared) if sampled else 0.0
    if charged >= seconds:
        raise SystemExit(f"the supernet took {charged:.0f} s; give more --seconds.")
    begun = time.perf_counter()
    search = run_search(folder, parts, time_limit=seconds - charged)
    spent = charged + time.perf_counter() - begun
    found, key = choose_architecture(folder, None)
    counted = skips_by_cell(parts.builder.space, found)
    record = run_contestant(
        parts,
        parts.test(),
        parts.recipe(folder.config.training),
        Contestant(key, found, folder.config.seed),
        steps=parts.recipe(folder.config.training).steps,
        folder=folder.detector(key),
    )
    cost = SearchCost.of_attributes(search.study.optuna.user_attrs)
    assert cost is not None
    return {
        "seconds": spent,
        "wall": time.perf_counter() - started,
        "estimates": search.study.finished,
        "multiply_adds": cost.total(told.observation for told in search.study.told()),
        "skips": all_skips(counted).share,
        "gradient": search.study.optuna.user_attrs.get(GRADIENT),
        "score": record.score.value,
        "groups": {g.value: v for g, v in record.score.group_means.items()},
        "parameters": record.parameters,
        "key": key,
        "choices": list(found.choices),
        "protocol": record.protocol,
    }


def _supernet(parts: Components, folder: RunFolder, shared: Path) -> float:
    """Put the seed's supernet into the run, trained if it is the first; the seconds it took."""
    noted = shared / "seconds"
    if not noted.is_file():
        begun = time.perf_counter()
        supernet_estimator(parts, folder)
        shared.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder.supernet, shared / folder.supernet.name)
        noted.write_text(str(time.perf_counter() - begun))
    else:
        shutil.copyfile(shared / folder.supernet.name, folder.supernet)
    return float(noted.read_text())


def _table(rows: dict[str, list[dict[str, Any]]]) -> str:
    columns = ["strategy", "test score", "clean", "unseen", "skips", "before the cap"]
    columns += [
        "weight of a skip",
        "collapsed",
        "k parameters",
        "estimates",
        "seconds",
        "T multiply-adds",
        "found",
    ]
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for strategy, runs in rows.items():
        groups = [_mean([r["groups"][g] for r in runs], 3) for g in ("clean", "unseen")]
        cells = [
            strategy,
            _mean([r["score"] for r in runs], 3),
            *groups,
            _mean([r["skips"] for r in runs], 2),
            *_collapse([r["gradient"] for r in runs if r.get("gradient")]),
            _mean([r["parameters"] / 1e3 for r in runs], 0),
            _mean([r["estimates"] for r in runs], 0),
            _mean([r["seconds"] for r in runs], 0),
            _mean([r["multiply_adds"] / 1e12 for r in runs], 2),
            " ".join(f"`{r['key'][:8]}`" for r in runs),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _collapse(said: list[dict[str, Any]]) -> list[str]:
    """What the strengths chose before a cap, how they weigh skips, and verdicts."""
    if not said:
        return ["", "", ""]
    even = statistics.mean(s["skip_weight_even"] for s in said)
    return [
        _mean([s["skip_share"] for s in said], 2),
        f"{_mean([s['skip_weight'] for s in said], 3)} (even {even:.3f})",
        f"{sum(s['collapsed'] for s in said)} of {len(said)}",
    ]


def _mean(values: list[float], digits: int) -> str:
    spread = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.{digits}f}{spread}"


if __name__ == "__main__":
    main()
