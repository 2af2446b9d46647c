"""What stronger augmentation does to the clean and the unseen AUC of one network.

    OMP_NUM_THREADS=1 python benchmarks/augmentation_strength.py [--data DATA --test OTHER]
        [--unseen reenactment] [--size 48] [--seconds 60] [--seeds 3] [--out runs/augmentation]

The plain CNN, or `--architecture`, is trained for equal time with each preset of
`training.augmentation`. Without `--data` it sees the built-in faces with one type of forgery held
back, which is then the unseen one; with it, the unseen ones are those of OTHER. Prints a table in
Markdown; intervals are DeLong's, clustered by original.
"""

import argparse
from pathlib import Path
from typing import Any

from arms import add_arguments, table, trained

from bonas.data.augmentation_presets import Preset


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="in the place of the built-in faces")
    parser.add_argument("--test", type=Path, action="append", default=[], help="unseen data")
    parser.add_argument("--unseen", default="reenactment", help="held back of the built-in faces")
    parser.add_argument("--identities", type=int, default=300, help="of the built-in faces")
    parser.add_argument("--size", type=int, default=48)
    add_arguments(parser, tuple(Preset), "runs/augmentation")
    arguments = parser.parse_args()
    data: dict[str, Any] = {
        "size": arguments.size,
        "test": [str(t.resolve()) for t in arguments.test],
    }
    if arguments.data is None:
        data |= {"layout": "synthetic", "unseen": [arguments.unseen]}
        data |= {"identities": arguments.identities}
    else:
        data |= {"layout": "auto", "path": str(arguments.data.resolve())}
    score = {"corruptions": [], "attacks": {}}
    arms = {
        preset.value: {"data": data, "training": {"augmentation": preset.value}, "score": score}
        for preset in Preset
    }
    print("\n" + table("augmentation", trained(arms, arguments)))


if __name__ == "__main__":
    main()
