"""How well a supernet ranks architectures, by how it was trained, against training each alone.

    python benchmarks/supernet_ranking.py [--architectures 16] [--epochs 40] [--threads 2]

The demo's space, limits and faces. Random architectures are trained from scratch on the demo's
terms and scored on other faces, of another seed; supernets trained for equally many steps estimate
them on the validation split, as in a search, with the shared weights alone and with `--tuning`
epochs for each. Prints, as a Markdown table, Spearman's rank correlation of estimates and scores,
the mean score of the three architectures that were estimated best beside that of all, the spread of
the estimates, and seconds. The folder `--out` keeps what was trained; what is there is not trained
again.
"""

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from provenance import provenance
from scipy.stats import spearmanr

from bonas.assembly import Components
from bonas.commands.demo import SETTINGS
from bonas.config_file import parse_config
from bonas.data.source import load_search_data
from bonas.estimation.estimator import Estimator
from bonas.estimation.evaluation import Evaluation
from bonas.estimation.standalone import StandaloneEstimator
from bonas.estimation.supernet import uniform_paths
from bonas.run_folder import RunFolder
from bonas.supernet_training import estimator_with, supernet_estimator
from spaces.architecture import Architecture

OTHER_SEED, OTHER_IDENTITIES = 1, 1000
UNCHANGED = {"shift": 0.0, "colour": 0.0, "degrade": 0.0}  # but for mirror images
ARMS: dict[str, dict[str, Any]] = {
    "augmentation medium, rate 0.004 (the defaults)": {
        "learning_rate": 4e-3,
        "augmentation": "medium",
    },
    "augmentation light, rate 0.003 (the demo)": {"learning_rate": 3e-3, "augmentation": "light"},
    "mirror images only, rate 0.003": {
        "learning_rate": 3e-3,
        "augmentation": UNCHANGED,
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--architectures", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=SETTINGS["supernet"]["epochs"])
    parser.add_argument("--tuning", type=int, default=2, help="epochs for each architecture")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("runs/supernet_ranking"))
    arguments = parser.parse_args()
    parts = {name: _parts(number, arguments) for number, name in enumerate(ARMS)}
    first = next(iter(parts.values()))[0]
    draw = uniform_paths(first.builder.space, first.allowed)
    rng = np.random.default_rng(0)
    drawn = [draw(rng) for _ in range(arguments.architectures)]
    truth = _alone(first, drawn, arguments.out / "alone.json")
    best = sorted(truth)[-3:]
    print(f"\n{len(drawn)} architectures, alone: mean {statistics.mean(truth):.3f}, best three "
          f"{statistics.mean(best):.3f}, {min(truth):.3f} to {max(truth):.3f}\n")  # fmt: skip
    print("| supernet | tuning | rank correlation | best three by estimate | estimates "
          "| s per estimate |")  # fmt: skip
    print("|---|---|---|---|---|---|")
    for name, (own, folder) in parts.items():
        shared = supernet_estimator(own, folder)
        table = own.config.supernet.model_copy(update={"tuning_epochs": arguments.tuning})
        tuning = replace(own, config=own.config.model_copy(update={"supernet": table}))
        for label, estimator in (
            ("none", shared),
            (f"{arguments.tuning} epochs", estimator_with(tuning, shared.supernet)),
        ):
            print(f"| {name} | {label} | {_row(estimator, drawn, truth)} |", flush=True)
    scored = f"alone, on built-in faces of seed {OTHER_SEED}, {OTHER_IDENTITIES} identities"
    used = {"train": first.train, "val": first.data.val}
    print("\n" + provenance(faces=used, scored=scored, seed=0))


def _parts(number: int, arguments: argparse.Namespace) -> tuple[Components, RunFolder]:
    arm = list(ARMS.values())[number]
    supernet = {**SETTINGS["supernet"], "epochs": arguments.epochs, "tuning_epochs": 0, **arm}
    settings = SETTINGS | {"supernet": supernet, "device": {"threads": arguments.threads}}
    folder = RunFolder.create(arguments.out / f"supernet-{number}", parse_config(settings, "arm"))
    return Components.of(folder), folder


def _alone(parts: Components, drawn: Sequence[Architecture], path: Path) -> list[float]:
    """Scores of networks trained on their own, on faces that nothing else saw."""
    known = json.loads(path.read_text()) if path.is_file() else []
    estimator = None
    for architecture in drawn[len(known) :]:
        if estimator is None:
            table = parts.config.data.model_copy(update={"identities": OTHER_IDENTITIES})
            other = load_search_data(table, seed=OTHER_SEED)
            protocol = parts.validation().protocol
            evaluation = Evaluation.of(other.train, other.unseen_val, protocol, parts.device)
            recipe = parts.recipe(parts.config.training)
            estimator = StandaloneEstimator(parts.builder, parts.train, recipe, evaluation)
        known.append(estimator.estimate(architecture, seed=0).value)
        path.write_text(json.dumps(known))
        print(f"alone: {len(known)} of {len(drawn)}, {known[-1]:.4f}", flush=True)
    return known[: len(drawn)]


def _row(estimator: Estimator, drawn: Sequence[Architecture], truth: Sequence[float]) -> str:
    started = time.perf_counter()
    estimates = [estimator.estimate(architecture, seed=0).value or 0.0 for architecture in drawn]
    seconds = (time.perf_counter() - started) / len(drawn)
    agreement = spearmanr(truth, estimates).statistic
    chosen = np.argsort(estimates)[-3:]
    return (
        f"{agreement:+.2f} | {statistics.mean(truth[i] for i in chosen):.3f} "
        f"| {min(estimates):.3f} to {max(estimates):.3f} | {seconds:.1f}"
    )


if __name__ == "__main__":
    main()
