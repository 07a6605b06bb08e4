"""Look inside: the network that the page shows is the network that ships."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from playwright.sync_api import Page, expect

import pendigit
from browsing import Pages, reads, serious
from hands import draw
from pendigit.datasets import Dataset
from pendigit.serving.layers import layers

RUN = """async (frames) => {
    const { Network } = await import("./network.js");
    const network = new Network(new Float32Array(await (await fetch("v1/layers")).arrayBuffer()));
    return frames.map((frame) => Array.from(network.run(Uint8Array.from(frame)).probabilities));
}"""


def test_the_pages_network_is_the_one_that_ships(open_page: Pages, mini: Dataset) -> None:
    frames = mini.x_test[:20]
    answers = open_page().evaluate(RUN, frames.reshape(20, -1).tolist())
    expected = pendigit.load_classifier("classic").predict_proba(frames)
    np.testing.assert_allclose(answers, expected, atol=1e-5)


def test_layers_are_read_out_of_the_model_file(mini: Dataset) -> None:
    found = layers()
    hidden = np.maximum(mini.x_test[:50].reshape(50, -1) / 255 @ found.hidden + found.hidden_bias, 0)
    sums = hidden @ found.digits + found.digits_bias
    powers = np.exp(sums - sums.max(axis=1, keepdims=True))
    expected = pendigit.load_classifier("classic").predict_proba(mini.x_test[:50])
    np.testing.assert_allclose(powers / powers.sum(axis=1, keepdims=True), expected, atol=1e-5)


def test_units_light_up_for_what_is_drawn(open_page: Pages, keep: Callable[[Page, str], None]) -> None:
    page = open_page("#inside", height=760)
    expect(page.locator(".units button")).to_have_count(128)
    draw(page, "2", scale=0.8)
    reads(page, "2")
    expect(page.locator(".sums .best b")).to_have_text("2")
    lit = page.locator(".units button").evaluate_all(
        "all => all.filter((unit) => unit.style.getPropertyValue('--light') > 0).length"
    )
    assert 10 < lit < 120
    assert page.locator(".wires path").count() > 3
    keep(page, "inside")
    assert serious(page) == []
    page.locator(".units button").nth(0).focus()
    first = page.locator(".unit h2").inner_text()
    page.keyboard.press("ArrowRight")
    assert page.locator(".unit h2").inner_text() != first
    page.locator(".sums button").nth(7).hover()
    expect(page.locator(".sums .best b")).to_have_text("7")
