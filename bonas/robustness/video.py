"""H.264 by PyAV: what an image looks like after it was part of a compressed video.

A frame of a video is rarely coded on its own: most are predicted from moved earlier ones and only
the rest is coded, coarser the higher the rate factor. So each image becomes a short clip in which
it moves by one pixel per frame, and the last frame, which is predicted, is kept. Rate factors 23
and 40 are those of FaceForensics++'s c23 and c40 (Rössler et al. 2019, section 3).

On the CPU and not differentiable. Builds of the codec may decode to other pixels, so a measured
condition names a fingerprint, as for JPEG. PyAV comes with the extra `video`.
"""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from functools import cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Pixels = npt.NDArray[np.uint8]  # (h, w, 3)
_FRAMES = 3  # the first on its own, the last from it, the one between from both
_RATE = 25  # frames per second


def reencode(images: Tensor, rate_factor: int) -> Tensor:
    """Each image as the last frame of a short H.264 clip, `n x 3 x h x w`, uint8, on its device.

    Chroma is halved in both directions (4:2:0); odd sizes are continued by their last row or column
    for the codec and cut back.

    Raises:
        ModuleNotFoundError: PyAV is missing; the message names the extra.
    """
    pixels = images.permute(0, 2, 3, 1).contiguous().cpu().numpy()
    changed = np.empty_like(pixels)
    # Threads, not processes: the codec releases the interpreter's lock while it works.
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        made = pool.map(partial(_last_frame, rate_factor=rate_factor), pixels)
        for index, image in enumerate(made):
            changed[index] = image
    return torch.from_numpy(changed).permute(0, 3, 1, 2).contiguous().to(images.device)


@cache
def video_fingerprint() -> str:
    """Digest of what the installed codec makes of a fixed image with edges and colours.

    Raises:
        ModuleNotFoundError: PyAV is missing; the message names the extra.
    """
    ramp = np.arange(32 * 32 * 3, dtype=np.uint32).reshape(32, 32, 3)
    pixels = (ramp * ramp // 7 % 256).astype(np.uint8)
    decoded = b"".join(_last_frame(pixels, factor).tobytes() for factor in (18, 28, 40))
    return hashlib.sha256(decoded).hexdigest()[:16]


def encodes_video() -> bool:
    """Whether PyAV is installed."""
    try:
        import av  # noqa: F401
    except ModuleNotFoundError:
        return False
    return True


def _last_frame(pixels: Pixels, rate_factor: int) -> Pixels:
    try:
        import av
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "the corruption 'video' needs PyAV; install it with: pip install 'bonas[video]', or "
            "leave it out of score.corruptions"
        ) from error
    height, width = pixels.shape[:2]
    even = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    encoder = av.CodecContext.create("libx264", "w")
    encoder.height, encoder.width = even.shape[:2]
    encoder.pix_fmt = "yuv420p"
    encoder.framerate, encoder.time_base = Fraction(_RATE), Fraction(1, _RATE)
    # One thread: the others would divide the image and change its pixels.
    encoder.options = {"crf": str(rate_factor), "preset": "medium", "threads": "1"}
    packets: list[Any] = []
    for number, frame in enumerate(_moving(even)):
        picture = av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format="yuv420p")
        picture.pts = number
        packets += encoder.encode(picture)
    packets += encoder.encode(None)
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1  # images are decoded side by side already
    pictures = [p for packet in [*packets, None] for p in decoder.decode(packet)]
    assert len(pictures) == _FRAMES
    decoded = np.asarray(pictures[-1].to_ndarray(format="rgb24"), dtype=np.uint8)
    return decoded[:height, :width]


def _moving(pixels: Pixels) -> list[Pixels]:
    """The image moving right by one pixel per frame to where it is, its right edge continued."""
    frames = []
    for behind in range(_FRAMES - 1, -1, -1):
        padded = np.pad(pixels, ((0, 0), (0, behind), (0, 0)), mode="edge")
        frames.append(np.ascontiguousarray(padded[:, behind:]))
    return frames
