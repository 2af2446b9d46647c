"""AUC of shortcuts on the built-in faces, overall and per type of forgery.

    python benchmarks/synthetic_shortcuts.py [--identities 600] [--size 64] [--seed 0]

Each must stay below 0.75: pictures must not be told apart without looking at the face. A type of
forgery is compared with the real pictures of the same identities.
"""

import argparse
import hashlib

import numpy as np
from provenance import provenance

from bonas.data.synthetic import Forgery, Portraits, draw_portraits
from bonas.data.synthetic.shortcuts import SHORTCUTS, separability
from bonas.protocol import SHOWN


def rows_of(portraits: Portraits, forgery: Forgery) -> np.ndarray:
    """Which pictures are forged by `forgery`, or real ones of the same identities: `n` bools."""
    domains, originals = np.array(portraits.domains), np.array(portraits.originals)
    return np.isin(originals, originals[domains == forgery.value])


def main() -> None:
    """Print one line per shortcut."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--identities", type=int, default=600)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    portraits = draw_portraits(range(options.identities), options.size, seed=options.seed)
    groups = {"all": np.ones(len(portraits.labels), bool)}
    groups |= {forgery.value: rows_of(portraits, forgery) for forgery in Forgery}
    originals = np.array(portraits.originals)
    print(f"{'':20s}" + "".join(f"{name:>14s}" for name in groups))
    for name, measure in SHORTCUTS.items():
        features = measure(portraits.images)
        columns = [features] if features.shape[1] != 3 else [features, *features.T[:, :, None]]
        titles = [name, "  red", "  green", "  blue"]
        for title, values in zip(titles, columns, strict=False):
            aucs = [
                separability(values[rows], portraits.labels[rows], list(originals[rows]))
                for rows in groups.values()
            ]
            print(f"{title:20s}" + "".join(f"{auc:14.3f}" for auc in aucs), flush=True)
    pixels = hashlib.sha256(np.ascontiguousarray(portraits.images)).hexdigest()[:SHOWN]
    print(provenance(pictures=f"{pixels} ({len(portraits.labels)})", seed=options.seed))


if __name__ == "__main__":
    main()
