"""What a detector learns from real faces alone: its AUC on forgeries that it never saw any of.

    OMP_NUM_THREADS=1 python benchmarks/real_faces_alone.py DATA --test OTHER [--seconds 300]
        [--seeds 3] [--arms forgeries,self,cross,both] [--size 96] [--out runs/real_faces]

One network is trained for equal time, by one recipe, on the real and forged faces of DATA's train
split, and, with `data.real_only`, on its real faces and blends of them: with themselves, with other
people's, with either. All are tested once on the test splits of DATA and OTHER; nothing is selected
on them. Prints a table in Markdown; intervals are DeLong's, clustered by original. The network is
the plain CNN unless `--architecture` names choices of the space `forgery`.
"""

import argparse
from pathlib import Path

from arms import Settings, add_arguments, table, trained

ARMS: dict[str, Settings] = {
    "forgeries": {},
    "self": {"data": {"real_only": True}},
    "cross": {"data": {"real_only": True}, "training": {"pseudo_forgery_kind": "cross"}},
    "both": {"data": {"real_only": True}, "training": {"pseudo_forgery_kind": "both"}},
}
"""What is trained on, by name, as settings."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--size", type=int, default=96)
    add_arguments(parser, tuple(ARMS), "runs/real_faces")
    arguments = parser.parse_args()
    data = {
        "path": str(arguments.data.resolve()),
        "layout": "auto",
        "size": arguments.size,
        "test": [str(arguments.test.resolve())],
    }
    # Clean images of both test sets only: what is asked is the one AUC of each.
    score = {"corruptions": [], "attacks": {}}
    arms = {
        name: {**own, "data": data | dict(own.get("data", {})), "score": score}
        for name, own in ARMS.items()
    }
    print("\n" + table("trained on", trained(arms, arguments)))


if __name__ == "__main__":
    main()
