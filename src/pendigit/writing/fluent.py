"""Further forms of digits, as hands write them that write many numbers a day: cheques, lists, ledgers.

Loops where the taught form has none, feet and roofs left away, strokes that run on into the next digit. Rows of numbers
hold them (datasets/strings.py); as single digits many would be riddles. A form is what it is in `forms.py`: strokes in
about the unit square, x to the right and y down, with free measures drawn anew each time.
"""

from __future__ import annotations

from pendigit.writing.curves import Curve, Point, Rng, Strokes, arc, by_hand, chance, joined, smooth
from pendigit.writing.forms import FORMS, Form

FLUENT_SHARE = 0.4  # of the digits that have such a form


def write_fluently(rng: Rng, digit: int) -> Strokes:
    """The strokes of one digit as a practised hand writes it once: in a form from here or a taught one."""
    forms = FLUENT[digit]
    form = forms[int(rng.integers(len(forms)))] if forms and chance(rng, FLUENT_SHARE) else FORMS[digit]
    return by_hand(rng, form(rng))


def _flat_zero(rng: Rng) -> Strokes:
    """Wide and low, or leaning, its ends open, crossed or running on."""
    start, turn = rng.uniform(-170, -10), -1 if chance(rng, 0.85) else 1
    tall = rng.uniform(0.2, 0.5)
    loop = arc(rng, (0.5, 0.5), (rng.uniform(0.35, 0.55), tall), start, turn * rng.uniform(310, 420))
    if chance(rng, 0.4):
        run = smooth(rng, [(0, 0), (rng.uniform(0.1, 0.5), rng.uniform(-0.2, 0.1) * tall)])
        return [joined(loop, run)]
    return [loop]


def _spiral_zero(rng: Rng) -> Strokes:
    """Begun inside, or closed with a small loop at the top, as in letters."""
    wide = rng.uniform(0.3, 0.45)
    start = rng.uniform(-100, -40)
    outside = arc(rng, (0.5, 0.5), (wide, 0.5), start, -rng.uniform(340, 370))
    size = rng.uniform(0.1, 0.25)
    small = arc(rng, (0.5, 0.5), (size, size), rng.uniform(-120, 0), -rng.uniform(180, 300))
    if chance(rng, 0.5):
        return [joined(outside, small, smooth(rng, [(0, 0), (rng.uniform(0.15, 0.4), rng.uniform(-0.1, 0.1))]))]
    inside = smooth(rng, [(rng.uniform(0.35, 0.6), rng.uniform(0.15, 0.45)), (0.5 + wide * 0.8, 0.1)])
    return [joined(inside, outside)]


def _high_one(rng: Rng) -> Strokes:
    """A flag from the foot's height, and a stem of the same length: like a roof."""
    apart = rng.uniform(0.2, 0.75)
    low = rng.uniform(0.55, 1.1)
    curl = [(0.5 - apart + rng.uniform(0.02, 0.15), low - rng.uniform(0.05, 0.2))] if chance(rng, 0.2) else []
    flag = smooth(rng, [*curl, (0.5 - apart, low), (0.5 - apart * 0.35, low * 0.4), (0.5, 0)], 0.02)
    lean = rng.normal(0, 0.06)
    stem = smooth(rng, [(0.5, 0), (0.5 + lean / 2, 0.5), (0.5 + lean, 1)], 0.015)
    if chance(rng, 0.25):  # runs on
        stem = joined(stem, smooth(rng, [(0, 0), (rng.uniform(0.08, 0.25), -rng.uniform(0.0, 0.15))], 0.01))
    return [joined(flag, stem)]


def _bent_one(rng: Rng) -> Strokes:
    """A stem that swings like an s or an l, with a small hook."""
    swing = rng.uniform(0.05, 0.18) * rng.choice([-1, 1], p=[0.3, 0.7])
    stem = [(0.5 + swing, 0.0), (0.5 + swing * 0.6, 0.3), (0.5 - swing * 0.4, 0.75), (0.5 - swing * 0.2, 1.0)]
    hook = [(0.5 + swing - rng.uniform(0.05, 0.25), rng.uniform(0.08, 0.3))] if chance(rng, 0.6) else []
    return [smooth(rng, [*hook, *stem], 0.02)]


def _looped_two(rng: Rng) -> Strokes:
    """A large loop at the top left, a long slope, and a foot that waves or loops: like a Q."""
    high, size = rng.uniform(0.02, 0.12), rng.uniform(0.1, 0.25)
    start = (rng.uniform(0.2, 0.5), rng.uniform(0.25, 0.5))
    left = (rng.uniform(0.0, 0.15), high + size)
    top = (rng.uniform(0.4, 0.6), 0.0)
    belly = (rng.uniform(0.75, 0.95), rng.uniform(0.18, 0.32))
    foot = (rng.uniform(0.0, 0.2), rng.uniform(0.88, 1.0))
    head = smooth(rng, [start, (start[0] - 0.15, start[1]), left, top, belly, (0.55, 0.62), foot], 0.02)
    return [joined(head, _foot(rng, foot))]


def _foot(rng: Rng, at: Point) -> Curve:
    """What ends a 2: a loop that lies flat, a wave that runs on, or hardly anything."""
    x, y = at
    kind = rng.random()
    if kind < 0.5:
        high, long = rng.uniform(0.04, 0.14), rng.uniform(0.15, 0.4)
        back = [(x - rng.uniform(0.02, 0.15), y - high / 2), (x + long * 0.4, y - high)]
        return smooth(rng, [at, *back, (x + long, y + rng.normal(0, 0.03)), _run(rng, x + long + 0.3, y)], 0.015)
    if kind < 0.85:
        return smooth(
            rng, [at, (x + 0.25, y - rng.uniform(0.0, 0.1)), (x + 0.55, y + 0.05), _run(rng, x + 0.9, y)], 0.02
        )
    return smooth(rng, [at, (x + rng.uniform(0.1, 0.4), y + rng.normal(0, 0.03))], 0.02)


def _run(rng: Rng, x: float, y: float) -> Point:
    return x + rng.uniform(-0.1, 0.2), y - rng.uniform(-0.05, 0.2)


def _swung_two(rng: Rng) -> Strokes:
    """A round top without a hook, a foot from the loop of `_looped_two`."""
    foot = (rng.uniform(0.0, 0.2), rng.uniform(0.86, 1.0))
    head = smooth(
        rng,
        [(rng.uniform(0.0, 0.25), rng.uniform(0.1, 0.35)), (0.5, 0), (rng.uniform(0.7, 0.95), 0.25), (0.5, 0.65), foot],
        0.025,
    )
    return [joined(head, _foot(rng, foot))]


def _long_three(rng: Rng) -> Strokes:
    """A small upper bow and a deep lower one, its end far to the left; or like a z with a tail."""
    waist = (rng.uniform(0.35, 0.6), rng.uniform(0.3, 0.45))
    start = (rng.uniform(0.05, 0.3), rng.uniform(0.02, 0.2))
    top = [start, (0.55, 0), (rng.uniform(0.7, 0.9), waist[1] * 0.45), waist]
    low = [
        waist,
        (rng.uniform(0.7, 1.0), rng.uniform(0.55, 0.7)),
        (0.45, 1),
        (rng.uniform(-0.3, 0.05), rng.uniform(0.8, 1.05)),
    ]
    return [joined(smooth(rng, top, 0.025), smooth(rng, low, 0.025))]


def _cup_four(rng: Rng) -> Strokes:
    """A u and a stem as high, or longer below, like a y or an h upside down."""
    deep = rng.uniform(0.35, 0.7)
    stem_x, top = rng.uniform(0.55, 0.9), rng.uniform(-0.1, 0.2)
    end = (stem_x + rng.uniform(-0.3, 0.1), 1.0)
    left = (rng.uniform(0.0, 0.2), rng.uniform(-0.05, 0.15))
    low = [
        (left[0] + rng.normal(0, 0.04), deep * 0.65),
        (left[0] + 0.15, deep),
        (stem_x - 0.12, deep * rng.uniform(0.8, 1.0)),
    ]
    curl = [(end[0] - rng.uniform(0.05, 0.3), end[1] - rng.uniform(-0.03, 0.12))] if chance(rng, 0.3) else []
    stem = [(stem_x, top), (stem_x + rng.normal(-0.02, 0.03), 0.5), end, *curl]
    if chance(rng, 0.6):
        return [joined(smooth(rng, [left, *low, (stem_x, top)], 0.025), smooth(rng, stem, 0.02))]
    reach = (stem_x + rng.uniform(-0.05, 0.3), deep * rng.uniform(0.7, 0.95))
    return [smooth(rng, [left, *low, reach], 0.025), smooth(rng, stem, 0.02)]


def _sharp_four(rng: Rng) -> Strokes:
    """In one stroke with sharp turns: down, up or across, and down again, like an N or a lightning."""
    bar = rng.uniform(0.45, 0.75)
    left, corner = (rng.uniform(0.05, 0.4), 0.0), (rng.uniform(-0.05, 0.1), bar)
    over = (rng.uniform(0.65, 1.0), bar - rng.uniform(0.0, 0.5))
    parts = [smooth(rng, [left, corner], 0.02), smooth(rng, [corner, over], 0.02)]
    stem = smooth(rng, [over, (over[0] - rng.uniform(0.0, 0.25), 1)], 0.02)
    return [joined(*parts, stem)]


def _loop_four(rng: Rng) -> Strokes:
    """Closed at the top in one stroke, narrow, its stem far below the loop: a 9 but for the corner at its left."""
    top, corner = (rng.uniform(0.35, 0.6), 0.0), (rng.uniform(0.0, 0.15), rng.uniform(0.4, 0.6))
    right = rng.uniform(0.55, 0.85)
    over = (right, corner[1] - rng.uniform(-0.03, 0.12))
    back = (right + rng.uniform(-0.1, 0.12), rng.uniform(0.0, 0.2))
    foot = (right - rng.uniform(0.0, 0.3), 1.0)
    cup = joined(smooth(rng, [top, corner], 0.02), smooth(rng, [corner, over], 0.02))
    return [joined(cup, smooth(rng, [over, back], 0.02), smooth(rng, [back, (right, 0.5), foot], 0.02))]


def _tick_five(rng: Rng) -> Strokes:
    """A hook at the foot under a long roof, in one stroke: like a tick, a root sign or a long s."""
    corner = (rng.uniform(0.2, 0.45), rng.uniform(0.0, 0.12))
    roof = smooth(
        rng, [(rng.uniform(0.8, 1.5), rng.uniform(-0.2, 0.08)), ((corner[0] + 1) / 2, corner[1] - 0.03), corner], 0.02
    )
    wide = rng.uniform(0.05, 0.35)
    low = [corner, (corner[0] + rng.normal(-0.05, 0.04), 0.45), (corner[0] + wide, rng.uniform(0.6, 0.75))]
    end = (corner[0] - rng.uniform(0.1, 0.5), rng.uniform(0.75, 1.02))
    body = smooth(rng, [*low, (corner[0] + wide * 0.3, 0.98), end], 0.025)
    return [joined(roof, body)]


def _snake_five(rng: Rng) -> Strokes:
    """An s whose head is a flat or long stroke."""
    begin = (rng.uniform(0.8, 1.4), rng.uniform(-0.1, 0.15))
    points = [begin, (0.5, 0.02), (0.18, 0.15), (0.3, 0.4), (rng.uniform(0.6, 0.9), 0.65), (0.45, 0.98)]
    return [smooth(rng, [*points, (rng.uniform(-0.2, 0.2), rng.uniform(0.82, 1.0))], 0.03)]


def _wide_six(rng: Rng) -> Strokes:
    """A long back and a low loop that runs on."""
    top = (rng.uniform(0.3, 0.9), 0.0)
    high = rng.uniform(0.5, 0.75)
    right = rng.uniform(0.65, 1.05)
    close = (rng.uniform(0.0, 0.35), rng.uniform(0.7, 0.95))
    points = [top, (rng.uniform(0.05, 0.25), 0.4), (0.0, 0.75), (0.4, 1), (right, (1 + high) / 2), (0.5, high), close]
    if chance(rng, 0.3):
        points.append((rng.uniform(0.6, 1.2), rng.uniform(0.75, 1.0)))
    return [smooth(rng, points, 0.025)]


def _hooked_seven(rng: Rng) -> Strokes:
    """A tick, a short or waved roof, a stem that is nearly upright or bent back, mostly a bar as wide as the roof."""
    start = (rng.uniform(0.0, 0.25), rng.uniform(0.02, 0.2))
    tick = [(start[0] - rng.uniform(-0.03, 0.1), start[1] + rng.uniform(0.05, 0.3))] if chance(rng, 0.5) else []
    corner, foot = (rng.uniform(0.6, 1.0), rng.uniform(-0.05, 0.08)), (rng.uniform(0.1, 0.6), 1.0)
    wave = [((start[0] + corner[0]) / 2, rng.uniform(0.02, 0.14))]
    bent = (foot[0] + (corner[0] - foot[0]) * rng.uniform(0.2, 0.7), rng.uniform(0.4, 0.6))
    strokes = [joined(smooth(rng, [*tick, start, *wave, corner], 0.02), smooth(rng, [corner, bent, foot], 0.02))]
    if chance(rng, 0.75):
        y, left, right = rng.uniform(0.35, 0.65), rng.uniform(0.15, 0.45), rng.uniform(0.15, 0.5)
        x, tilt = bent[0], rng.normal(-0.03, 0.08)
        strokes.append(smooth(rng, [(x - left, y + tilt), (x + right, y - tilt)], 0.02))
    return strokes


def _bracket_seven(rng: Rng) -> Strokes:
    """Next to no roof over a stem that swings out like a bracket and turns in at its foot, and a bar: like a plus."""
    corner = (rng.uniform(0.3, 0.5), rng.uniform(-0.05, 0.1))
    start = (corner[0] - rng.uniform(0.08, 0.4), rng.uniform(0.0, 0.28))
    tick = [(start[0] + rng.normal(0, 0.03), start[1] + rng.uniform(0.03, 0.15))] if chance(rng, 0.3) else []
    out = rng.uniform(-0.05, 0.18)
    foot = (corner[0] - rng.uniform(-0.05, 0.3), 1.0)
    curl = [(foot[0] - rng.uniform(0.05, 0.25), rng.uniform(0.85, 1.0))] if chance(rng, 0.4) else []
    stem = [corner, (corner[0] + out, 0.35), ((corner[0] + foot[0]) / 2 + out, 0.7), foot, *curl]
    y, left, right = rng.uniform(0.4, 0.7), rng.uniform(0.1, 0.5), rng.uniform(0.15, 0.6)
    x, rise = corner[0] + out, rng.normal(0.03, 0.06)
    bar = smooth(rng, [(x - left, y + rise), (x + right, y - rise)], 0.02)  # without it, it would be a 1
    return [joined(smooth(rng, [*tick, start, corner], 0.02), smooth(rng, stem, 0.02)), bar]


def _open_eight(rng: Rng) -> Strokes:
    """Begun and ended at the top right, without meeting; or its lower loop far larger."""
    waist = rng.uniform(0.3, 0.5)
    upper, lower = rng.uniform(0.18, 0.38), rng.uniform(0.28, 0.5)
    begin, end = (0.5 + upper, rng.uniform(0.0, 0.15)), (0.5 + rng.uniform(0.0, 0.5), rng.uniform(-0.1, 0.2))
    points = [begin, (0.5, 0), (0.5 - upper, waist * 0.5), (0.5, waist), (0.5 + lower, 0.72), (0.5, 1)]
    return [smooth(rng, [*points, (0.5 - lower, 0.75), (0.45, waist + 0.05), end], 0.03)]


def _barred_eight(rng: Rng) -> Strokes:
    """A straight back with two bows, like a B."""
    waist, lean = rng.uniform(0.38, 0.52), rng.normal(0, 0.06)
    back = smooth(rng, [(0.2 + lean, 0.03), (0.2, 0.5), (0.15 - lean, 0.95)], 0.025)
    first = [(0.15 + lean, 0.05), (0.6, 0), (rng.uniform(0.7, 0.9), waist / 2), (0.3, waist)]
    second = [(0.3, waist), (rng.uniform(0.8, 1.0), (1 + waist) / 2), (0.5, 1), (0.1, 0.95)]
    bows = joined(smooth(rng, first, 0.025), smooth(rng, second, 0.025))
    return [joined(back[::-1], bows)] if chance(rng, 0.5) else [back, bows]


def _rho_nine(rng: Rng) -> Strokes:
    """A loop to the right of its stem, like a P: written from the foot up, or loop first."""
    high, right = rng.uniform(0.35, 0.6), rng.uniform(0.75, 1.0)
    stem_x, foot = rng.uniform(0.1, 0.4), (rng.uniform(0.1, 0.6), 1.0)
    stem = [foot, (stem_x + rng.normal(0, 0.05), 0.6), (stem_x, 0.2)]
    loop = [
        (0.55, 0),
        (right, high * 0.45),
        (0.6, high),
        (stem_x + rng.uniform(-0.05, 0.15), high * rng.uniform(0.7, 1)),
    ]
    return [smooth(rng, [*stem, *loop], 0.025)]


def _eight_nine(rng: Rng) -> Strokes:
    """An 8 without its lower loop: round to the left, across, and down from the loop's other side."""
    high, right = rng.uniform(0.35, 0.5), rng.uniform(0.65, 0.95)
    begin = (right, rng.uniform(0.0, 0.2))
    loop = [begin, (0.5, 0), (rng.uniform(0.05, 0.2), high * 0.5), (0.45, high * rng.uniform(0.9, 1.1))]
    tail = [(rng.uniform(0.6, 0.85), rng.uniform(0.55, 0.7)), (rng.uniform(0.3, 0.7), rng.uniform(0.9, 1.0))]
    if chance(rng, 0.5):  # the tail comes back up and closes the loop
        end = (rng.uniform(0.1, 0.4), rng.uniform(0.75, 0.95))
        tail = [(right + rng.uniform(-0.1, 0.1), high * rng.uniform(0.2, 0.7)), begin, (right, 0.5), (0.55, 1.0), end]
    return [smooth(rng, [*loop, *tail], 0.025)]


def _turned_nine(rng: Rng) -> Strokes:
    """A loop written with the clock from its left, and a tail from where it closes."""
    high, right = rng.uniform(0.35, 0.55), rng.uniform(0.7, 0.95)
    left = (rng.uniform(0.05, 0.25), high * rng.uniform(0.5, 0.9))
    loop = [left, (0.45, 0), (right, high * 0.5), (0.5, high), left]
    tail = [(left[0] + rng.uniform(0.0, 0.2), 0.65), (rng.uniform(0.3, 0.7), 0.85), (rng.uniform(0.1, 0.6), 1.0)]
    return [smooth(rng, [*loop, *tail], 0.025)]


FLUENT: tuple[tuple[Form, ...], ...] = (
    (_flat_zero, _flat_zero, _spiral_zero),
    (_high_one, _high_one, _bent_one),
    (_looped_two, _looped_two, _swung_two),
    (_long_three,),
    (_cup_four, _cup_four, _sharp_four, _loop_four),
    (_tick_five, _tick_five, _snake_five),
    (_wide_six,),
    (_hooked_seven, _bracket_seven),
    (_open_eight, _open_eight, _barred_eight),
    (_rho_nine, _rho_nine, _eight_nine, _turned_nine),
)
