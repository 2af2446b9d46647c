"""What a lazy detector could go by: file size, mean colour, radial power spectra.

Real and forged pictures of a sound data set agree in all of them; a data set that does not can be
solved without looking at a face, and says nothing about a detector.
"""

import io
from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Images = npt.NDArray[np.uint8]  # n x h x w x 3
Features = npt.NDArray[np.float64]  # n x d


def png_size(images: Images) -> Features:
    """Bytes of each picture as PNG, `n x 1`."""
    return np.array([[_bytes(image, "PNG")] for image in images], float)


def jpeg_size(images: Images) -> Features:
    """Bytes of each picture as JPEG of quality 90, `n x 1`."""
    return np.array([[_bytes(image, "JPEG")] for image in images], float)


def mean_colour(images: Images) -> Features:
    """Mean red, green and blue, `n x 3`."""
    means: Features = images.mean(axis=(1, 2))
    return means


def radial_spectrum(
    images: Images, weights: tuple[float, float, float], bins: int = 48
) -> Features:
    """Log power in rings of equal width up to the corners, `n x bins`.

    Args:
        images: pictures.
        weights: of red, green and blue in the plane that is transformed.
        bins: number of rings.
    """
    plane = images @ np.array(weights)
    plane -= plane.mean(axis=(1, 2), keepdims=True)
    power = np.abs(np.fft.fft2(plane)) ** 2
    rows, columns = np.fft.fftfreq(plane.shape[1]), np.fft.fftfreq(plane.shape[2])
    radius = np.hypot(rows[:, None], columns)
    ring = np.minimum((radius / np.sqrt(0.5) * bins).astype(int), bins - 1).ravel()
    count = np.maximum(np.bincount(ring, minlength=bins), 1)
    sums = np.stack([np.bincount(ring, picture.ravel(), bins) for picture in power])
    return np.log(sums / count + 1)


_PLANES = {
    "grey": (1 / 3, 1 / 3, 1 / 3),
    "red": (1.0, 0.0, 0.0),
    "green": (0.0, 1.0, 0.0),
    "blue": (0.0, 0.0, 1.0),
    "red-green": (1.0, -1.0, 0.0),  # what is left of noise and traces where grey cancels
    "blue-green": (0.0, -1.0, 1.0),
}

SHORTCUTS: dict[str, Callable[[Images], Features]] = {
    "png size": png_size,
    "jpeg size": jpeg_size,
    "mean colour": mean_colour,
    **{
        f"{name} spectrum": partial(radial_spectrum, weights=weights)
        for name, weights in _PLANES.items()
    },
}


def separability(features: Features, labels: npt.NDArray[np.int64], groups: list[str]) -> float:
    """AUC, at least 1/2, of logistic regression on `features`, cross-fitted over `groups`.

    A single feature needs no fit: its own AUC is taken, in whichever direction is better.
    """
    if features.shape[1] == 1:
        scores = features[:, 0]
    else:
        regression = make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=1000))
        scores = cross_val_predict(
            regression, features, labels, groups=groups, cv=GroupKFold(5), method="predict_proba"
        )[:, 1]
    auc = float(roc_auc_score(labels, scores))
    return max(auc, 1 - auc)


def _bytes(image: Images, kind: str) -> int:
    file = io.BytesIO()
    Image.fromarray(image).save(file, kind, quality=90)
    return file.tell()
