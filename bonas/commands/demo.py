"""`bonas demo`: the whole way on built-in faces, in a few minutes on two CPU cores."""

from pathlib import Path
from typing import Annotated, Any

import typer

from bonas.commands.compare import print_comparison, run_comparison
from bonas.commands.console import MESSAGES, print_json
from bonas.commands.loading import load_components
from bonas.commands.report import write_report
from bonas.commands.search import run_search
from bonas.commands.search_result import report_search
from bonas.config import Config
from bonas.config_file import parse_config
from bonas.run_folder import RunFolder

SETTINGS: dict[str, Any] = {
    "data": {
        "layout": "synthetic",
        "size": 48,
        "identities": 500,
        "unseen": ["reenactment"],
    },
    "search": {"trials": 24, "limits": {"activations": 290_000, "multiply_adds": 18_000_000}},
    # In so few steps shared weights learn nothing from images that are blurred or compressed, and
    # rank at random (benchmarks/supernet_ranking.py).
    "supernet": {
        "epochs": 40,
        "learning_rate": 3e-3,
        "augmentation": "light",
        "calibration_images": 128,
    },
    "training": {"epochs": 36},
    "score": {"attack_images": 100},
}


def demo(
    out: Annotated[Path, typer.Option(help="Run folder.")] = Path("runs/demo"),
    seed: Annotated[int, typer.Option(min=0, help="Of faces, search and training.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Search, train, compare and report on built-in faces; nothing needs to be downloaded."""
    folder = RunFolder.create(out, demo_config(seed))
    MESSAGES.rule("1 of 3  search: a supernet, then architectures scored with its weights")
    parts = load_components(folder)
    found = run_search(folder, parts)
    if not json:
        report_search(found, folder, as_json=False)
    MESSAGES.rule("2 of 3  comparison: trained from scratch for equal time")
    compared = run_comparison(folder, parts, seeds=1)
    if json:
        print_json(compared.to_json())
    else:
        print_comparison(compared)
    MESSAGES.rule("3 of 3  report")
    MESSAGES.print(f"{write_report([folder])}", soft_wrap=True)


def demo_config(seed: int) -> Config:
    """The demo's configuration."""
    return parse_config(SETTINGS | {"seed": seed}, "demo")
