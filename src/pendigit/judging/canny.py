"""Canny's edges (Canny 1986) as scikit-image finds them, which MNIST-C is defined by: OpenCV's find other pixels."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.float64]  # (H, W) in [0, 1]
Mask = npt.NDArray[np.bool_]  # (H, W)

SIGMA, RADIUS = 1.0, 4  # pixels: the smoothing, cut off at 4 deviations
LOW, HIGH = 0.1, 0.2  # of a gradient by Sobel's kernel of weight 8: an edge goes on, an edge begins
EPSILON = float(np.finfo(np.float64).eps)  # keeps a division by what the border cuts off finite


def edges(image: Image) -> Mask:
    """Where an image (H, W) in [0, 1] has edges, one pixel wide; never on its border."""
    smooth = _smooth(image)
    down, right = _sobel(smooth, 0), _sobel(smooth, 1)
    strength = np.hypot(down, right)
    thin = _thin(strength, down, right) & (strength >= LOW)
    return _follow(thin, thin & (strength >= HIGH))


def _smooth(image: Image) -> Image:
    """Gaussian smoothing that leaves out what lies outside the image."""

    def blur(values: Image) -> Image:
        size = (2 * RADIUS + 1, 2 * RADIUS + 1)
        return np.asarray(cv2.GaussianBlur(values, size, SIGMA, borderType=cv2.BORDER_CONSTANT), np.float64)

    return blur(image) / (blur(np.ones_like(image)) + EPSILON)


def _sobel(image: Image, axis: int) -> Image:
    across, along = np.array([1.0, 2.0, 1.0]), np.array([-1.0, 0.0, 1.0])
    kernels = (across, along) if axis == 0 else (along, across)
    return np.asarray(cv2.sepFilter2D(image, cv2.CV_64F, *kernels, borderType=cv2.BORDER_REFLECT), np.float64)


def _thin(strength: Image, down: Image, right: Image) -> Mask:
    """Pixels at least as strong as both neighbours across the edge, interpolated between the nearest two each."""

    def shifted(values: Image, rows: Any, columns: Any) -> Image:
        y, x = np.indices(values.shape)
        inside_y, inside_x = np.clip(y + rows, 0, values.shape[0] - 1), np.clip(x + columns, 0, values.shape[1] - 1)
        return np.asarray(values[inside_y, inside_x], np.float64)

    steep = abs(down) >= abs(right)
    larger, smaller = np.where(steep, abs(down), abs(right)), np.where(steep, abs(right), abs(down))
    weight = smaller / np.maximum(larger, EPSILON)
    row_sign, column_sign = np.where(down >= 0, 1, -1), np.where(right >= 0, 1, -1)
    straight_row, straight_column = np.where(steep, row_sign, 0), np.where(steep, 0, column_sign)
    peak = strength > 0
    for way in (1, -1):
        diagonal = shifted(strength, way * row_sign, way * column_sign)
        straight = shifted(strength, way * straight_row, way * straight_column)
        peak &= weight * diagonal + (1 - weight) * straight <= strength
    peak[[0, -1], :] = peak[:, [0, -1]] = False
    return peak


def _follow(weak: Mask, strong: Mask) -> Mask:
    """Weak edges that touch a strong one somewhere."""
    _, pieces = cv2.connectedComponents(weak.astype(np.uint8), connectivity=8)
    kept = np.unique(pieces[strong])
    return np.isin(pieces, kept[kept > 0])
