"""Near-copies between splits: the same picture in another encoding, size or light, or mirrored.

Candidates are pairs of different splits whose perceptual hashes differ in at most `RADIUS` bits.
Low frequencies of faces are alike (the same oval, the same shadows), so a hash alone accuses
strangers: the 32 x 32 thumbnails, compared by their correlation, decide.

The two limits come from 4,400 face crops of the Deepfake Detection Challenge and 600 of another
source, real and forged. Between different persons no pair of close hashes correlates above 0.83.
Of copies saved as JPEG of quality 30, or at half the size, 99 in 100 correlate above 0.99 and have
close hashes; of copies made a fifth brighter, their lights clipped, 99 in 100 correlate above 0.98.
All pairs of close hashes between 0.95 and 0.99 showed one person in one take: another frame, or a
forgery beside an original of the other split. So:

    above COPY        one picture twice: a leak
    above LOOKALIKE   one person in one take: a warning, to be looked at

The pictures of the later split are compared mirrored as well. Missed are crops that are shifted by
some percent or rotated, the same person in another take, and flat pictures, which have no structure
to compare. A forgery is close to its own original
by nature, which is why only pairs of different splits count.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bonas.data.audit.finding import Finding, Verdict
from bonas.data.audit.measures import Measures
from bonas.data.audit.perceptual_hash import Positions, close_pairs, perceptual_hash
from bonas.data.audit.pictures import Picture
from bonas.data.audit.sharing import data_sets
from bonas.data.faces import Split

COPY, LOOKALIKE = 0.99, 0.95

_ORDER = tuple(Split)  # a picture is compared with those of the splits before its own
_CHUNK = 4096  # pairs of thumbnails compared at a time

Matches = dict[int, tuple[int, float]]
"""For a position, that of the most similar picture of an earlier split, and their correlation."""


def near_copies(
    pictures: Sequence[Picture], measures: Sequence[Measures], contents: Sequence[int]
) -> list[Finding]:
    """Pictures whose near-copy, or look-alike, lies in an earlier split.

    Args:
        pictures: `n`, all of them read.
        measures: `n`.
        contents: `n`; pictures of equal numbers are identical, and reported as such elsewhere.
    """
    matches = _matches(pictures, measures, np.asarray(contents))
    pairs = [(similarity, later, earlier) for later, (earlier, similarity) in matches.items()]
    pairs.sort(key=lambda pair: (-pair[0], pair[1]))
    names = {
        limit: [
            (pictures[later].name, pictures[earlier].name)
            for similarity, later, earlier in pairs
            if limit <= similarity < most
        ]
        for limit, most in ((COPY, np.inf), (LOOKALIKE, COPY))
    }
    return [
        Finding.of_files(
            "near-copy in two splits",
            data_sets(pictures),
            names[COPY],
            found=Verdict.LEAK,
            meaning="These pairs are one picture in another encoding, size or light, mirrored, or "
            "hardly retouched: the test repeats what was trained on. Keep each in one split.",
            otherwise="No picture of one split is a re-encoded, resized or mirrored copy of "
            "another's.",
        ),
        Finding.of_files(
            "look-alike in two splits",
            data_sets(pictures),
            names[LOOKALIKE],
            found=Verdict.WARNING,
            meaning="These pairs likely show one person in one take: neighbouring frames, or a "
            "forgery and its original. Look at them; if so, give both one original and split.",
            otherwise="No picture of one split looks like another frame of one in another split.",
        ),
    ]


def correlations(
    first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8]
) -> npt.NDArray[np.float32]:
    """Correlation of the thumbnails pair by pair, `n`; 0 where one of them is flat.

    Args:
        first: `n x 1024`.
        second: `n x 1024`.
    """
    a, b = _standardised(first), _standardised(second)
    result: npt.NDArray[np.float32] = np.einsum("ij,ij->i", a, b)
    return result


def _standardised(grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    centred = grey.astype(np.float32)
    centred -= centred.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    result: npt.NDArray[np.float32] = centred / np.maximum(length, 1e-6)  # flat ones stay 0
    return result


def _matches(
    pictures: Sequence[Picture], measures: Sequence[Measures], contents: Positions
) -> Matches:
    if not pictures:
        return {}
    hashes = np.array([m.hash for m in measures], dtype=np.uint64)
    pixels = np.stack([m.grey for m in measures])
    greys, mirrored = (p.reshape(len(pixels), -1) for p in (pixels, pixels[:, :, ::-1]))
    rank = np.array([_ORDER.index(p.split) for p in pictures])
    found: Matches = {}
    for later in range(1, len(_ORDER)):
        queries, index = np.flatnonzero(rank == later), np.flatnonzero(rank < later)
        turned = [perceptual_hash(pixels[i, :, ::-1]) for i in queries]
        for seen, asked in ((greys, hashes[queries]), (mirrored, np.array(turned, np.uint64))):
            for a, b in close_pairs(asked, hashes[index]):
                first, second = queries[a], index[b]
                other = contents[first] != contents[second]
                _keep_best(found, first[other], second[other], seen, greys)
    return found


def _keep_best(
    found: Matches,
    first: Positions,
    second: Positions,
    seen: npt.NDArray[np.uint8],
    greys: npt.NDArray[np.uint8],
) -> None:
    for start in range(0, len(first), _CHUNK):
        a, b = first[start : start + _CHUNK], second[start : start + _CHUNK]
        similarity = correlations(seen[a], greys[b])
        for k in np.flatnonzero(similarity >= LOOKALIKE):
            best = found.get(int(a[k]))
            if best is None or similarity[k] > best[1]:
                found[int(a[k])] = int(b[k]), float(similarity[k])
