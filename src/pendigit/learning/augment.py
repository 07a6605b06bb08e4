"""Augmentation compiled into the training step: every frame is drawn anew each time it is seen.

One look-up moves all pixels at once: rotation, scale, shear, shift and elastic distortion (Simard, Steinkraus
and Platt 2003) add up to one source position for each pixel. What changes the ink comes after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from pendigit.classifier import SIDE, Frames
from pendigit.errors import UsageError

Array: TypeAlias = Any  # jax.Array, traced or not

MIDDLE = (SIDE - 1) / 2  # pixels: the centre of rotation
REACH = 8  # pixels: the farthest away that a pixel is taken from, each way
EDGE = 8  # pixels: how wide a dark edge is at most; most are a line
GRID = 5  # points each way that elastic displacements are drawn at; between them they change smoothly


@dataclass(frozen=True)
class Augmentation:
    """How far each change may go; 0 leaves it out. Drawn evenly from minus to plus, unless said otherwise.

    Attributes:
        rotation: Degrees.
        shift: Pixels, each way; whole ones when nothing else moves.
        scale: Share of the size, each axis for itself.
        shear: Pixels sideways for each pixel down.
        elastic: Pixels, standard deviation of the displacement.
        stroke: Strength of thickening or thinning, 0 to 1.
        contrast: Share by which the ink may be fainter.
        blur: Share of frames softened.
        noise: Standard deviation of the grey levels' noise at most, ink being 1; most frames have far less.
        veil: Share of frames under a veil of grey, as of a ground that was not quite taken away.
        convolution: Share of frames drawn through a random 3x3 kernel (Lee et al. 2020).
        marks: Share of frames with a stray line or a dark edge along a border, and of those with a stroke across.
    """

    rotation: float = 0
    shift: float = 0
    scale: float = 0
    shear: float = 0
    elastic: float = 0
    stroke: float = 0
    contrast: float = 0
    blur: float = 0
    noise: float = 0
    veil: float = 0
    convolution: float = 0
    marks: float = 0

    def __call__(self, key: Array, frames: Array) -> Array:
        """Frames (n, 28, 28) float32 in 0-1 -> the same frames, changed, in 0-1."""
        keys = iter(jax.random.split(key, 7))
        if self.rotation or self.scale or self.shear or self.elastic:
            frames = self._moved(next(keys), frames)
        elif self.shift:
            frames = _shifted(next(keys), frames, int(self.shift))
        if self.stroke:
            frames = _restroked(next(keys), frames, self.stroke)
        if self.convolution:
            frames = _convolved(next(keys), frames, self.convolution)
        if self.blur:
            frames = _some(next(keys), frames, _blurred(frames), self.blur)
        if self.marks:
            frames = _marked(next(keys), frames, self.marks)
            frames = _crossed(jax.random.fold_in(key, 2), frames, self.marks)
        if self.contrast:
            frames = frames * (1 - self.contrast * jax.random.uniform(next(keys), (len(frames), 1, 1)))
        if self.veil:
            frames = _veiled(jax.random.fold_in(key, 1), frames, self.veil)
        if self.noise:
            drawn, strength = jax.random.split(next(keys))
            most = self.noise * jax.random.uniform(strength, (len(frames), 1, 1)) ** 3
            frames = frames + most * jax.random.normal(drawn, frames.shape)
        return jnp.clip(frames, 0, 1)

    def _moved(self, key: Array, frames: Array) -> Array:
        n = len(frames)
        uniform, normal = jax.random.split(key)
        draws = jax.random.uniform(uniform, (6, n, 1), minval=-1.0, maxval=1.0)
        angle = draws[0] * (self.rotation * np.pi / 180)
        tall, wide, lean = 1 + draws[1] * self.scale, 1 + draws[2] * self.scale, draws[3] * self.shear
        cos, sin = jnp.cos(angle), jnp.sin(angle)
        down, right = (axis.reshape(1, -1) - MIDDLE for axis in np.mgrid[:SIDE, :SIDE].astype(np.float32))
        # Source rows and columns are linear in where a pixel goes: y = yy down + yx right, x = xy down + xx right.
        yy, yx, xy, xx = (cos - lean * sin) * tall, -sin * wide, (sin + lean * cos) * tall, cos * wide
        # Columns are looked up first, in rows that the second look-up still moves: x as a function of y and right.
        xx, xy = xx - xy * yx / yy, xy / yy
        up, side = draws[4] * self.shift, draws[5] * self.shift
        y = yy * down + yx * right + up
        x = xy * (down - up) + xx * right + side
        if self.elastic:
            field = jax.random.normal(normal, (2 * n, GRID * GRID)) @ _smoothing().T * self.elastic
            field = field.reshape(n, 2, SIDE * SIDE)
            y, x = y + field[:, 0], x + field[:, 1]
        return _looked_up(frames, (y - down).reshape(frames.shape), (x - right).reshape(frames.shape))


POLICIES: dict[str, Augmentation] = {
    "none": Augmentation(),
    "shift": Augmentation(shift=1),
    "mild": Augmentation(rotation=8, shift=1.5, scale=0.08, shear=0.1, elastic=0.5),
    "strong": Augmentation(rotation=15, shift=2.5, scale=0.15, shear=0.2, elastic=0.9),
    "world": Augmentation(
        rotation=10,
        shift=1.5,
        scale=0.1,
        shear=0.15,
        elastic=0.6,
        stroke=0.5,
        contrast=0.3,
        blur=0.15,
        noise=0.2,
        veil=0.12,
        convolution=0.15,
        marks=0.1,
    ),
    "wild": Augmentation(
        rotation=15,
        shift=2,
        scale=0.15,
        shear=0.3,
        elastic=0.9,
        stroke=0.7,
        contrast=0.4,
        blur=0.2,
        noise=0.3,
        veil=0.2,
        convolution=0.3,
        marks=0.15,
    ),
}


def policy(name: str) -> Augmentation:
    """The augmentation of this name. Raises UsageError."""
    if name not in POLICIES:
        raise UsageError(f"unknown augmentation {name!r}", ", ".join(POLICIES), "check the spelling")
    return POLICIES[name]


def preview(name: str, frames: Frames, count: int, seed: int) -> Frames:
    """Frames (n, 28, 28) uint8 -> (n, count, 28, 28) uint8: each as it is, then as training sees it. UsageError."""
    change = policy(name)
    key = jax.random.key(seed)
    seen = [np.asarray(change(jax.random.fold_in(key, i), frames / np.float32(255))) for i in range(count - 1)]
    drawn = np.rint(np.stack([frames / 255, *seen], axis=1) * 255)
    return np.asarray(drawn, np.uint8)


def _smoothing() -> npt.NDArray[np.float32]:
    """(784, 25): from displacements on a coarse grid to smooth ones of unit variance at every pixel."""
    points, step = np.linspace(0, SIDE - 1, GRID, retstep=True)
    reach = 0.6 * step  # Gaussians this wide overlap without a dip between them
    near = np.exp(-0.5 * ((np.arange(SIDE)[:, None] - points) / reach) ** 2)
    near /= np.sqrt((near**2).sum(axis=1, keepdims=True))
    return np.kron(near, near).astype(np.float32)


def _looked_up(frames: Array, dy: Array, dx: Array) -> Array:
    """Frames (n, 28, 28), each pixel taken from dy rows and dx columns away, bilinearly; black outside.

    In two passes (Catmull and Smith 1980), columns, then rows, each a sum of shifted copies weighted by a hat: without
    a gather, which takes ten times as long on a CPU.
    """
    moves = range(-REACH, REACH + 1)
    wide = jnp.pad(frames, ((0, 0), (0, 0), (REACH, REACH)))
    across = sum(_hat(dx - move) * wide[:, :, REACH + move : REACH + move + SIDE] for move in moves)
    # Kept apart: fused, the first pass would be computed again for every row of the second.
    tall = jax.lax.optimization_barrier(jnp.pad(jax.lax.optimization_barrier(across), ((0, 0), (REACH, REACH), (0, 0))))
    return sum(_hat(dy - move) * tall[:, REACH + move : REACH + move + SIDE] for move in moves)


def _hat(distance: Array) -> Array:
    """The weight of a pixel so far away, in pixels, in linear interpolation."""
    return jnp.maximum(0, 1 - jnp.abs(distance))


def _shifted(key: Array, frames: Array, most: int) -> Array:
    """Frames moved by whole pixels, up to `most` each way: a sixth of a look-up's time."""
    starts = jax.random.randint(key, (len(frames), 2), 0, 2 * most + 1)
    padded = jnp.pad(frames, ((0, 0), (most, most), (most, most)))
    return jax.vmap(lambda frame, start: jax.lax.dynamic_slice(frame, start, (SIDE, SIDE)))(padded, starts)


def _neighbours(frames: Array) -> list[Array]:
    """The nine frames that are `frames` moved by -1, 0, 1 pixels each way."""
    padded = jnp.pad(frames, ((0, 0), (1, 1), (1, 1)))
    return [padded[:, i : i + SIDE, j : j + SIDE] for i in range(3) for j in range(3)]


def _some(key: Array, frames: Array, changed: Array, share: float) -> Array:
    """A `share` of the frames changed, the others as they are."""
    return jnp.where(jax.random.bernoulli(key, share, (len(frames), 1, 1)), changed, frames)


def _restroked(key: Array, frames: Array, strength: float) -> Array:
    """Strokes thicker or thinner by up to `strength` pixels each side: towards the brightest or darkest neighbour."""
    near = _neighbours(frames)[1::2]  # the four beside, above and below
    thick, thin = frames, frames
    for each in near:
        thick, thin = jnp.maximum(thick, each), jnp.minimum(thin, each)
    # Half as much thinning: it ends what thickening only widens.
    amount = jax.random.uniform(key, (len(frames), 1, 1), minval=-strength / 2, maxval=strength)
    return frames + jnp.maximum(amount, 0) * (thick - frames) + jnp.minimum(amount, 0) * (frames - thin)


def _blurred(frames: Array) -> Array:
    """A binomial 3x3 blur."""
    weights = (1, 2, 1, 2, 4, 2, 1, 2, 1)
    return sum(weight * each for weight, each in zip(weights, _neighbours(frames), strict=True)) / 16


def _convolved(key: Array, frames: Array, share: float) -> Array:
    """A share of the frames through a random kernel of their own, stretched back to full ink."""
    chosen, drawn = jax.random.split(key)
    kernel = jax.random.normal(drawn, (9, len(frames), 1, 1)) * 0.25
    kernel = kernel.at[4].add(1)  # around the frame itself: ink stays ink
    changed = sum(weight * each for weight, each in zip(kernel, _neighbours(frames), strict=True))
    changed = jnp.maximum(changed, 0)
    return _some(chosen, frames, changed / jnp.maximum(changed.max(axis=(1, 2), keepdims=True), 1e-3), share)


def _marked(key: Array, frames: Array, share: float) -> Array:
    """A share of the frames with a line along one border, as boxes and ruled paper leave it, or a scan's dark edge."""
    chosen, where, which, ink, thick = jax.random.split(key, 5)
    n = len(frames)
    place = jax.random.randint(where, (n, 1), 0, 3)  # pixels from the border
    width = 1 + jnp.floor(EDGE * jax.random.uniform(thick, (n, 1)) ** 3)
    inside = (jnp.arange(SIDE)[None] >= jnp.where(width > 2, 0, place)) & (jnp.arange(SIDE)[None] < place + width)
    line = inside * jax.random.uniform(ink, (n, 1), minval=0.4, maxval=1.0)
    side = jax.random.randint(which, (n, 1, 1), 0, 4)
    rows, columns = line[:, :, None], line[:, None, :]
    drawn = jnp.where(side == 0, rows, jnp.where(side == 1, rows[:, ::-1], 0))
    drawn = drawn + jnp.where(side == 2, columns, jnp.where(side == 3, columns[:, :, ::-1], 0))
    return _some(chosen, frames, jnp.maximum(frames, drawn), share)


def _crossed(key: Array, frames: Array, share: float) -> Array:
    """A share of the frames with a straight stroke across, at any angle, one or two pixels wide."""
    chosen, drawn = jax.random.split(key)
    turn, off, width, ink = jax.random.uniform(drawn, (4, len(frames), 1, 1))
    down, right = (axis - MIDDLE for axis in np.mgrid[:SIDE, :SIDE].astype(np.float32))
    distance = jnp.abs(jnp.cos(np.pi * turn) * down + jnp.sin(np.pi * turn) * right + MIDDLE * (2 * off - 1))
    stroke = jnp.clip(1 + width / 2 - distance, 0, 1) * (0.4 + 0.6 * ink)
    return _some(chosen, frames, jnp.maximum(frames, stroke), share)


def _veiled(key: Array, frames: Array, share: float) -> Array:
    """A share of the frames behind a grey that changes smoothly, up to 0.6 of full ink."""
    chosen, drawn, strength = jax.random.split(key, 3)
    field = jax.random.normal(drawn, (len(frames), GRID * GRID)) @ _smoothing().T
    level = 0.3 * jax.random.uniform(strength, (len(frames), 1, 1))
    veil = level * (1 + jnp.tanh(field.reshape(frames.shape)))
    return _some(chosen, frames, veil + (1 - veil) * frames, share)
