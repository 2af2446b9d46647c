"""What scoring under 40 corruptions costs beside the network's own forward passes.

    OMP_NUM_THREADS=1 python benchmarks/condition_cost.py [--images 800] [--size 112] [--threads 1]

The conditions are eight corruptions at five severities, of built-in faces. An `Evaluation` makes
their images once; every architecture of a run is scored on the same ones. Prints how long making
them takes, a scoring that finds them made, and the network's plain forward passes on as many images
in the same batches, with the ratios. The scoring and the plain passes take turns, a condition each,
so that what else the machine does slows them alike. A scoring also tests the clean images and
computes the score with its interval; the plain passes do not. The network is the one of median
multiply-adds among 101 random ones of the space `forgery`.
"""

import argparse
import time

import numpy as np
import torch
from provenance import provenance

from bonas.data.faces import Faces, Split
from bonas.data.synthetic_set import synthetic_faces
from bonas.device import Device, choose_device
from bonas.estimation.evaluation import Evaluation, Protocol, batch_size
from bonas.estimation.supernet import uniform_paths
from bonas.networks.builder import ForgeryBuilder, build_network
from bonas.networks.cost import architecture_cost
from bonas.networks.detector import Detector
from bonas.protocol import SHOWN
from bonas.robustness.conditions import SEVERITIES, Condition, Group
from bonas.robustness.corruptions import STANDARD
from spaces.architecture import Architecture

RANDOM = 101  # architectures, of which the median one is timed
IDENTITIES = 0.3  # per image: of each the training split has 0.6 with a real face and forgeries


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=800)
    parser.add_argument("--size", type=int, default=112, help="edge of the images")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    device = choose_device(arguments.device, threads=arguments.threads)
    faces = drawn(arguments.images, arguments.size)
    detector, cost = median_detector(arguments.size, device)
    print(
        f"{len(faces)} images of {arguments.size} px, {device.describe()}, "
        f"{cost['multiply_adds'] / 1e6:.1f} M multiply-adds an image"
    )
    protocol = Protocol(corruptions=STANDARD, severities=SEVERITIES, attacks={})
    plain_seconds(detector, faces, device)  # warms up
    begun = time.perf_counter()
    evaluation = Evaluation.of(faces, {}, protocol, device)
    made = time.perf_counter() - begun
    predicting, scoring, plain = in_turns(evaluation, detector, faces, device)
    count = sum(c.group is Group.CORRUPTION for c in evaluation.conditions.conditions)
    kept = sum(view.images.nbytes for view in evaluation.views.values())
    print(f"{count} corruption conditions and the clean images, {kept / 1e9:.2f} GB kept")
    print("| | seconds | over plain passes |")
    print("|---|---|---|")
    for name, seconds in {
        "making the conditions, once": made,
        "each scoring": predicting + scoring,
        "of it the score with its interval": scoring,
        f"plain forward passes on {count} x {len(faces)} images": plain,
    }.items():
        print(f"| {name} | {seconds:.2f} | {seconds / plain:.3f} |")
    conditions = evaluation.conditions.digest[:SHOWN]
    print("\n" + provenance(faces={"scored": faces}, conditions=conditions, seed=0))


def in_turns(
    evaluation: Evaluation, detector: Detector, faces: Faces, device: Device
) -> tuple[float, float, float]:
    """Seconds of the logits, of the score from them and of the plain passes."""
    plain = 0.0
    started = time.perf_counter()

    def turn(condition: Condition) -> None:
        nonlocal plain, started
        pause = time.perf_counter()
        if condition.group is Group.CORRUPTION:
            plain += plain_seconds(detector, faces, device)
        started += time.perf_counter() - pause

    predictions = evaluation.predict(detector, turn)
    predicted = time.perf_counter()
    evaluation.score(predictions)
    return predicted - started, time.perf_counter() - predicted, plain


def plain_seconds(detector: Detector, faces: Faces, device: Device) -> float:
    """Of the network on these images, ready as it takes them, in the batches of an evaluation."""
    batch = batch_size(faces.images, device)
    first = faces.images[:batch].to(device.device).float() / 255
    whole, rest = divmod(len(faces), batch)
    ready = [first] * whole + ([first[:rest]] if rest else [])
    detector.eval()
    begun = time.perf_counter()
    with torch.inference_mode(), device.mixed_precision():
        for images in ready:
            detector(images).cpu()
    return time.perf_counter() - begun


def drawn(count: int, size: int) -> Faces:
    """Built-in faces, both classes, `count` images of `size` pixels."""
    identities = max(20, round(IDENTITIES * count))
    faces = synthetic_faces(identities, size, seed=0).splits[Split.TRAIN]
    # Few originals have fewer images than were asked for; they repeat.
    return faces.select([i % len(faces) for i in range(count)])


def median_detector(size: int, device: Device) -> tuple[Detector, dict[str, float]]:
    """The untrained detector of median multiply-adds, and what it costs."""
    builder = ForgeryBuilder()
    draw, rng = uniform_paths(builder.space), np.random.default_rng(0)
    costs: list[tuple[Architecture, dict[str, float]]] = []
    for architecture in (draw(rng) for _ in range(RANDOM)):
        costs.append((architecture, architecture_cost(builder, architecture, size)))
    costs.sort(key=lambda pair: pair[1]["multiply_adds"])
    architecture, cost = costs[RANDOM // 2]
    network = build_network(builder, architecture, seed=0).to(device.device)
    return Detector(network, architecture), cost


if __name__ == "__main__":
    main()
