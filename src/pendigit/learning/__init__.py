"""How a network is made. The only part of pendigit that loads Keras and JAX, both set up here, before any import."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pendigit.errors import UsageError
from pendigit.extras import require
from pendigit.home import cache_folder
from pendigit.recipes import MOST_PARTS

require("train", "keras", "jax", "onnx", "matplotlib")

if "keras" in sys.modules and sys.modules["keras"].backend.backend() != "jax":
    raise UsageError(
        f"Keras was loaded with the backend {sys.modules['keras'].backend.backend()!r}",
        "the backend 'jax'",
        "set KERAS_BACKEND=jax before Keras is imported",
    )
os.environ["KERAS_BACKEND"] = "jax"


@contextmanager
def _hidden(*modules: str) -> Iterator[None]:
    """Let imports of `modules` fail inside the block, unless they are loaded already."""
    loaded: dict[str, Any] = sys.modules  # None in it means: not to be imported
    absent = [name for name in modules if name not in loaded]
    loaded.update(dict.fromkeys(absent))
    try:
        yield
    finally:
        for name in absent:
            del loaded[name]


import jax  # noqa: E402 - the backend is chosen before JAX and Keras load

# Where they are installed, Keras loads these two for its galleries and data frames: half of its start-up, unused here.
with _hidden("matplotlib.pyplot", "pandas"):
    import keras  # loaded here once, so that every other import finds it

jax.config.update("jax_num_cpu_devices", MOST_PARTS)

# Compiled programs are kept for the next start, also the small ones that Keras's initialisers compile to.
jax.config.update("jax_compilation_cache_dir", str(cache_folder() / "xla"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def seed(number: int) -> None:
    """Seed what Keras draws. TensorFlow, where it is installed too, is not loaded for that: it takes seconds."""
    with _hidden("tensorflow"):
        keras.utils.set_random_seed(number)
