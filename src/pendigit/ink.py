"""From a picture to its ink: 0 where there is paper, brighter the darker the pen wrote.

Light falls unevenly, pens differ and writing may be light on dark; what follows should see none of it.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

Grey: TypeAlias = npt.NDArray[np.uint8]  # (H, W)

THUMBNAIL = 48  # pixels: the longer side at which light and dark are weighed; strokes are still about a pixel wide
REACH = 0.4  # of the longer side: wider than any pen's stroke, so that only paper survives the closing


def to_grey(image: npt.NDArray[np.uint8]) -> Grey:
    """A picture (H, W), (H, W, 1) or (H, W, 3) RGB uint8 -> its luminance (H, W) uint8."""
    if image.ndim == 2:
        return image
    if image.shape[2] == 1:
        return image[:, :, 0]
    return _array(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))


def is_dark_on_light(grey: Grey) -> bool:
    """Whether the writing is darker than what it is written on.

    Ink covers less than paper does, so the paper is near the mean and the ink far from it: the sign of the third
    central moment tells. Grid lines at the border count for the ink, where a look at the border would be misled.
    """
    thumbnail = shrink(grey, THUMBNAIL).astype(np.float32)
    deviation = thumbnail - cv2.mean(thumbnail)[0]
    return bool(cv2.sumElems(deviation * deviation * deviation)[0] <= 0)


def ink_of(grey: Grey) -> Grey:
    """The ink of a picture (H, W) uint8, of either polarity -> (H, W) uint8: how far each pixel is from its paper.

    The paper behind the ink is guessed by a closing with a square larger than any stroke, which fills the strokes
    from the paper around them and follows slopes and shadows of the light.
    """
    if not is_dark_on_light(grey):
        grey = cv2.bitwise_not(grey)
    side = odd(REACH * max(grey.shape))
    paper = cv2.morphologyEx(grey, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    return _array(cv2.subtract(paper, grey))


def shrink(grey: Grey, longest: int) -> Grey:
    """The picture with its longer side at most `longest` pixels, by averaging areas."""
    scale = longest / max(grey.shape)
    if scale >= 1:
        return grey
    height, width = (max(1, round(side * scale)) for side in grey.shape)
    return _array(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA))


def odd(length: float) -> int:
    """The nearest odd number of pixels, at least 3, so that a kernel has a middle."""
    return max(3, round(length) | 1)


def _array(result: Any) -> Grey:
    return np.asarray(result, np.uint8)
