"""The fast convolution and pooling against XLA's own, in float64, with generated shapes; and behind Keras's layers."""

from functools import partial

import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from jax import lax

from pendigit.learning import fastconv

pytestmark = pytest.mark.usefixtures("quickly_compiled")
few = settings(max_examples=10)  # each new shape is compiled anew
small = st.integers(1, 4)


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def drawn(rng, *shape):
    """Small whole numbers: sums are exact whatever their order, and maxima tie often."""
    return jnp.asarray(rng.integers(-3, 4, shape), jnp.float64)


def same_gradients(ours, theirs, rng, *arguments):
    """Values and gradients must be equal to the last bit."""
    slope = drawn(rng, *jax.eval_shape(theirs, *arguments).shape)

    def both(function, *arguments):
        value, pull = jax.vjp(function, *arguments)
        return value, *pull(slope)

    found, expected = jax.jit(lambda *a: (both(ours, *a), both(theirs, *a)))(*arguments)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@few
@given(
    n=st.integers(1, 5),
    size=st.tuples(small, small),
    more=st.tuples(st.integers(0, 7), st.integers(0, 7)),
    strides=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    channels=st.sampled_from([1, 2, 4, 5, 8]),
    filters=st.integers(1, 3),
    padding=st.sampled_from(["valid", "same"]),
    seed=st.integers(0, 99),
)
def test_convolution_is_that_of_lax(n, size, more, strides, channels, filters, padding, seed):
    rng = np.random.default_rng(seed)
    x = drawn(rng, n, size[0] + more[0], size[1] + more[1], channels)
    kernel = drawn(rng, *size, channels, filters)
    theirs = partial(
        lax.conv_general_dilated,
        window_strides=strides,
        padding=padding.upper(),
        dimension_numbers=fastconv.LAYOUT,
    )
    same_gradients(partial(fastconv.conv2d, strides=strides, padding=padding), theirs, rng, x, kernel)


@pytest.mark.parametrize("many", [5, 6])
@pytest.mark.parametrize("n", [1, 6, 7])
def test_the_kernels_gradient_is_the_same_in_parts(n, many, monkeypatch):
    rng = np.random.default_rng(n)
    x, kernel = drawn(rng, n, 6, 7, 5), drawn(rng, 3, 3, 5, 2)
    monkeypatch.setattr(fastconv, "FRAMES", 2)
    monkeypatch.setattr(fastconv, "MANY_CHANNELS", many)
    theirs = partial(
        lax.conv_general_dilated, window_strides=(1, 1), padding="VALID", dimension_numbers=fastconv.LAYOUT
    )
    same_gradients(fastconv.conv2d, theirs, rng, x, kernel)


@few
@given(
    n=st.integers(1, 3),
    size=st.tuples(small, small),
    more=st.tuples(st.integers(0, 7), st.integers(0, 7)),
    channels=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_max_pooling_is_that_of_lax_also_with_ties(n, size, more, channels, seed):
    rng = np.random.default_rng(seed)
    window = (1, *size, 1)

    def theirs(x):
        return lax.reduce_window(x, -jnp.inf, lax.max, window, window, "VALID")

    x = drawn(rng, n, size[0] + more[0], size[1] + more[1], channels)
    same_gradients(partial(fastconv.max_pool2d, size=size), theirs, rng, x)


def network(**settings):
    return keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            keras.layers.Conv2D(3, 3, activation="relu", **settings),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(6, 3, padding="same", use_bias=False),
            keras.layers.MaxPooling2D(2, strides=1),
            keras.layers.Flatten(),
            keras.layers.Dense(10),
        ]
    )


def gradient(model, x):
    """Of a scalar with respect to all weights, as a training step computes it."""
    values = [variable.value for variable in model.trainable_variables]

    def mean_square(values):
        return (model.stateless_call(values, [], x, training=True)[0] ** 2).mean()

    return jax.jit(jax.grad(mean_square))(values)


@pytest.mark.parametrize("settings", [{}, {"strides": 2}])
def test_keras_layers_train_alike_and_are_stock_again_afterwards(settings):
    with jax.enable_x64(False):
        keras.utils.set_random_seed(0)
        model, x = network(**settings), np.random.default_rng(0).random((4, 12, 12, 1), np.float32)
        stock = gradient(model, x)
        with fastconv.fast_convolutions():
            fast = gradient(model, x)
        for ours, theirs in zip(fast, stock, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
        assert keras.layers.Conv2D.convolution_op is keras.layers.Conv1D.convolution_op
        assert keras.layers.MaxPooling2D.call is keras.layers.MaxPooling1D.call


def test_what_is_not_covered_stays_with_keras(monkeypatch):
    def never(*arguments):
        raise AssertionError("a dilated convolution went to conv2d")

    monkeypatch.setattr(fastconv, "conv2d", never)
    monkeypatch.setattr(fastconv, "max_pool2d", never)
    conv, pool = keras.layers.Conv2D(2, 3, dilation_rate=2), keras.layers.MaxPooling2D(3, strides=1)
    with fastconv.fast_convolutions():
        assert pool(conv(np.ones((1, 9, 9, 2), np.float32))).shape == (1, 3, 3, 2)


def test_layers_are_stock_again_after_an_error():
    with pytest.raises(ZeroDivisionError), fastconv.fast_convolutions():
        raise ZeroDivisionError
    assert keras.layers.Conv2D.convolution_op is keras.layers.Conv1D.convolution_op
