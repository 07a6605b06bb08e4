"""What a limit on the error does: the share accepted and the error among the accepted, and what else is accepted.

    python benchmarks/rejection.py [--max-error 1%] [--data DIR] [--model NAME|PATH] [--json]

DIR holds sets as benchmarks/sets.py reads them. The threshold is the model's own. The error comes with the bound that
it exceeds with a probability of at most 5 %, for MNIST also among its 99.3 % most confident and without its disputed
labels, and for each writer where they are known. Of what is no digit - letters of a set, and letters printed in fonts
that no training has seen - the share is printed that is accepted at this threshold, and at the one that keeps 97 % of
the Swiss digits; so it is for other scores than the confidence, which is digitness times probability.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import pendigit
from accuracy import DISPUTED, rejected
from pendigit.datasets.fonts import fetch_fonts, listed
from pendigit.doubt import confidence, parse_limit
from pendigit.frame import to_frames
from pendigit.judging.calibration import confidences
from pendigit.judging.rejection import upper_bound
from pendigit.writing import signs
from pendigit.writing.crops import on_paper
from pendigit.writing.fonts import draw_character
from pendigit.writing.pens import bend
from sets import DATA, load_sets

RISK = 0.05  # that a bound is exceeded
KEPT = 0.97  # of the Swiss digits
PRINTED = 1_000  # letters of unseen fonts
ALIKE = "IJ"  # letters that are written like a digit, reported apart
COVERAGE = 0.993  # of MNIST's test digits, of which at most 0.15 % are to be wrong
SCORES: dict[str, Callable[[Any, Any], Any]] = {
    "confidence": confidence,
    "probability": lambda probability, digitness: probability,
    "digitness": lambda probability, digitness: digitness,
    "sum of log-odds": lambda probability, digitness: log_odds(probability) + log_odds(digitness),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--max-error", default="1%", help="the limit on the error")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--disputed", type=Path, default=DISPUTED, help="JSON list of disputed test labels")
    parser.add_argument("--model", default=None)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    reader = pendigit.load_reader(options.model, threads=0)
    limit = reader.limit(parse_limit(options.max_error))
    answers = {name: Answers(reader.classifier, *found) for name, found in pictures(options.data).items()}
    digits = list(judge_digits(answers, limit.threshold, options.disputed))
    others = list(judge_others(answers, limit.threshold))
    if options.json:
        print(json.dumps({"model": reader.classifier.name, "limit": limit.to_dict(), "sets": digits, "others": others}))
        return
    print(f"model {options.model or reader.classifier.name}, error of at most {limit.max_error:.2%}: "
          f"confidence of {limit.threshold:.4f} or more")  # fmt: skip
    for result in digits:
        show(result)
    for result in others:
        print(f"{result['name']:20} {result['count']:6,}  {result['score']:16} {result['place']:24} "
              f"{result['accepted']:6.1%} accepted{result['apart']}")  # fmt: skip


class Answers:
    """What the model says of a set: probability, digitness and whether it is right, each (n,); labels, writers."""

    def __init__(self, classifier: Any, frames: NDArray[np.uint8], labels: Any, writers: Any) -> None:
        probabilities, digitness = classifier.judge(frames)
        self.probability, self.correct = confidences(labels, probabilities)
        ink = frames.any(axis=(1, 2))  # what is blank is no digit, whatever a network says of it
        self.digitness = np.where(ink, 1.0 if digitness is None else digitness.astype(np.float64), 0.0)
        self.labels, self.writers = labels, writers


def pictures(folder: Path) -> dict[str, tuple[NDArray[np.uint8], Any, Any]]:
    """Frames, labels and writers of MNIST's test part, each set, and letters of unseen fonts."""
    _, (frames, labels) = pendigit.load_data("mnist")
    found: dict[str, tuple[NDArray[np.uint8], Any, Any]] = {"mnist:test": (frames, labels, None)}
    for name, each in load_sets(folder).items():
        found[name] = (to_frames(each.images)[0], each.labels, each.writers)
    return found | {"unseen fonts": (*unseen_letters(), None)}


def unseen_letters() -> tuple[NDArray[np.uint8], NDArray[Any]]:
    """Frames and letters of fonts that are kept out of every training, printed and photographed."""
    paths = fetch_fonts(listed("unseen"))
    rng = np.random.default_rng(0)
    images, letters = [], []
    while len(images) < PRINTED:
        letter = signs.PRINTED[rng.integers(len(signs.PRINTED))]
        ink = draw_character(paths[rng.integers(len(paths))], letter)
        if ink is not None:
            images.append(on_paper(rng, bend(rng, ink)))
            letters.append(letter)
    frames, ink_found = to_frames(images)
    return frames[ink_found], np.array(letters)[ink_found]


def judge_digits(answers: dict[str, Answers], threshold: float, disputed: Path) -> Iterator[dict[str, Any]]:
    """The result of each set of digits, of MNIST without disputed labels, and of each writer."""
    for name, each in answers.items():
        if each.labels.dtype.kind not in "iu":
            continue
        sure = confidence(each.probability, each.digitness)
        accepted = sure >= threshold
        yield judge(name, accepted, each.correct)
        if name == "mnist:test":
            yield judge("  most confident", most(sure), each.correct)
            if disputed.exists():
                kept = np.delete(np.arange(len(sure)), rejected(disputed))
                yield judge("  without disputed", accepted[kept], each.correct[kept])
                yield judge("  and most confident", most(sure[kept]), each.correct[kept])
        for writer in [] if each.writers is None else np.unique(each.writers):
            own = each.writers == writer
            yield judge(f"  {writer}", accepted[own], each.correct[own])


def most(sure: NDArray[Any]) -> NDArray[np.bool_]:
    """Which digits are the most confident, as many as the target speaks of."""
    ranks = np.argsort(np.argsort(-sure, kind="stable"), kind="stable")
    return ranks < round(COVERAGE * len(sure))


def judge(name: str, accepted: NDArray[np.bool_], correct: NDArray[np.bool_]) -> dict[str, Any]:
    """How many are accepted, and how many of these are wrong."""
    count, wrong = int(accepted.sum()), int((accepted & ~correct).sum())
    bound = upper_bound(wrong, count, RISK)
    return {"name": name, "count": len(accepted), "accepted": count, "wrong": wrong, "bound": bound}


def judge_others(answers: dict[str, Answers], threshold: float) -> Iterator[dict[str, Any]]:
    """The shares of what is no digit that are accepted: at the threshold, and by each score where 97 % are kept."""
    swiss = answers.get("swiss_dev")
    for name, each in answers.items():
        if each.labels.dtype.kind in "iu":
            continue
        yield accepted_letters(name, each, "confidence", threshold, "at this limit")
        for score in SCORES if swiss is not None else []:
            least = float(np.quantile(SCORES[score](swiss.probability, swiss.digitness), 1 - KEPT))
            yield accepted_letters(name, each, score, least, "where 97 % are kept")


def accepted_letters(name: str, each: Answers, score: str, least: float, place: str) -> dict[str, Any]:
    """How many letters have at least a score."""
    accepted = SCORES[score](each.probability, each.digitness) >= least
    shares = [f"{letter} {accepted[each.labels == letter].mean():.1%}" for letter in ALIKE if letter in each.labels]
    others = accepted[~np.isin(each.labels, list(ALIKE))].mean()
    apart = f" ({', '.join(shares)}, the others {others:.1%})" if shares else ""
    return {"name": name, "count": len(accepted), "score": score, "place": place, "accepted": float(accepted.mean()),
            "apart": apart}  # fmt: skip


def log_odds(share: NDArray[Any]) -> NDArray[Any]:
    """Shares (n,) in [0, 1] -> their log-odds, cut off where a float32 rounds to 0 or 1."""
    cut = np.clip(np.asarray(share, np.float64), 1e-7, 1 - 1e-7)
    return np.log(cut) - np.log1p(-cut)


def show(result: dict[str, Any]) -> None:
    """One line."""
    accepted = result["accepted"]
    share = result["wrong"] / max(1, accepted)
    print(f"{result['name']:20} {result['count']:6,}  {accepted:6,} accepted ({accepted / result['count']:6.1%}), "
          f"{result['wrong']:3} of them wrong ({share:.2%}, at most {result['bound']:.2%})")  # fmt: skip


if __name__ == "__main__":
    main()
