"""Zero-cost scores computed by bonas against those of a table, on NAS-Bench-201.

    python benchmarks/zero_cost_agreement.py TABLE [--architectures 100] [--batch 64]

Networks as published with ten classes, random images of 32 px and random labels. Prints Spearman's
rank correlation of each proxy with the table's column, as a Markdown table.
"""

import argparse
import csv
import gzip
import time
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr

from bonas.estimation.estimator import EstimationFailed
from bonas.estimation.zero_cost import ZeroCostEstimator
from bonas.networks.builder import NASBench201Builder
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
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(arguments.batch, 3, 32, 32, generator=generator)
    labels = torch.randint(10, (arguments.batch,), generator=generator)
    builder = NASBench201Builder(outputs=10)
    print("| proxy | Spearman with the table | architectures | ms per architecture |")
    print("|---|---|---|---|")
    for proxy, column in COLUMNS.items():
        estimator = ZeroCostEstimator(builder, proxy, images, labels)
        ours, theirs = [], []
        started = time.perf_counter()
        for architecture, row in drawn:
            try:
                observation = estimator.estimate(architecture, seed=0)
            except EstimationFailed:
                continue
            ours.append(observation.value)
            theirs.append(float(row[column]))
        milliseconds = 1e3 * (time.perf_counter() - started) / len(drawn)
        rho = spearmanr(ours, theirs).statistic
        print(f"| {proxy} | {rho:.3f} | {len(ours)} | {milliseconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
