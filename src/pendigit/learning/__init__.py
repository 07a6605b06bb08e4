"""How a network is made. The only part of pendigit that loads Keras and JAX, both set up here, before any import."""

from __future__ import annotations

import os
import sys

from pendigit.errors import UsageError
from pendigit.extras import require
from pendigit.home import cache_folder

require("train", "keras", "jax", "onnx", "matplotlib")

if "keras" in sys.modules and sys.modules["keras"].backend.backend() != "jax":
    raise UsageError(
        f"Keras was loaded with the backend {sys.modules['keras'].backend.backend()!r}",
        "the backend 'jax'",
        "set KERAS_BACKEND=jax before Keras is imported",
    )
os.environ["KERAS_BACKEND"] = "jax"

import jax  # noqa: E402 - the backend is chosen before Keras and JAX load

# Compiled programs are kept for the next start, also the small ones that Keras's initialisers compile to.
jax.config.update("jax_compilation_cache_dir", str(cache_folder() / "xla"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
