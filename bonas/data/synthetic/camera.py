"""From light on the lens to a published file: blur, sensor, development, JPEG, resizing, JPEG.

Every picture, real or forged, goes through the same chain with settings drawn from the same
distributions; a forgery is made between the first file and publication, as in reality.
Developed pictures are planar float32, `3 x s x s`, in display values 0..255.
"""

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from bonas.data.synthetic.raster import GAMMA, Plane
from bonas.data.synthetic.resampling import apply, blur, cubic_matrix, gaussian_matrix


@dataclass(frozen=True, slots=True)
class Camera:
    """Settings of one shot."""

    resolution: int  # pixels a side, before the picture is resized for publication
    blur: float  # of the lens, in pixels
    exposure: float
    balance: tuple[float, float, float]  # gain of red, green, blue
    read_noise: float  # in linear light, white is 1
    shot_noise: float  # times the square root of light
    chroma_noise: float  # share of the noise that differs between the colours
    chroma_grain: float  # its size in pixels: demosaicing and chroma filters smear it
    sharpening: float
    quality: int  # of the camera's own JPEG
    subsampling: int  # Pillow's: 0 is 4:4:4, 1 is 4:2:2, 2 is 4:2:0


def draw_camera(size: int, *, rng: np.random.Generator) -> Camera:
    """Random settings for pictures that are published at `size` x `size` pixels."""
    grain = float(np.exp(rng.uniform(-1.3, 0.3)))
    return Camera(
        resolution=round(size * rng.uniform(1.0, 1.2)),
        blur=rng.uniform(0.35, 0.75),
        exposure=rng.uniform(0.95, 1.5),
        balance=(rng.uniform(0.93, 1.07), 1.0, rng.uniform(0.93, 1.07)),
        read_noise=0.003 * grain,
        shot_noise=0.011 * grain,
        chroma_noise=float(np.exp(rng.uniform(-2.0, 0.3))),
        chroma_grain=rng.uniform(0.45, 1.3),
        sharpening=rng.uniform(0.0, 0.7),
        quality=int(rng.integers(90, 99)),
        subsampling=_draw_subsampling(rng=rng),
    )


def expose(light: Plane, camera: Camera) -> Plane:
    """Linear light `3 x s x s` that the sensor receives of `light` `3 x n x n`."""
    shrink = light.shape[-1] / camera.resolution
    matrix = gaussian_matrix(light.shape[-1], camera.resolution, camera.blur * shrink)
    gain = np.array(camera.balance, np.float32).reshape(3, 1, 1) * camera.exposure
    return np.clip(apply(matrix, light) * gain, 0, 4)


def sense(exposed: Plane, camera: Camera, *, rng: np.random.Generator) -> Plane:
    """`exposed` with the sensor's noise, correlated by demosaicing.

    A colour filter array has half as many red and blue pixels as green ones, so that their noise
    is coarser; how much of the colour is then filtered away differs from camera to camera.
    """
    size = exposed.shape[-1]
    level = np.sqrt(camera.read_noise**2 + camera.shot_noise**2 * exposed)
    grey = rng.standard_normal((size, size), dtype=np.float32)
    colour = rng.standard_normal((3, size, size), dtype=np.float32)
    colour[::2] = blur(colour[::2], 1.2 * camera.chroma_grain)
    colour[1] = blur(colour[1], 0.8 * camera.chroma_grain)
    colour *= camera.chroma_noise / colour.std(axis=(1, 2), keepdims=True)
    noise: Plane = level * (0.5 * grey + 0.8 * blur(grey, 0.7) + colour)
    return exposed + noise


def develop(exposed: Plane, camera: Camera) -> Plane:
    """Display values of `exposed`: highlights rolled off, gamma, sharpening."""
    light = np.maximum(exposed, 0)
    tone = light * (1 + 0.25 * light) / (1 + 0.5 * light)
    display: Plane = 255 * tone ** (1 / GAMMA)
    return np.clip(display + camera.sharpening * (display - blur(display, 0.9)), 0, 255)


def compress(display: Plane, quality: int, subsampling: int) -> Plane:
    """`display` after JPEG."""
    decoded = _jpeg(np.clip(display + 0.5, 0, 255).astype(np.uint8), quality, subsampling)
    return decoded.transpose(2, 0, 1).astype(np.float32)


def publish(display: Plane, size: int, *, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """The file as it circulates, decoded: `size x size x 3`."""
    resized = apply(cubic_matrix(display.shape[-1], size), display)
    quality, subsampling = int(rng.integers(86, 98)), _draw_subsampling(rng=rng)
    return _jpeg(np.clip(resized + 0.5, 0, 255).astype(np.uint8), quality, subsampling)


def _draw_subsampling(*, rng: np.random.Generator) -> int:
    return int(rng.choice((0, 1, 2), p=(0.5, 0.15, 0.35)))


def _jpeg(planes: npt.NDArray[np.uint8], quality: int, subsampling: int) -> npt.NDArray[np.uint8]:
    file = io.BytesIO()
    picture = Image.fromarray(np.ascontiguousarray(planes.transpose(1, 2, 0)))
    picture.save(file, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(file))
