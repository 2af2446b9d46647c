"""Zero-cost scores computed by bonas against those of a table, on NAS-Bench-201.

    python benchmarks/zero_cost_agreement.py TABLE [--architectures 100] [--batch 64]

Networks as published with ten classes, noise of 32 px that networks see as standard normal, random
labels. Prints Spearman's rank correlation of each proxy with the table's column, and with itself on
other random images and from other initial weights: as far as a proxy is its architecture's. A
Markdown table.
"""

import argparse
import csv
import gzip
import time
from pathlib import Path

import numpy as np
import torch
from provenance import provenance
from scipy.stats import spearmanr

from bonas.estimation.estimator import EstimationFailed
from bonas.estimation.zero_cost import ZeroCostEstimator
from bonas.networks.builder import NASBench201Builder
from bonas.networks.detector import PIXEL_MEAN, PIXEL_SCALE
from spaces.architecture import Architecture
from spaces.nasbench201 import NASBENCH201, from_arch_str
from spaces.space import connects

COLUMNS = {
    "synflow": "zc_synflow",
    "snip": "zc_snip",
    "grad_norm": "zc_grad_norm",
    "grasp": "zc_grasp",
    "fisher": "zc_fisher",
    "jacob_cov": "zc_jacov",
    "naswot": "zc_nwot",
    "multiply_adds": "zc_flops",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("--architectures", type=int, default=100)
    parser.add_argument("--batch", type=int, default=64)
    arguments = parser.parse_args()
    with gzip.open(arguments.table, "rt") as lines:
        rows = [row for row in csv.DictReader(lines) if all(row[c] for c in COLUMNS.values())]
    order = np.random.default_rng(0).permutation(len(rows))
    drawn = [(from_arch_str(rows[i]["arch_str"]), rows[i]) for i in order]
    drawn = [(a, row) for a, row in drawn if connects(NASBENCH201, a)][: arguments.architectures]
    builder = NASBench201Builder(outputs=10)
    print("| proxy | with the table | with itself | architectures | ms per architecture |")
    print("|---|---|---|---|---|")
    for proxy, column in COLUMNS.items():
        started = time.perf_counter()
        first, again = (scores(builder, proxy, drawn, arguments.batch, seed=s) for s in (0, 1))
        milliseconds = 1e3 * (time.perf_counter() - started) / (2 * len(drawn))
        both = [i for i in range(len(drawn)) if first[i] is not None and again[i] is not None]
        ours = [first[i] for i in both]
        table = spearmanr(ours, [float(drawn[i][1][column]) for i in both]).statistic
        itself = spearmanr(ours, [again[i] for i in both]).statistic
        print(
            f"| {proxy} | {table:.3f} | {itself:.3f} | {len(both)} | {milliseconds:.0f} |",
            flush=True,
        )
    print(
        "\n" + provenance(table=arguments.table, architectures="from seed 0", noise="of seeds 0, 1")
    )


def scores(
    builder: NASBench201Builder,
    proxy: str,
    drawn: list[tuple[Architecture, dict[str, str]]],
    batch: int,
    *,
    seed: int,
) -> list[float | None]:
    """The proxy of each architecture, `None` where it is not finite; the seed is of all chance."""
    generator = torch.Generator().manual_seed(seed)
    # Detectors subtract the mean and divide by the scale: networks see standard normal noise.
    images = PIXEL_MEAN + PIXEL_SCALE * torch.randn(batch, 3, 32, 32, generator=generator)
    labels = torch.randint(10, (batch,), generator=generator)
    estimator = ZeroCostEstimator(builder, proxy, images, labels)
    found: list[float | None] = []
    for architecture, _ in drawn:
        try:
            found.append(estimator.estimate(architecture, seed=seed).value)
        except EstimationFailed:
            found.append(None)
    return found


if __name__ == "__main__":
    main()
