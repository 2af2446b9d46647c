"""How fast supernet and estimates are on each device of this machine.

    python benchmarks/device_speed.py [--devices cpu,cuda] [--threads 16] [--size 112]

Prints, for the space `forgery` with the default widths and built-in faces: images a second of
training a supernet at several batch sizes (augmentation on the device included), and the seconds of
one architecture's estimate under the conditions of the default score. Median of repeats, after a
warm-up; each path through the supernet has another speed, all devices see the same ones.
"""

import argparse
import statistics
import time

import numpy as np
import torch
from provenance import provenance

from bonas.data.faces import Faces, Split
from bonas.data.synthetic_set import synthetic_faces
from bonas.device import Device, choose_device
from bonas.estimation.evaluation import Evaluation, Protocol
from bonas.estimation.supernet import SupernetEstimator, calibration_faces, uniform_paths
from bonas.networks.builder import ForgeryBuilder, build_supernet
from bonas.training import Recipe, train

BATCHES = (32, 128, 512)
STEPS = 20
ESTIMATES = 5
IDENTITIES = 500  # of whom 300 are trained on: a batch of 512 has pairs of 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", default="cpu,cuda")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--size", type=int, default=112)
    arguments = parser.parse_args()
    data = synthetic_faces(IDENTITIES, arguments.size, seed=0)
    faces, val = data.splits[Split.TRAIN], data.splits[Split.VAL]
    builder = ForgeryBuilder()
    print("| device | " + " | ".join(f"images/s at {b}" for b in BATCHES) + " | s per estimate |")
    print("|---" * (len(BATCHES) + 2) + "|")
    for name in arguments.devices.split(","):
        device = choose_device(name, threads=arguments.threads)
        on_device = faces.to(device.device)
        supernet = build_supernet(builder, seed=0).to(device.device)
        cells = []
        for batch in BATCHES:
            seconds = step_seconds(supernet, builder, on_device, batch, device)
            cells.append(f"{batch / seconds:,.0f}")
        evaluation = Evaluation.of(val, {}, Protocol(), device)
        calibration = calibration_faces(faces, 256, seed=0).to(device.device)
        estimator = SupernetEstimator(supernet, builder, calibration, evaluation)
        draw, rng = uniform_paths(builder.space), np.random.default_rng(0)
        chosen = [draw(rng) for _ in range(ESTIMATES)]
        estimator.estimate(chosen[0], seed=0)
        times = [estimator.estimate(a, seed=0).cost["seconds"] for a in chosen]
        cells.append(f"{statistics.median(times):.2f}")
        print(f"| {device.describe()} | " + " | ".join(cells) + " |", flush=True)
    print(
        f"{arguments.size} px; an estimate: {len(val)} images, {len(evaluation.views)} conditions"
    )
    print(provenance(faces={"train": faces, "val": val}, seed=0))


def step_seconds(
    supernet: torch.nn.Module, builder: ForgeryBuilder, faces: Faces, batch: int, device: Device
) -> float:
    """Median seconds of a training step, those of its first five left out."""
    ends: list[float] = []
    train(
        supernet,
        uniform_paths(builder.space),
        faces,
        Recipe(steps=STEPS + 5, batch_size=batch),
        device,
        seed=0,
        progress=lambda step, loss: ends.append(time.perf_counter()),
    )
    return statistics.median(np.diff(ends)[4:])


if __name__ == "__main__":
    main()
