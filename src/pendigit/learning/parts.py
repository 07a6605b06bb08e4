"""One program on several of the CPU's devices, a core each: every device computes its own part of a batch.

With one part nothing of this happens: arrays are plain, sums are what they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

PARTS = "parts"  # the name of the axis over which the parts of a batch lie
SAME = jax.sharding.PartitionSpec()  # every device has all of an array


def compiled(function: Callable[..., Any], parts: int) -> Any:
    """`function` as one program on `parts` devices."""
    if parts == 1:
        return jax.jit(function)
    run = jax.shard_map(function, mesh=_mesh(parts), in_specs=SAME, out_specs=SAME, check_vma=False)
    return jax.jit(run, compiler_options={"xla_cpu_multi_thread_eigen": False})


def everywhere(arrays: Any, parts: int) -> Any:
    """Host arrays on each device that takes part."""
    if parts == 1:
        return jax.tree.map(jnp.asarray, arrays)
    return jax.device_put(arrays, jax.sharding.NamedSharding(_mesh(parts), SAME))


def summed(values: Any, parts: int) -> Any:
    """Sums over the parts of a batch, each of which knows its own; taken in a fixed order, whatever the cores."""
    return values if parts == 1 else jax.lax.psum(values, PARTS)


def averaged(fixed: list[Any], parts: int) -> list[Any]:
    """Moving averages over the parts; the seeds of dropout are the same in each."""
    if parts == 1:
        return fixed
    return [jax.lax.pmean(value, PARTS) if jnp.issubdtype(value.dtype, jnp.floating) else value for value in fixed]


def _mesh(parts: int) -> Any:
    return jax.make_mesh((parts,), (PARTS,))
