"""The forms of the ten digits as strokes of a pen, as they are taught and written in many countries.

MNIST was written in the United States: its 1 is a stick and its 7 has no bar. Elsewhere the 1 has a flag as long as
its stem, the 7 a bar, the 4 is open, the 9 ends like a g, and a 0 may be slashed. A form is drawn by a function that
draws its free measures too, so that no two digits are alike.

`write` gives a digit's strokes as one hand writes them: slanted, stretched, bent and unsteady.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from pendigit.writing.curves import Rng, Strokes, arc, by_hand, chance, joined, smooth

Form: TypeAlias = Callable[[Rng], Strokes]

SHORT = 0.5  # of a one's height: longer flags are no seven's roof


def write(rng: Rng, digit: int) -> Strokes:
    """The strokes of one digit as one hand writes it once."""
    return by_hand(rng, FORMS[digit](rng))


def _zero(rng: Rng) -> Strokes:
    start, sweep = rng.uniform(-150, -20), rng.uniform(330, 400) * rng.choice([-1, 1], p=[0.8, 0.2])
    strokes = [arc(rng, (0.5, 0.5), (rng.uniform(0.3, 0.5), 0.5), start, sweep)]
    if chance(rng, 0.1):  # a tail where the loop closes
        strokes[0] = joined(strokes[0], smooth(rng, [(0, 0), (rng.uniform(0.1, 0.35), rng.uniform(-0.15, 0.1))]))
    if chance(rng, 0.08):
        over = rng.uniform(-0.05, 0.25)
        strokes.append(smooth(rng, [(0.15 - over, 0.9 + over / 2), (0.85 + over, 0.1 - over / 2)]))
    return strokes


def _one(rng: Rng) -> Strokes:
    stem = smooth(rng, [(0.5, 0), (0.5 + rng.normal(0, 0.03), 0.5), (0.5, 1)], 0.015)
    if chance(rng, 0.3):
        return [stem]
    length = rng.triangular(0.1, 0.3, 1.15)  # of the flag
    # Off the stem: flatter is a seven's roof, and where sticks are taught a short hook is one already.
    angle = np.radians(rng.uniform(18, 58 if length > SHORT else 42))
    tip = (0.5 - length * np.sin(angle), length * np.cos(angle))
    bend = rng.normal(0, 0.08 if length > SHORT else 0.03) * length
    flag = [tip, ((tip[0] + 0.5) / 2 + bend, tip[1] / 2 + bend)]
    if length > SHORT and chance(rng, 0.3):  # round where it meets the stem; with a short flag that would be a 7
        strokes = [smooth(rng, [*flag, (0.44, 0.02), (0.5, 0.12), (0.5 + rng.normal(0, 0.03), 0.5), (0.5, 1)], 0.015)]
    else:
        strokes = [joined(smooth(rng, [*flag, (0.5, 0)], 0.015), stem)]
    if chance(rng, 0.2):
        half, middle = rng.uniform(0.15, 0.45), 0.5 + rng.normal(0, 0.07)
        strokes.append(smooth(rng, [(middle - half, 1), (middle + half, 1)]))
    return strokes


def _two(rng: Rng) -> Strokes:
    left, low = rng.uniform(0.0, 0.15), rng.uniform(0.12, 0.32)
    if chance(rng, 0.2):  # angular, like a z
        top = joined(smooth(rng, [(left, low / 3), (0.85, 0)]), smooth(rng, [(0.85, 0), (0.5, 0.5), (0.05, 1)]))
    else:
        hook = [(left + 0.1, low + 0.1)] if chance(rng, 0.25) else []
        belly = (rng.uniform(0.8, 0.95), rng.uniform(0.2, 0.34))
        top = smooth(rng, [*hook, (left, low), (0.45, 0.0), belly, (rng.uniform(0.5, 0.7), 0.6), (0.05, 0.97)])
    kind = rng.random()
    if kind < 0.45:
        foot = smooth(
            rng, [(0.05, 1), (0.5, 1 + rng.normal(0, 0.04)), (rng.uniform(0.75, 1.15), 1 + rng.normal(0, 0.05))]
        )
    elif kind < 0.8:  # a loop in the corner
        size = rng.uniform(0.06, 0.16)
        foot = smooth(
            rng,
            [
                (0.05, 0.97),
                (0.0, 0.97 - size),
                (2 * size, 0.97 - 1.3 * size),
                (0.5, 0.97),
                (rng.uniform(0.85, 1.2), 0.97),
            ],
            0.02,
        )
    else:  # a wave
        foot = smooth(rng, [(0.05, 1), (0.3, 0.88), (0.65, 1.02), (rng.uniform(0.9, 1.15), rng.uniform(0.8, 0.97))])
    return [joined(top, foot)]


def _three(rng: Rng) -> Strokes:
    waist = (rng.uniform(0.3, 0.55), rng.uniform(0.38, 0.52))
    end = (rng.uniform(0.0, 0.15), rng.uniform(0.78, 0.98))
    upper, lower = (rng.uniform(0.72, 0.95), waist[1] / 2), (rng.uniform(0.85, 1.0), (1 + waist[1]) / 2)
    bowl = smooth(rng, [waist, lower, (0.5, 1), end], 0.025)
    if chance(rng, 0.25):  # flat top
        start = [(rng.uniform(0.0, 0.15), rng.uniform(0.0, 0.2))] if chance(rng, 0.2) else []
        roof = smooth(rng, [*start, (0.08, 0.02), (0.85, 0)], 0.02)
        return [joined(roof, smooth(rng, [(0.85, 0), waist], 0.02), bowl)]
    top = smooth(rng, [(rng.uniform(0.0, 0.18), rng.uniform(0.08, 0.28)), (0.45, 0), upper, waist], 0.025)
    if chance(rng, 0.2):  # a small loop at the waist
        size = rng.uniform(0.05, 0.12)
        loop = smooth(
            rng, [waist, (waist[0] - size, waist[1] + size / 2), (waist[0] - size / 2, waist[1] + size), waist], 0.01
        )
        return [joined(top, loop, bowl)]
    return [joined(top, bowl)]


def _four(rng: Rng) -> Strokes:
    bar, reach = rng.uniform(0.5, 0.75), rng.uniform(0.75, 1.15)
    stem_x, lean = rng.uniform(0.6, 0.8), rng.normal(0, 0.05)
    kind = rng.random()
    if kind < 0.16:
        return _round_four(rng, bar, (stem_x, stem_x + lean)) if kind < 0.1 else _low_four(rng, stem_x)
    if kind < 0.38:  # closed
        slope = joined(
            smooth(rng, [(stem_x, 0), (0.3, bar * 0.6), (0.0, bar)], 0.02), smooth(rng, [(0, bar), (reach, bar)], 0.025)
        )
        return [slope, smooth(rng, [(stem_x, rng.uniform(-0.03, 0.05)), (stem_x + lean, 1)], 0.02)]
    left = rng.uniform(0.0, 0.35)  # where the open form begins
    top = rng.uniform(0.1, bar - 0.15) if chance(rng, 0.5) else rng.uniform(-0.05, 0.1)  # of the stem
    stem = smooth(rng, [(stem_x, top), (stem_x + lean, 0.55), (stem_x + 2 * lean - 0.05, 1)], 0.02)
    if kind < 0.6:  # open, with a corner
        corner = (rng.uniform(-0.05, 0.15), bar)
        return [
            joined(smooth(rng, [(left, 0), corner]), smooth(rng, [corner, (reach, bar + rng.normal(0, 0.05))])),
            stem,
        ]
    if kind < 0.8:  # open and round, the bar ends at the stem or beyond
        cup = smooth(
            rng, [(left, 0), (0.02, bar * 0.7), (0.2, bar), (stem_x if chance(rng, 0.5) else reach, bar * 0.92)]
        )
        return [cup, stem]
    if kind < 0.86:
        return _falling_four(rng, left, bar, (stem_x, stem_x + 2 * lean))
    # in one stroke: down, across, up to the stem's top and down it
    cup = smooth(
        rng, [(left, 0), (0.05, bar * 0.75), (0.25, bar), (stem_x, bar * rng.uniform(0.55, 0.85)), (stem_x, top)]
    )
    return [joined(cup, stem)]


def _round_four(rng: Rng, bar: float, stem: tuple[float, float]) -> Strokes:
    """Closed and round, like a 9 whose loop runs on across its stem; `stem` tells where that is above and below."""
    begin = (stem[0] + rng.uniform(-0.1, 0.05), rng.uniform(-0.03, 0.08))
    across = (stem[0] + rng.uniform(0.2, 0.6), bar - rng.uniform(-0.03, 0.15))
    top = [(0.4, 0.0)] if chance(rng, 0.5) else []
    loop = smooth(rng, [begin, *top, (rng.uniform(-0.05, 0.15), bar * 0.6), (0.25, bar), across], 0.02)
    return [loop, smooth(rng, [begin, ((stem[0] + stem[1]) / 2, 0.5), (stem[1], 1)], 0.02)]


def _low_four(rng: Rng, stem_x: float) -> Strokes:
    """Open, a long bow to a bar near the foot, across which the stem is a short stroke."""
    bar, left = rng.uniform(0.68, 0.85), rng.uniform(0.1, 0.45)
    bow = [(left, 0), (rng.uniform(-0.02, 0.12), bar * 0.65), (rng.uniform(0.1, 0.25), bar + rng.uniform(0.0, 0.08))]
    reach = (stem_x + rng.uniform(0.08, 0.35), bar - rng.uniform(0.0, 0.15))
    stem = [(stem_x + rng.normal(0, 0.04), bar - rng.uniform(0.12, 0.3)), (stem_x + rng.normal(-0.03, 0.05), 1.0)]
    return [smooth(rng, [*bow, reach], 0.02), smooth(rng, stem, 0.02)]


def _falling_four(rng: Rng, left: float, bar: float, stem: tuple[float, float]) -> Strokes:
    """In one stroke that does not rise again: down, across, down."""
    hook = [(left + rng.uniform(0.08, 0.25), rng.uniform(-0.05, 0.12))] if chance(rng, 0.3) else []
    end = [(stem[1] + rng.uniform(0.05, 0.25), rng.uniform(0.93, 1.02))] if chance(rng, 0.3) else []
    turn = (stem[0], bar - rng.uniform(-0.02, 0.12))
    low = [turn, ((stem[0] + stem[1]) / 2, 0.85), (stem[1], 1), *end]
    return [smooth(rng, [*hook, (left, 0), (0.05, bar * 0.75), (0.25, bar), *low], 0.02)]


def _five(rng: Rng) -> Strokes:
    start, shoulder = (rng.uniform(0.15, 0.35), 0.0), rng.uniform(0.36, 0.5)
    end = (rng.uniform(-0.05, 0.2), rng.uniform(0.8, 0.98))
    bowl = [(0.12, shoulder), (0.55, shoulder - 0.06), (rng.uniform(0.8, 1.0), 0.68), (0.5, 1), end]
    roof = [(start[0], 0.0), (rng.uniform(0.75, 1.2), rng.normal(-0.02, 0.06))]
    kind = rng.random()
    if kind < 0.25:  # round all over, like an S
        begin = (rng.uniform(0.75, 1.05), rng.uniform(-0.02, 0.1))
        return [smooth(rng, [begin, (0.45, 0.0), (0.15, 0.22), (0.3, 0.42), *bowl[2:]])]
    body = joined(smooth(rng, [start, (0.12, shoulder)], 0.02), smooth(rng, bowl, 0.025))
    if kind < 0.6:  # in one stroke
        return [joined(smooth(rng, roof[::-1], 0.02), body)]
    gap = rng.normal(0, 0.07, 2)  # the bar comes last and misses its place
    return [body, smooth(rng, roof, 0.02) + gap]


def _six(rng: Rng) -> Strokes:
    top = (rng.uniform(0.45, 1.0), rng.uniform(-0.02, 0.06))
    high = rng.uniform(0.42, 0.68)  # of the loop's top
    right = rng.uniform(0.75, 1.0)
    close = (rng.uniform(0.02, 0.3), rng.uniform(0.65, 0.85))
    back = (rng.uniform(0.0, 0.2), rng.uniform(0.45, 0.6))
    if chance(rng, 0.25):  # straight back
        down = smooth(rng, [top, (0.05, 0.7)], 0.02)
        return [joined(down, smooth(rng, [(0.05, 0.7), (0.3, 1), (right, 0.8), (0.55, high), close], 0.025))]
    if chance(rng, 0.05):  # a stem with a flat loop at its foot, which runs out to the left
        foot, flat = rng.uniform(0.25, 0.5), rng.uniform(0.08, 0.22)
        out = (rng.uniform(-0.1, 0.2), 1 - flat * rng.uniform(-0.2, 0.4))
        low = [(foot, 0.97), (right, 1 - flat / 2), (right - 0.15, 1 - flat), (foot - 0.05, 1 - flat * 0.6), out]
        return [smooth(rng, [top, ((top[0] + foot) / 2 - 0.05, 0.5), *low], 0.02)]
    begin = [(top[0] + 0.1, top[1] + 0.12)] if chance(rng, 0.15) else []
    points = [*begin, top, back, (0.1, 0.85), (0.5, 1), (right, (1 + high) / 2), (0.5, high), close]
    return [smooth(rng, points, 0.025)]


def _seven(rng: Rng) -> Strokes:
    if chance(rng, 0.3):
        return _narrow_seven(rng)
    corner, foot = (rng.uniform(0.8, 1.0), rng.uniform(-0.03, 0.05)), (rng.uniform(0.15, 0.65), 1.0)
    bend = rng.normal(0, 0.07)
    start = (rng.uniform(0, 0.12), rng.uniform(0.0, 0.1))
    tick = [(start[0] + rng.normal(0, 0.03), rng.uniform(0.12, 0.3))] if chance(rng, 0.3) else []
    roof_bend = (0.45, 0.03 + abs(rng.normal(0, 0.05)))
    stem = [corner, ((corner[0] + foot[0]) / 2 + bend, 0.5), foot]
    if chance(rng, 0.25):  # no corner, in one bend
        strokes = [smooth(rng, [*tick, start, roof_bend, *stem], 0.02)]
    else:
        roof = smooth(rng, [start, roof_bend, corner], 0.02)
        strokes = [joined(*([smooth(rng, [*tick, start], 0.02)] if tick else []), roof, smooth(rng, stem, 0.02))]
    if chance(rng, 0.45):
        high, half, tilt = rng.uniform(0.38, 0.66), rng.uniform(0.15, 0.4), rng.normal(-0.02, 0.07)
        y = rng.uniform(0.6, 0.85) if chance(rng, 0.15) else high
        x = corner[0] + (foot[0] - corner[0]) * y + rng.normal(0, 0.06)
        strokes.append(smooth(rng, [(x - half, y + tilt), (x + half, y - tilt)], 0.015))
    return strokes


def _narrow_seven(rng: Rng) -> Strokes:
    """Under a short roof an upright stem; often a stroke down from its left end, as taught in East Asia."""
    if chance(rng, 0.55):
        return _walking_stick(rng)
    start, corner = (rng.uniform(0.1, 0.45), rng.uniform(-0.02, 0.04)), (rng.uniform(0.8, 0.95), rng.normal(0, 0.02))
    foot = (corner[0] - rng.uniform(-0.03, 0.25), 1.0)
    stem = [((corner[0] + foot[0]) / 2 + rng.normal(0, 0.03), 0.5), foot]
    tick = [(start[0] + rng.normal(-0.03, 0.03), start[1] + rng.uniform(0.12, 0.4))] if chance(rng, 0.6) else []
    roof = [*([smooth(rng, [*tick, start], 0.015)] if tick else []), smooth(rng, [start, corner], 0.015)]
    return [joined(*roof, smooth(rng, [corner, *stem], 0.015))]


def _walking_stick(rng: Rng) -> Strokes:
    """A seven without corners: up in a hook, round, and down a long stem, straight or bowed."""
    wide, low = rng.uniform(0.22, 0.55), rng.uniform(0.15, 0.42)
    right = rng.uniform(0.6, 0.9)
    foot = (right - rng.uniform(-0.08, 0.4), 1.0)
    over = (right - wide * rng.uniform(0.4, 0.65), rng.uniform(-0.03, 0.03))
    hook = [(right - wide - rng.normal(0, 0.02), low), (right - wide * 0.9, low * rng.uniform(0.3, 0.5))]
    bow = (right + foot[0]) / 2 + rng.uniform(-0.02, 0.12)
    return [smooth(rng, [*hook, over, (right, rng.uniform(0.06, 0.16)), (bow, 0.55), foot], 0.012)]


def _eight(rng: Rng) -> Strokes:
    waist, upper, lower = rng.uniform(0.4, 0.54), rng.uniform(0.26, 0.42), rng.uniform(0.34, 0.5)
    if chance(rng, 0.25):  # two loops, one on the other
        middle = 0.5 + rng.normal(0, 0.04)
        start = rng.uniform(-180, 180)
        return [
            arc(rng, (0.5, waist / 2), (upper, waist / 2), start, rng.uniform(345, 390)),
            arc(
                rng, (middle, (1 + waist) / 2), (lower, (1 - waist) / 2), rng.uniform(-120, -60), rng.uniform(345, 390)
            ),
        ]
    down = [(0.5 + upper, waist * 0.3), (0.5, 0), (0.5 - upper, waist * 0.5), (0.5, waist)]
    under = [(0.5 + lower, 0.72), (0.5, 1), (0.5 - lower, 0.75), (0.5, waist + rng.normal(0, 0.04))]
    gap = rng.uniform(-0.12, 0.12)  # where the last stroke ends beside the first
    up = [(0.5 + upper * 0.9, waist * 0.45), (0.5 + upper * 0.7 + gap, rng.uniform(-0.05, 0.15))]
    curve = smooth(rng, [*down, *under, *up], 0.025)
    if chance(rng, 0.3):  # the other way round
        curve = curve * (-1, 1) + (1, 0)
    return [curve]


def _nine(rng: Rng) -> Strokes:
    if chance(rng, 0.1):
        return _headed_nine(rng)
    high, right = rng.uniform(0.36, 0.58), rng.uniform(0.72, 0.95)
    begin = (right, rng.uniform(0.02, 0.18))
    loop = [
        begin,
        (0.5, 0),
        (rng.uniform(0.0, 0.12), high / 2),
        (0.42, high),
        (right - 0.02, high * rng.uniform(0.5, 0.8)),
    ]
    if chance(rng, 0.25):  # a loop that does not close
        loop = [(right - rng.uniform(0.1, 0.3), rng.uniform(0, 0.1)), *loop[2:]]
    top = (right, rng.uniform(-0.02, 0.12))
    kind = rng.random()
    if kind < 0.35:  # straight down
        tail = [top, (right - rng.uniform(0.0, 0.1), 0.5), (right - rng.uniform(0.0, 0.35), 1)]
    elif kind < 0.65:  # bent to the left
        tail = [top, (right, 0.55), (right - 0.15, 0.88), (rng.uniform(0.1, 0.45), 1)]
    else:  # a hook, as of a g
        tip = (rng.uniform(-0.15, 0.2), rng.uniform(0.72, 0.95))
        tail = [top, (right, 0.55), (right - 0.05, 0.88), (0.45, 1), tip]
    return [joined(smooth(rng, loop, 0.025), smooth(rng, tail, 0.02))]


def _headed_nine(rng: Rng) -> Strokes:
    """A stick with a small loop, round or pressed flat, at the left of its head; a thick pen fills it."""
    right, size = rng.uniform(0.5, 0.7), rng.uniform(0.12, 0.22)
    wide, high = size * rng.uniform(0.9, 1.4), size * rng.uniform(0.5, 1.2)
    start = rng.uniform(-60, 30)
    loop = arc(rng, (right - wide, high), (wide, high), start, -rng.uniform(300, 400))
    foot = (right - rng.uniform(-0.05, 0.25), 1.0)
    stem = [(right, rng.uniform(0.0, high)), ((right + foot[0]) / 2 + rng.normal(0, 0.03), 0.5), foot]
    return [joined(loop, smooth(rng, [(float(loop[-1, 0]), float(loop[-1, 1])), *stem], 0.015))]


FORMS: tuple[Form, ...] = (
    _zero, _one, _two, _three, _four, _five, _six, _seven, _eight, _nine,
)  # fmt: skip
