"""A shot: a portrait with the camera that took it, as forgers get to see and imitate it."""

from dataclasses import dataclass

import numpy as np

from bonas.data.synthetic.camera import Camera, compress, develop, draw_camera, expose, sense
from bonas.data.synthetic.face import Face
from bonas.data.synthetic.portrait import Portrait, draw_portrait
from bonas.data.synthetic.raster import Plane
from bonas.data.synthetic.resampling import apply, cubic_matrix
from bonas.data.synthetic.take import Take, draw_take

SUPERSAMPLING = 2  # canvas pixels per published pixel


@dataclass(frozen=True, slots=True)
class Shot:
    """`exposed` is linear light on the sensor, `frame` the camera's file, both `3 x s x s`."""

    face: Face
    take: Take
    camera: Camera
    portrait: Portrait
    exposed: Plane
    frame: Plane

    def map(self, canvas: Plane) -> Plane:
        """A plane of the portrait's canvas `n x n` on the camera's pixels `s x s`."""
        return apply(cubic_matrix(canvas.shape[-1], self.camera.resolution), canvas)

    @property
    def clean(self) -> Plane:
        """The picture `3 x s x s` in 0..255 as it would be without noise and JPEG."""
        return develop(self.exposed, self.camera)

    @property
    def noise(self) -> float:
        """Standard deviation of all that sensor and JPEG added, in display values."""
        return float(np.std(self.frame - self.clean))


def shoot(face: Face, size: int, *, rng: np.random.Generator) -> Shot:
    """A random shot of `face`."""
    return photograph(face, draw_take(rng=rng), draw_camera(size, rng=rng), size, rng=rng)


def photograph(
    face: Face,
    take: Take,
    camera: Camera,
    size: int,
    *,
    rng: np.random.Generator,
    backdrop: Plane | None = None,
) -> Shot:
    """The shot of `face` in `take` through `camera`, before `backdrop` if one is given."""
    portrait = draw_portrait(face, take, SUPERSAMPLING * size, backdrop=backdrop)
    exposed = expose(portrait.light, camera)
    noisy = develop(sense(exposed, camera, rng=rng), camera)
    frame = compress(noisy, camera.quality, camera.subsampling)
    return Shot(face, take, camera, portrait, exposed, frame)


def redraw(shot: Shot, face: Face, take: Take | None = None) -> Plane:
    """The noiseless picture `3 x s x s` of the same moment with another `face` (and `take`)."""
    before = shot.portrait
    size = before.light.shape[-1]
    portrait = draw_portrait(face, take or shot.take, size, backdrop=before.backdrop)
    return develop(expose(portrait.light, shot.camera), shot.camera)
