"""Data sets of built-in faces: in memory, and as a folder with a `metadata.csv`."""

import csv
import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from bonas.data.synthetic.attribute import change_attribute
from bonas.data.synthetic.camera import publish
from bonas.data.synthetic.face import Face, draw_face
from bonas.data.synthetic.forged import Forged
from bonas.data.synthetic.reenactment import reenact
from bonas.data.synthetic.resampling import apply, cubic_matrix
from bonas.data.synthetic.shot import shoot
from bonas.data.synthetic.swap import swap
from bonas.data.synthetic.synthesis import synthesise

REAL = "real"  # the domain of what is not forged
_SMALLEST = 32  # pixels a side below which eyes and lips are no longer drawn apart


class Forgery(enum.StrEnum):
    """The four types of forged faces (Tolosana et al. 2020)."""

    SYNTHESIS = "synthesis"
    SWAP = "swap"
    ATTRIBUTE = "attribute"
    REENACTMENT = "reenactment"


@dataclass(frozen=True, slots=True)
class Portraits:
    """`n` pictures, a real and a forged one of each identity in turn."""

    images: npt.NDArray[np.uint8]  # n x h x w x 3
    labels: npt.NDArray[np.int64]  # n; 1 is forged
    originals: tuple[str, ...]  # identity of the real portrait; a group that no split may cut
    domains: tuple[str, ...]  # "real", or the value of a Forgery
    masks: npt.NDArray[np.uint8]  # n x h x w; 255 where manipulated


def draw_portraits(
    identities: range,
    size: int,
    *,
    seed: int,
    forgeries: Sequence[Forgery] = tuple(Forgery),
    progress: Callable[[int], None] | None = None,
) -> Portraits:
    """One real portrait and one forgery of each identity, the types of forgery taking turns.

    Both are takes of their own: pose, light, camera and noise are drawn anew. An identity is a
    function of (`seed`, its number) and does not depend on which others are drawn.

    Args:
        identities: numbers of the persons.
        size: pixels a side.
        seed: of everything that is random.
        forgeries: types to use; identity i gets number i modulo their count.
        progress: called with the number of identities drawn so far.
    """
    _check(identities, size, seed, forgeries)
    count = 2 * len(identities)
    images = np.empty((count, size, size, 3), np.uint8)
    masks = np.zeros((count, size, size), np.uint8)
    domains: list[str] = []
    for done, identity in enumerate(identities):
        forgery = forgeries[identity % len(forgeries)]
        person, real, fake = _streams(seed, identity)
        face = draw_face(rng=person)
        images[2 * done] = publish(shoot(face, size, rng=real).frame, size, rng=real)
        images[2 * done + 1], masks[2 * done + 1] = _draw_fake(face, size, forgery, rng=fake)
        domains += [REAL, forgery.value]
        if progress is not None:
            progress(done + 1)
    return Portraits(
        images=images,
        labels=np.tile(np.array([0, 1]), len(identities)),
        originals=tuple(f"{identity:06d}" for identity in identities for _ in range(2)),
        domains=tuple(domains),
        masks=masks,
    )


def write_portraits(
    portraits: Portraits, folder: Path, splits: Mapping[str, float] | None = None
) -> None:
    """A data set in `folder`: `faces/*.png`, `masks/*.png` (of forgeries) and `metadata.csv`.

    The table has one row per picture: path (relative to `folder`), label (REAL or FAKE), original,
    split, and forgery and mask (empty for real pictures).

    Args:
        portraits: what to write; PNG keeps every bit.
        folder: made if it does not exist.
        splits: shares by name, 0.7 train, 0.15 val and 0.15 test unless given; identities are
            dealt out in their order, all pictures of one identity to the same split.
    """
    split_of = _deal(portraits.originals, splits or {"train": 0.7, "val": 0.15, "test": 0.15})
    for name in ("faces", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    with (folder / "metadata.csv").open("w", newline="", encoding="utf-8") as table:
        rows = csv.writer(table)
        rows.writerow(("path", "label", "original", "split", "forgery", "mask"))
        for index, original in enumerate(portraits.originals):
            domain, fake = portraits.domains[index], bool(portraits.labels[index])
            name = f"{original}_{domain}.png"
            Image.fromarray(portraits.images[index]).save(folder / "faces" / name)
            if fake:
                Image.fromarray(portraits.masks[index]).save(folder / "masks" / name)
            label, forgery, mask = ("FAKE", domain, f"masks/{name}") if fake else ("REAL", "", "")
            rows.writerow((f"faces/{name}", label, original, split_of[original], forgery, mask))


def _streams(seed: int, identity: int) -> list[np.random.Generator]:
    """Independent generators for the person, the real take and the forged one."""
    children = np.random.SeedSequence([seed, identity]).spawn(3)
    return [np.random.default_rng(child) for child in children]


def _draw_fake(
    face: Face, size: int, forgery: Forgery, *, rng: np.random.Generator
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    # A synthesised face is nobody's: it only counts to the identity so as to share its split.
    stranger = draw_face(rng=rng)
    shot = shoot(stranger if forgery is Forgery.SYNTHESIS else face, size, rng=rng)
    forge: dict[Forgery, Callable[..., Forged]] = {
        Forgery.SYNTHESIS: synthesise,
        Forgery.SWAP: swap,
        Forgery.ATTRIBUTE: change_attribute,
        Forgery.REENACTMENT: reenact,
    }
    forged = forge[forgery](shot, rng=rng)
    region = apply(cubic_matrix(shot.camera.resolution, size), forged.region)
    mask = np.where(region > 0.1, 255, 0).astype(np.uint8)
    return publish(forged.image, size, rng=rng), mask


def _deal(originals: Sequence[str], splits: Mapping[str, float]) -> dict[str, str]:
    shares = np.array(list(splits.values()))
    if (shares < 0).any() or not np.isclose(shares.sum(), 1):
        raise ValueError(f"splits={dict(splits)} must be shares >= 0 that sum to 1; scale them")
    people = list(dict.fromkeys(originals))
    bounds = np.cumsum(shares) * len(people)
    names = [list(splits)[int(np.sum(bounds[:-1] <= place))] for place in range(len(people))]
    return dict(zip(people, names, strict=True))


def _check(identities: range, size: int, seed: int, forgeries: Sequence[Forgery]) -> None:
    if len(identities) and min(identities) < 0:
        raise ValueError(f"identities={identities} must not be negative; start the range at 0")
    if size < _SMALLEST:
        raise ValueError(f"size={size} must be at least {_SMALLEST} pixels; draw larger faces")
    if seed < 0:
        raise ValueError(f"seed={seed} must not be negative; give 0 or more")
    if not forgeries:
        raise ValueError("forgeries=() must name at least one type, such as Forgery.SWAP")
