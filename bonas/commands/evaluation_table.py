"""A detector's evaluation as tables, with what its numbers hold for below them."""

from collections.abc import Mapping
from typing import Any

from bonas.commands.console import RESULTS, print_table
from bonas.detector_evaluation import Breakdown, DetectorEvaluation
from bonas.protocol import line
from bonas.robustness.attacks.masking import FEWEST
from bonas.robustness.conditions import CLEAN
from bonas.robustness.estimate import Estimate, Metrics, Refused
from bonas.robustness.metrics import NAMES
from bonas.tested import ALL
from bonas.trained_on import Use

_USES = {
    Use.TRAINED: "The detector was trained on {seen} of these {images} images: the numbers say too "
    "much.",
    Use.SELECTED: "{seen} of these {images} images selected the architecture, the best of many on "
    "them: the numbers say too much.",
    Use.CALIBRATED: "{seen} of these {images} images chose the threshold and the probability: "
    "accuracy, Brier score and calibration error say too much.",
}
HEADINGS = ("AUC", "AP", "EER", "accuracy", "TPR at 1 %", "Brier", "ECE")


def print_evaluation(result: DetectorEvaluation) -> None:
    """Frames and videos under each condition, the score, and the protocol."""
    protocol = result.protocol
    data = protocol["data"]
    for unit, breakdowns in (("frames", result.frames), ("videos", result.videos)):
        if breakdowns:
            title = f"{data['name']}, {data['split']}, {unit}: {protocol['detector']['name']}"
            every = {ALL: result.together[unit]} if unit in result.together else {}
            counted = "videos" if unit == "videos" else "images"
            _print_unit(title, counted, every | {c.key: b for c, b in breakdowns.items()})
    remarks = [*_score(result), *_untrained(data), *_seen(data)]
    remarks += _meaning(protocol["calibration"])
    if result.gradients is not None:
        remarks.append(result.gradients.describe())
    elif {"attack/apgd", "attack/square"} <= {c.key for c in result.frames}:
        remarks.append(f"gradients were not checked: fewer than {FEWEST} images are attacked")
    size = f"{data['images']} images, {data['originals']} originals"
    size += ", no videos" if data["frames_per_video"] is None else ""
    weights = f"detector {protocol['detector']['weights']}"
    for remark in [*remarks, f"{size}; {weights}; {line(protocol)}"]:
        RESULTS.print(remark, soft_wrap=True)


def _score(result: DetectorEvaluation) -> list[str]:
    """The score and the worst condition, where there are several."""
    if result.score is None or len(result.frames) < 2:
        return []
    low, high = result.score.interval()
    worst, auc = result.score.worst
    bounds = auc.interval()
    shares = result.score.weights.renormalised({c.group for c in result.frames}).to_json()
    weights = ", ".join(f"{group} {share:.3g}" for group, share in shares.items() if share)
    return [
        f"robustness-weighted AUC {result.score.value:.4f} ({low:.3f} - {high:.3f}), weights "
        f"{weights}",
        f"worst condition {worst.key}: AUC {auc.value:.4f} ({bounds[0]:.3f} - {bounds[1]:.3f})",
    ]


def _untrained(data: Mapping[str, Any]) -> list[str]:
    """Which types of forgery are those of the training, as far as it is known."""
    trained = data["forgeries_trained_on"]
    if trained is None:
        return [
            "Which types of forgery the detector was trained on was not kept with it: all of "
            "them count as clean."
        ]
    untrained = ", ".join(f for f in data["forgeries"] if f not in trained)
    if not untrained:
        return []
    if trained:
        return [f"trained on {', '.join(trained)}: clean; not on {untrained}: unseen"]
    return [
        f"trained on none of {untrained}: all are unseen, nothing is clean, and corruptions and "
        "attacks change images of forgeries that were not trained on"
    ]


def _seen(data: Mapping[str, Any]) -> list[str]:
    """What some of these images served for before; also where that was not kept."""
    told = [
        f"{_USES[use].format(seen=data[use.value], images=data['images'])} Use --split test of "
        "data that the detector has not met."
        for use in Use
        if data[use.value]
    ]
    unknown = " or ".join(use.value.replace("_", " ") for use in Use if data[use.value] is None)
    if unknown:
        told.append(
            f"Whether the detector was {unknown} some of these images was not kept with it."
        )
    return told


def _meaning(calibration: Mapping[str, Any] | None) -> list[str]:
    """The thresholds of frames and videos, and what they were chosen by."""
    if calibration is None:
        return ["threshold 0, not calibrated: probabilities are those of training"]
    points = {unit: calibration[unit] for unit in ("frames", "videos")}
    said = ", ".join(f"{p['threshold']:.4g} of {unit}" for unit, p in points.items() if p)
    chosen = calibration["data"]
    return [
        f"threshold {said}, by {calibration['rules']['threshold']}, calibrated on "
        f"{chosen['split']} {chosen['digest']}"
    ]


def _print_unit(title: str, counted: str, breakdowns: Mapping[str, Breakdown]) -> None:
    rows = {key: breakdown.whole for key, breakdown in breakdowns.items()}
    widest = ALL if ALL in breakdowns else CLEAN.key
    parts = {**breakdowns[widest].domains, **breakdowns[widest].subgroups}
    rows |= {f"{widest}, {name}": measured for name, measured in parts.items()}
    cells = [[name, *_cells(measured)] for name, measured in rows.items()]
    print_table(title, ["condition", counted, *HEADINGS], cells)
    for name, measured in rows.items():
        for remark in [measured.reason] if isinstance(measured, Refused) else measured.flags:
            RESULTS.print(f"{name}: {remark}", soft_wrap=True)


def _cells(measured: Metrics | Refused) -> list[str]:
    size = str(measured.size.images)
    if isinstance(measured, Refused):
        return [size, *["-"] * len(NAMES)]
    return [size, *(_cell(measured.estimates.get(name)) for name in NAMES)]


def _cell(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    return f"{estimate.value:.3f}\n{estimate.low:.3f}-{estimate.high:.3f}"
