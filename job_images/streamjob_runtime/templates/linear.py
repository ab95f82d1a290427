"""Interpolation Linear: powers outside their threshold are passed over, and a straight line is drawn in their place.

A *stretch* lies between two valid records that follow each other; the records passed over lie within. Along the line by
average power it is one trapezoid. By instant power each record, those passed over with the power of the line, holds
back to the record before it:

    sum over the records of (P0 + (P1 - P0) * (t - t0) / (t1 - t0)) * (t - t before)

which needs no more of the records passed over than their sum of ``(t - t0) * (t - t before)``. That is an integer,
exact for stretches of up to 35 days, so that no cut into micro-batches changes it. For longer ones 64 bits are too few,
but they have no energy: a line has a ``maxGap``, of 7 days at most.
"""

import numpy as np

from streamjob_runtime.templates.arrays import Flags, Times
from streamjob_runtime.templates.chains import Chains
from streamjob_runtime.templates.intervals import Reference, Stretches


def along_the_line(chains: Chains, is_valid: Flags, reference: Reference, *, is_average: bool) -> Stretches:
    """Return the stretch that ends with each valid record. Until there is one, each record is the reference."""
    value = chains.latest(chains.value, is_valid, reference.value)
    moves = is_valid | np.isnan(value)
    time = chains.latest(chains.time, moves, reference.time)
    since, before = chains.before(time, reference.time), chains.before(value, reference.value)
    elapsed_ms, passed = chains.time - since, np.zeros_like(time)
    if is_average:
        mean = before / 2 + chains.value / 2
    else:
        held = elapsed_ms * (chains.time - chains.before(chains.time, reference.last))
        whole, passed = _sums_since_moves(chains, held, moves, reference.passed)
        # The share of the end: 1 where nothing is passed over, so that the result is that power exactly.
        share = whole / np.square(elapsed_ms.astype(np.float64))
        mean = before * (1 - share) + chains.value * share
    return Stretches(since, np.where(is_valid, mean, np.nan), Reference(time, value, chains.time, passed))


def _sums_since_moves(chains: Chains, terms: Times, moves: Flags, known: Times) -> tuple[Times, Times]:
    """Return two sums up to each record: of what came after the record that moved before it, and after itself.

    Args:
        chains: the records.
        terms: what is added up.
        moves: which records begin a new sum, after themselves.
        known: by slot, what is added up already.
    """
    # Integers wrap around, so that the differences are right however long the shard's sum is.
    running = np.cumsum(terms)
    begun = np.zeros_like(known)
    first = np.flatnonzero(chains.is_first)
    begun[chains.slot[first]] = running[first] - terms[first] - known[chains.slot[first]]
    begin = chains.latest(running, moves, begun)
    return running - chains.before(begin, begun), running - begin
