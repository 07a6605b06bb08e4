"""What a training minimises: cross-entropy with the labels, softened or with a teacher where asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from pendigit.classifier import DIGITS, NO_DIGIT
from pendigit.learning.export import ends_in_softmax, knows_digitness
from pendigit.recipes import TrainingOptions

TEACHER_SHARE = 0.9  # of the loss that is the teacher's; the labels have the rest (Hinton, Vinyals and Dean 2015)
TEACHER_TEMPERATURE = 3.0  # softens both sides, so that what the teacher thinks of the other nine digits counts

Loss = Callable[[Any, Any, Any], Any]  # (labels (n,), outputs (n, 10), teacher's logits (n, 10) or None) -> (n,)


def make_loss(options: TrainingOptions, model: keras.Model) -> Loss:
    """The loss of each frame, in nats, for a network that ends in logits or in probabilities.

    An eleventh output is the logit of there being one digit at all: frames without one teach it alone.
    """
    logits = not ends_in_softmax(model)
    plain = keras.losses.SparseCategoricalCrossentropy(from_logits=logits, reduction=None)
    smooth = keras.losses.CategoricalCrossentropy(
        from_logits=logits, label_smoothing=options.label_smoothing, reduction=None
    )

    def of_digits(labels: Any, outputs: Any, taught: Any) -> Any:
        own = smooth(ops.one_hot(labels, DIGITS), outputs) if options.label_smoothing else plain(labels, outputs)
        if taught is None:
            return own
        taught = taught[:, :DIGITS]
        scores = outputs if logits else ops.log(outputs + keras.config.epsilon())
        soft = ops.softmax(taught / TEACHER_TEMPERATURE)
        distance = -ops.sum(soft * ops.log_softmax(scores / TEACHER_TEMPERATURE), axis=-1)
        # The squared temperature keeps the gradient's size, which softening divides by it.
        return (1 - TEACHER_SHARE) * own + TEACHER_SHARE * TEACHER_TEMPERATURE**2 * distance

    def of_signs(labels: Any, outputs: Any, taught: Any) -> Any:
        shown = ops.cast(labels != NO_DIGIT, "float32")
        which = of_digits(ops.minimum(labels, DIGITS - 1), outputs[:, :DIGITS], taught)
        whether = keras.losses.BinaryCrossentropy(
            from_logits=True, label_smoothing=options.label_smoothing, reduction=None
        )
        return shown * which + whether(shown[:, None], outputs[:, DIGITS:])

    return of_signs if knows_digitness(model) else of_digits


def is_right(labels: Any, outputs: Any) -> Any:
    """Whether each decision is right (n,): the digit, or that there is none where the network says so (11 outputs)."""
    decided = ops.argmax(outputs[:, :DIGITS], axis=1)
    if outputs.shape[1] > DIGITS:
        decided = ops.where(outputs[:, DIGITS] > 0, decided, NO_DIGIT)
    return decided == labels
