"""Further forms of noughts, ones and sevens, as they stand in long columns of amounts: written without lifting the pen.

Only rows of numbers hold them (datasets/strings.py): alone, many would be letters or signs. A form is what it is in
`forms.py`.
"""

from __future__ import annotations

from pendigit.writing.curves import Point, Rng, Strokes, arc, by_hand, chance, joined, smooth
from pendigit.writing.fluent import write_fluently
from pendigit.writing.forms import Form

LEDGER_SHARE = 0.3  # of the digits that have such a form


def write_in_ledger(rng: Rng, digit: int) -> Strokes:
    """The strokes of one digit as a hand writes it once in a column of amounts."""
    forms = LEDGER.get(digit, ())
    if forms and chance(rng, LEDGER_SHARE):
        return by_hand(rng, forms[int(rng.integers(len(forms)))](rng))
    return write_fluently(rng, digit)


def _curled_zero(rng: Rng) -> Strokes:
    """Closed by a curl that lies inside its top, and runs on: an 8 but for how small the curl is."""
    wide, tall = rng.uniform(0.35, 0.55), rng.uniform(0.3, 0.5)
    outside = arc(rng, (0.5, 0.5), (wide, tall), rng.uniform(-110, -50), -rng.uniform(330, 400))
    across, high = wide * rng.uniform(0.25, 0.6), tall * rng.uniform(0.15, 0.45)
    curl = arc(rng, (0.5, 0.5), (across, high), rng.uniform(-120, -40), -rng.uniform(150, 330))
    run = smooth(rng, [(0, 0), (rng.uniform(0.1, 0.3), rng.normal(0, 0.04)), (rng.uniform(0.4, 0.8), 0.0)], 0.02)
    return [joined(outside, curl, run)] if chance(rng, 0.6) else [joined(outside, curl)]


def _twice_round_zero(rng: Rng) -> Strokes:
    """The pen goes round once and a part of a second time, beside its first trace."""
    wide, tall, turn = rng.uniform(0.3, 0.55), rng.uniform(0.3, 0.5), -1 if chance(rng, 0.85) else 1
    start = rng.uniform(-180, 0)
    once = arc(rng, (0.5, 0.5), (wide, tall), start, turn * 360)
    again = arc(rng, (0.5, 0.5), (wide * rng.uniform(0.7, 1.1), tall * rng.uniform(0.75, 1.1)), start, turn * 200)
    return [joined(once, again[: int(len(again) * rng.uniform(0.4, 1.0))])]


def _looped_one(rng: Rng) -> Strokes:
    """Up from the line and down again with a narrow loop at the top: like an l."""
    apart, low, wide = rng.uniform(0.1, 0.5), rng.uniform(0.6, 1.15), rng.uniform(0.02, 0.14)
    up = [(0.5 - apart, low), (0.5 + wide * 0.3, 0.35), (0.5 + wide, 0.08), (0.5 + wide * 0.3, 0.0)]
    down = [(0.5 - wide * 0.5, 0.22), (0.5 + rng.normal(0, 0.04), 0.6), _foot(rng)]
    return [smooth(rng, up + down, 0.012)]


def _forked_one(rng: Rng) -> Strokes:
    """A long upstroke, and a stem that leaves it below its top: like a lambda, or a narrow roof."""
    apart, low, fork = rng.uniform(0.1, 0.5), rng.uniform(0.75, 1.2), rng.uniform(0.0, 0.35)
    bent = (0.5 - apart * rng.uniform(0.3, 0.6), low * 0.5)
    up = smooth(rng, [(0.5 - apart, low), bent, (0.5, 0.0)], 0.012)
    foot = _foot(rng)
    begin = (0.5 - apart * fork, low * fork)
    run = [(foot[0] + rng.uniform(0.05, 0.25), foot[1] - rng.uniform(0.0, 0.15))] if chance(rng, 0.3) else []
    return [up, smooth(rng, [begin, ((begin[0] + foot[0]) / 2, (begin[1] + foot[1]) / 2), foot, *run], 0.012)]


def _foot(rng: Rng) -> Point:
    return 0.5 + rng.normal(0.05, 0.1), rng.uniform(0.75, 1.05)


def _running_seven(rng: Rng) -> Strokes:
    """A round shoulder, and from the foot back up to the left and across: roof, stem and bar in one stroke."""
    start, shoulder = (rng.uniform(0.0, 0.35), rng.uniform(0.0, 0.2)), (rng.uniform(0.6, 0.95), rng.uniform(0.08, 0.3))
    foot = (rng.uniform(0.15, 0.6), 1.0)
    middle = ((shoulder[0] + foot[0]) / 2 + rng.uniform(0.0, 0.15), rng.uniform(0.5, 0.65))
    tick = [(start[0] + rng.normal(0, 0.05), start[1] + rng.uniform(0.05, 0.2))] if chance(rng, 0.3) else []
    roof = [*tick, start, ((start[0] + shoulder[0]) / 2 + 0.08, rng.uniform(-0.05, 0.06)), shoulder]
    high = rng.uniform(0.25, 0.45)  # lower, it would be the loop of a 2
    back = (foot[0] - rng.uniform(0.05, 0.35), 1 - high * rng.uniform(0.7, 1.1))
    end = (foot[0] + rng.uniform(0.25, 0.8), 1 - high + rng.normal(0, 0.06))
    return [smooth(rng, [*roof, middle, foot, back, ((back[0] + end[0]) / 2, 1 - high), end], 0.02)]


def _crossed_seven(rng: Rng) -> Strokes:
    """Hardly a roof, a stem that is nearly straight, and a bar: like a plus or a t."""
    top, foot = (rng.uniform(0.4, 0.6), 0.0), (rng.uniform(0.25, 0.6), 1.0)
    tick = [(top[0] - rng.uniform(0.03, 0.2), rng.uniform(0.0, 0.18))]
    out = rng.normal(0.02, 0.04)
    stem = [*tick, top, ((top[0] + foot[0]) / 2 + out, 0.5), foot]
    y, left, right, rise = rng.uniform(0.35, 0.7), rng.uniform(0.15, 0.5), rng.uniform(0.2, 0.6), rng.normal(0.03, 0.05)
    x = top[0] + (foot[0] - top[0]) * y
    return [smooth(rng, stem, 0.012), smooth(rng, [(x - left, y + rise), (x + right, y - rise)], 0.02)]


def _script_seven(rng: Rng) -> Strokes:
    """A roof that rises to a narrow loop, from which the stem comes back under it, and a bar: like an f."""
    start, tip = (rng.uniform(0.0, 0.25), rng.uniform(0.05, 0.25)), (rng.uniform(0.8, 1.2), rng.uniform(-0.2, -0.02))
    dip = ((start[0] + tip[0]) / 2, start[1] + rng.uniform(0.0, 0.12))
    back = (tip[0] - rng.uniform(0.1, 0.25), tip[1] - rng.uniform(-0.02, 0.06))
    foot = (rng.uniform(0.0, 0.4), 1.0)
    middle = ((tip[0] + foot[0]) / 2 - rng.uniform(0.05, 0.15), rng.uniform(0.4, 0.5))
    tick = [(start[0] + rng.uniform(-0.05, 0.1), start[1] - rng.uniform(0.05, 0.2))] if chance(rng, 0.5) else []
    body = smooth(rng, [*tick, start, dip, tip, back, middle, foot], 0.015)
    y, left, right, rise = (
        rng.uniform(0.5, 0.75),
        rng.uniform(0.1, 0.35),
        rng.uniform(0.15, 0.45),
        rng.normal(0.03, 0.05),
    )
    x = middle[0] + (foot[0] - middle[0]) * (y - middle[1]) / (1 - middle[1])
    return [body, smooth(rng, [(x - left, y + rise), (x + right, y - rise)], 0.02)]


LEDGER: dict[int, tuple[Form, ...]] = {
    0: (_curled_zero, _curled_zero, _twice_round_zero),
    1: (_looped_one, _forked_one, _forked_one),
    7: (_running_seven, _crossed_seven, _crossed_seven, _script_seven),
}
