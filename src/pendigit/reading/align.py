"""A scan of a form laid onto the empty form: found by points that look alike, refined by the whole, and judged."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from pendigit.ink import Grey, shrink, square, uint8
from pendigit.reading.light import find_ink
from pendigit.reading.lines import find_lines
from pendigit.reading.pieces import find_pieces
from pendigit.reading.sheet import Matrix

LONGEST = 1000  # pixels: both are compared at this length, at which a line's print is a pixel or two wide
POINTS = 3000  # features of each
UNLIKE = 0.8  # times the distance to the second nearest feature: a nearer second is a repetition (Lowe, 2004)
NEAR = 3.0  # pixels: how far a pair may lie off the map that most agree on
LEAST_PAIRS = 12  # that agree; fewer do so by chance
SCALES = 0.2, 5.0  # times: of the scan by the reference
COARSE = 400  # pixels: the length at which wholes are made alike
BLUR = 5  # pixels: smooths both for that, which follows slopes
STEPS = 40  # of it
FEWEST = 20  # corners of words by which a form is told from others
CORNERS, CLEAR, APART = 300, 0.05, 8  # of a form: at most, quality by the best one's, pixels between them
PATCH, ROOM = 21, 3  # pixels: a corner's surroundings, a letter or two; how far it may lie off
ALIKE = (
    0.75  # correlation: three quarters of other words stay below it; blur, grain and shadow leave the same ones above
)
TOLERANCE = 7  # pixels: the square by which the scan's ink is widened before print is looked up in it
PRESENT = 0.6  # of the form that a scan of it shows; folds, stamps and writing hide some; other forms show a third
NEARBY = 0.5  # of a field's height around it: where its own print must be present too
ENOUGH = 60  # pixels of print around a field, from which its presence can be judged


class Aligned(NamedTuple):
    """Where a form lies in a scan: (3, 3), maps the reference's x, y, 1 to the scan's pixels; and how well it fits."""

    to_scan: Matrix
    present: float


class Print(NamedTuple):
    """The reference as it is compared: its grey levels, where it has print, x, y of corners of words, and its scale."""

    grey: Grey
    mask: Grey
    corners: npt.NDArray[np.intp]  # (n, 2)
    scale: float


def find_print(reference: Grey) -> Print:
    """The empty form (H, W) -> its print."""
    small = shrink(reference, LONGEST)
    ink = find_ink(small)
    lines = find_lines(ink.mask, find_pieces(ink.mask, ink.ink).height)
    words = cv2.subtract(ink.mask, cv2.dilate(lines, square(PATCH)))
    corners = _corners(small, uint8(cv2.dilate(words, square(3))))
    if len(corners) < FEWEST:  # a form of lines alone
        corners = _corners(small, ink.mask)
    return Print(small, ink.mask, corners, max(small.shape) / max(reference.shape))


def _corners(grey: Grey, mask: Grey) -> npt.NDArray[np.intp]:
    found = cv2.goodFeaturesToTrack(grey, CORNERS, CLEAR, APART, mask=mask)
    return np.empty((0, 2), np.intp) if found is None else np.rint(found[:, 0]).astype(np.intp)


def align(print_: Print, scan: Grey, regions: list[tuple[int, int, int, int]]) -> Aligned | None:
    """The empty form's print, a scan (H, W), the fields' regions -> where the form lies in it; None if it is another.

    The print must be present: what stands out in it, and what is around each field.
    """
    small = shrink(scan, LONGEST)
    matrix = _by_points(print_.grey, small)
    aligned = None if matrix is None else _judged(print_, small, matrix, regions)
    if aligned is None or aligned.present < PRESENT:
        aligned = _judged(print_, small, _by_whole(print_.grey, small), regions)
    if aligned.present < PRESENT:
        return None
    scale = max(small.shape) / max(scan.shape)
    enlarged = np.diag([1 / scale, 1 / scale, 1]) @ aligned.to_scan @ np.diag([print_.scale, print_.scale, 1])
    return Aligned(np.asarray(enlarged / enlarged[2, 2], np.float64), aligned.present)


def _by_points(reference: Grey, scan: Grey) -> Matrix | None:
    """The map that most pairs of features agree on."""
    sift = cv2.SIFT.create(nfeatures=POINTS)
    (points, looks), (points2, looks2) = sift.detectAndCompute(reference, None), sift.detectAndCompute(scan, None)
    if looks is None or looks2 is None or min(len(points), len(points2)) < LEAST_PAIRS:
        return None
    pairs = [
        best
        for best, second in cv2.BFMatcher(cv2.NORM_L2).knnMatch(looks, looks2, k=2)
        if best.distance < UNLIKE * second.distance
    ]
    if len(pairs) < LEAST_PAIRS:
        return None
    ours = np.array([points[pair.queryIdx].pt for pair in pairs], np.float32)
    theirs = np.array([points2[pair.trainIdx].pt for pair in pairs], np.float32)
    cv2.setRNGSeed(0)  # the same scan is read the same way each time
    matrix, agree = cv2.findHomography(ours, theirs, cv2.RANSAC, NEAR)
    if matrix is None or int(agree.sum()) < LEAST_PAIRS or not _is_plausible(matrix, reference.shape):
        return None
    return np.asarray(matrix, np.float64)


def _is_plausible(matrix: Matrix, shape: tuple[int, ...]) -> bool:
    """Whether a map keeps the form's shape: no corner inside the others, no mirror, no vast change of size."""
    rows, columns = shape
    corners = np.array([[[0, 0], [columns, 0], [columns, rows], [0, rows]]], np.float32)
    mapped = cv2.perspectiveTransform(corners, matrix)[0]
    area = float(cv2.contourArea(mapped, oriented=True)) / (rows * columns)
    return bool(cv2.isContourConvex(mapped)) and SCALES[0] ** 2 < area < SCALES[1] ** 2


def _by_whole(reference: Grey, scan: Grey) -> Matrix:
    """The map that makes both most alike, from the one that makes them the same size (Evangelidis and Psarakis, 2008).

    For forms of lines alone, which have few features, if the scan is nearly straight.
    """
    ours, theirs = shrink(reference, COARSE), shrink(scan, COARSE)
    start = np.diag([theirs.shape[1] / ours.shape[1], theirs.shape[0] / ours.shape[0], 1.0])
    enough = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, STEPS, 1e-4)
    ours, theirs = (uint8(cv2.GaussianBlur(grey, (BLUR, BLUR), 0)) for grey in (ours, theirs))
    first = start.astype(np.float32)
    try:
        found = cv2.findTransformECC(ours, theirs, first, cv2.MOTION_HOMOGRAPHY, enough, None, BLUR)[1]
    except cv2.error:  # it strayed, or there is nothing to follow
        found = start
    up, down = max(scan.shape) / max(theirs.shape), max(ours.shape) / max(reference.shape)
    return np.asarray(np.diag([up, up, 1]) @ found @ np.diag([down, down, 1]), np.float64)


def _judged(print_: Print, scan: Grey, matrix: Matrix, regions: list[tuple[int, int, int, int]]) -> Aligned:
    """The share of print that the scan shows, at its least: of what stands out, and around each field."""
    rows, columns = print_.mask.shape
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = uint8(cv2.warpPerspective(scan, matrix, (columns, rows), flags=flags, borderMode=cv2.BORDER_REPLICATE))
    shown = cv2.bitwise_and(print_.mask, cv2.dilate(find_ink(seen).traces, square(TOLERANCE)))
    shares = [_corners_shown(print_, seen)]
    for region in regions:
        left, top, width, height = (side * print_.scale for side in region)
        room = NEARBY * height
        window = (
            slice(max(0, round(top - room)), round(top + height + room)),
            slice(max(0, round(left - room)), round(left + width + room)),
        )
        whole = cv2.countNonZero(print_.mask[window])
        if whole >= ENOUGH:
            shares.append(cv2.countNonZero(shown[window]) / whole)
    return Aligned(matrix, min(shares))


def _corners_shown(print_: Print, seen: Grey) -> float:
    """The share of the form's corners around which the scan looks alike.

    Lines look alike on all forms; words tell them apart.
    """
    reach, room = PATCH // 2, PATCH // 2 + ROOM
    ours, theirs = (
        cv2.copyMakeBorder(grey, room, room, room, room, cv2.BORDER_REPLICATE) for grey in (print_.grey, seen)
    )
    alike = 0
    for x, y in print_.corners + room:
        patch = ours[y - reach : y + reach + 1, x - reach : x + reach + 1]
        around = theirs[y - room : y + room + 1, x - room : x + room + 1]
        alike += float(cv2.matchTemplate(around, patch, cv2.TM_CCOEFF_NORMED).max()) >= ALIKE
    return alike / max(1, len(print_.corners))
