"""Dropout as the engine computes it: as often as asked for, the same for the same seed, and stock afterwards."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from pendigit.learning import fastdropout

SEED = jnp.array([3, 5], jnp.uint32)


@pytest.mark.parametrize("rate", [0.2, 0.5, 0.93])
def test_leaves_out_as_many_as_asked_for_and_keeps_the_mean(rate):
    out = np.asarray(fastdropout.dropout(jnp.ones((1000, 128)), rate, SEED))
    left_out = out == 0
    deviation = np.sqrt(rate * (1 - rate) / out.size)
    assert abs(left_out.mean() - rate) < 4 * deviation
    np.testing.assert_allclose(out[~left_out], 1 / (1 - rate), rtol=1e-6)
    # Neither rows nor columns are left out together: their shares scatter as those of independent values do.
    for axis, count in ((0, 1000), (1, 128)):
        scatter = left_out.mean(axis=axis).std() / np.sqrt(rate * (1 - rate) / count)
        assert 0.75 < scatter < 1.25


def test_the_seed_decides():
    x = jnp.ones((32, 128))
    first, again, other = (
        np.asarray(jax.jit(fastdropout.dropout, static_argnums=1)(x, 0.2, jnp.array(seed, jnp.uint32)))
        for seed in ((3, 5), (3, 5), (3, 6))
    )
    assert (first == again).all()
    same = ((first == 0) == (other == 0)).mean()
    assert abs(same - (0.8**2 + 0.2**2)) < 0.04  # as for two independent masks


@pytest.mark.parametrize("other", [(3, 6), (4, 5), (3, 5 + 4096), (2**32 - 1, 0)])
def test_bits_of_other_layers_and_steps_tell_nothing(other):
    """Each bit is 1 half of the time, and agrees with any bit of another mask half of the time, shifted or not."""
    bits, others = (
        np.unpackbits(np.asarray(fastdropout.random_bits((4096,), jnp.array(seed, jnp.uint32))).view(np.uint8))
        for seed in ((3, 5), other)
    )
    tolerance = 4.5 * 0.5 / np.sqrt(4096)  # standard deviations of a share, of 64 shares
    assert np.abs(bits.reshape(4096, 32).mean(axis=0) - 0.5).max() < tolerance
    for shift in (0, 1, 2, 32):
        agree = bits.reshape(4096, 32) == np.roll(others.reshape(4096, 32), shift, axis=0)
        assert np.abs(agree.mean(axis=0) - 0.5).max() < tolerance
    neighbours = bits.reshape(4096, 32)[1:] == bits.reshape(4096, 32)[:-1]
    assert np.abs(neighbours.mean(axis=0) - 0.5).max() < tolerance


def test_the_gradient_goes_through_what_is_kept():
    x = jnp.full((8, 16), 3.0)
    slopes = jax.grad(lambda x: fastdropout.dropout(x, 0.4, SEED).sum())(x)
    np.testing.assert_allclose(slopes, fastdropout.dropout(x, 0.4, SEED) / 3, rtol=1e-6)


def test_keras_layers_use_it_in_training_and_are_stock_again_afterwards():
    keras.utils.set_random_seed(0)
    stock = keras.layers.Dropout.call
    layer, x = keras.layers.Dropout(0.2, seed=7), np.ones((64, 128), np.float32)
    seed = jnp.array(layer.seed_generator.state.value)
    with fastdropout.fast_dropout():
        one, two = np.asarray(layer(x, training=True)), np.asarray(layer(x, training=True))
        np.testing.assert_array_equal(layer(x, training=False), x)
        np.testing.assert_array_equal(keras.layers.Dropout(0.0)(x, training=True), x)
        whole = np.asarray(keras.layers.Dropout(0.5, noise_shape=(64, 1))(x, training=True))
    np.testing.assert_array_equal(one, fastdropout.dropout(x, 0.2, seed))
    assert (one != two).any()  # a new mask for each step
    assert (whole == whole[:, :1]).all()  # settings that are not covered stay with Keras
    assert keras.layers.Dropout.call is stock


def test_layers_are_stock_again_after_an_error():
    stock = keras.layers.Dropout.call
    with pytest.raises(ZeroDivisionError), fastdropout.fast_dropout():
        raise ZeroDivisionError
    assert keras.layers.Dropout.call is stock
