"""Training the row network: batches know their places, the loss falls, and the export answers as Keras does."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from pendigit.datasets.bank import KINDS, PENS, Bank
from pendigit.datasets.dataset import Dataset
from pendigit.datasets.strings import CROWD, CROWDED, Rows, crowds
from pendigit.learning.row_export import export_rows, keras_log_probabilities
from pendigit.learning.row_training import RowTraining, compute_dtype, ctc
from pendigit.learning.rows import BUCKETS, Batch, batches, grown, row_network
from pendigit.rowframe import BLANK, COLUMN, ROW_HEIGHT, to_row
from pendigit.rownet import RowNetwork
from pendigit.writing.glyphs import glyphs_of
from pendigit.writing.slips import on_slip
from pendigit.writing.strings import is_one_piece, random_hand, write_line

NARROWEST = min(BUCKETS)  # pixels: short rows only, so that one program is compiled
STEPS, FEW = 8, 8  # of a training, and rows in its batches: enough to learn from


@pytest.fixture(autouse=True)
def _seeded() -> None:
    keras.utils.set_random_seed(0)


@pytest.fixture(scope="module")
def rows(mini: Dataset) -> Rows:
    """A batch of rows of one to three of MNIST's digits."""
    glyph, rng = glyphs_of(mini.x_train, mini.y_train), np.random.default_rng(0)
    found = Rows([], [], [])
    while len(found.frames) < BUCKETS[NARROWEST]:
        text = "".join(map(str, rng.integers(0, 10, rng.integers(1, 4))))
        slip = on_slip(rng, write_line(rng, text, lambda rng, c: glyph(rng, int(c)), random_hand(rng), 6), hard=0)
        frame = to_row(slip.grey)
        if frame.shape[1] > NARROWEST:
            continue
        found.frames.append(frame)
        found.signs.append(np.array(slip.signs, np.uint8))
        found.centres.append(np.array(slip.centres, np.float32) * np.float32(frame.shape[1]))
    return found


def few(batch: Batch) -> Batch:
    """A smaller batch: enough to learn from."""
    return Batch(*(part[:FEW] for part in batch))


def test_crowds_are_mostly_one_piece(mini: Dataset) -> None:
    glyph, rng = glyphs_of(mini.x_train, mini.y_train), np.random.default_rng(3)
    bank: Bank = {(kind, d, pen): [glyph(rng, d)] for kind in KINDS for d in range(10) for pen in range(len(PENS))}
    found = [crowds(np.random.default_rng(seed), bank, CROWDED.shares, None) for seed in range(60)]
    assert {len(line.signs) for _, line in found} == set(range(1, len(CROWD) + 1))
    assert all(slip.signs == line.signs and len(slip.centres) == len(slip.signs) for slip, line in found)
    assert sum(is_one_piece(line) for _, line in found) > 0.6 * len(found)
    slip, _ = crowds(np.random.default_rng(7), bank, CROWDED.shares, None)
    np.testing.assert_array_equal(slip.grey, found[7][0].grey)


def test_a_batch_knows_what_stands_where(rows: Rows) -> None:
    (batch,) = batches(rows, np.random.default_rng(1))
    assert batch.frames.shape == (BUCKETS[NARROWEST], ROW_HEIGHT, NARROWEST)
    written = sorted(tuple(signs) for signs in rows.signs)
    assert sorted(tuple(signs[:count]) for signs, count in zip(batch.signs, batch.counts, strict=True)) == written
    for frame, centres, count in zip(batch.frames, batch.centres, batch.counts, strict=True):
        assert (np.diff(centres[:count]) > 0).all()
        near = [frame[:, max(0, COLUMN * centre - 8) : COLUMN * centre + 8].max() for centre in centres[:count]]
        assert min(near) > 100  # there is ink
    (again,) = batches(rows, np.random.default_rng(1))
    assert (again.frames == batch.frames).all()
    (other,) = batches(rows, np.random.default_rng(2))
    assert (other.frames != batch.frames).any()  # never twice alike


def test_the_loss_is_that_of_kerass_ctc(rows: Rows) -> None:
    (batch,) = batches(rows, np.random.default_rng(1))
    logits = np.random.default_rng(0).normal(0, 3, (len(batch.frames), NARROWEST // COLUMN, BLANK + 1)).astype("f")
    length = np.full(len(logits), logits.shape[1])
    expected = keras.ops.ctc_loss(batch.signs, logits, batch.counts, length, mask_index=BLANK)
    np.testing.assert_allclose(ctc(logits, batch), expected, rtol=1e-4)
    impossible = batch._replace(signs=np.full_like(batch.signs, 7), counts=np.full_like(batch.counts, 20))
    assert np.isfinite(ctc(logits[:, :20], impossible)).all()  # twenty alike want nothing between them: 39 columns


def test_sixteen_bits_are_for_processors_that_have_them() -> None:
    """Others imitate them, in many times the time."""
    assert compute_dtype("flags : fma avx2 avx512f avx512_bf16 amx_tile") == "bfloat16"
    assert compute_dtype("flags : fma avx avx2\nbugs : none") == compute_dtype("") == "float32"


def test_a_training_without_a_rate_leaves_kerass_answers(rows: Rows) -> None:
    """But for the normalisations, which learn what Keras's own learn from these rows."""
    batch = few(batches(rows, np.random.default_rng(1))[0])
    frames = batch.frames[..., None].astype(np.float32) / 255
    model = row_network()
    before = np.asarray(model(frames, training=True))  # moves them once
    moved = {each.path: np.asarray(each.value) for each in model.non_trainable_variables}
    for variable in model.non_trainable_variables:
        variable.assign(np.full(variable.shape, variable.path.endswith("variance"), np.float32))
    (loss,) = RowTraining(model, rate=0.0, warm=0.1).run([batch], start=0.5, share=0.1)
    training = RowTraining(model, rate=0.0, warm=0.1)
    assert list(training.run([batch], start=0.5, share=0.1)) == [pytest.approx(loss, rel=1e-3)]
    after = {each.path: np.asarray(each.value) for each in training.settle().non_trainable_variables}
    for path, value in moved.items():
        np.testing.assert_allclose(after[path], value, rtol=0.05, atol=0.01, err_msg=path)
    np.testing.assert_allclose(np.asarray(model(frames, training=True)), before, atol=1e-3)


def test_training_lowers_the_loss_and_the_export_answers_as_keras(rows: Rows, tmp_path: Path) -> None:
    training = RowTraining(row_network(), rate=2e-3, warm=0.1)
    found = [few(batches(rows, np.random.default_rng(step))[0]) for step in range(STEPS)]
    losses = list(training.run(found[: STEPS // 2], start=0.1, share=0.1))
    kept = training.arrays()
    losses += training.run(found[STEPS // 2 :], start=0.2, share=0.1)
    assert losses[-1] < 0.5 * losses[0]
    training.restore(kept)  # goes on as it did
    assert all(np.array_equal(value, kept[key]) for key, value in training.arrays().items())
    again = list(training.run(found[STEPS // 2 :], start=0.2, share=0.1))
    assert again == losses[STEPS // 2 :]

    model, path = training.settle(), tmp_path / "rows.onnx"
    wide = np.tile(found[0].frames, (1, 1, 4))[:8]
    export_rows(model, path, wide, {"made": "by a test"}, temperature=1.5)
    network = RowNetwork(path)
    assert np.allclose(network.logits(wide), keras_log_probabilities(model, wide, 1.5), atol=1e-3)
    assert network.metadata["made"] == "by a test"
    assert path.stat().st_size < 2.2 * model.count_params()  # sixteen bits for each weight
    assert network.logits(wide).shape[1:] == (wide.shape[2] // COLUMN, BLANK + 1)


def test_a_grown_network_begins_where_the_first_one_ended(rows: Rows) -> None:
    frames = batches(rows, np.random.default_rng(0))[0].frames[..., None].astype(np.float32) / 255
    first, other = row_network(), row_network()
    larger = grown(first, more=1)
    assert larger.count_params() > 1.5 * first.count_params()
    # As in training: what a normalisation knows of rows it learns there.
    expected, far, found = (np.asarray(model(frames, training=True)) for model in (first, other, larger))
    assert np.abs(found - expected).mean() < 0.2 * np.abs(far - expected).mean()
