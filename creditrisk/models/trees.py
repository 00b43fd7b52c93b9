"""Boosted trees as tables: a row's prediction and its exact Shapley values by look-up.

A tree of depth 3 has at most seven tests, so a row meets it in one of 128 patterns of
answers. For each tree and pattern the output and the Shapley value of each feature
(path-dependent TreeSHAP; Lundberg et al. 2020, algorithm 1) are computed once, by
enumerating coalitions of the tree's at most seven features. A row then costs a handful
of numpy calls instead of a walk: the margin is XGBoost's to the last bit, because outputs
are added in float32 and in the order of the trees, as XGBoost adds them. Deeper trees
have no such tables; XGBoost itself answers for them, slower.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Protocol

import numpy as np

from creditrisk.errors import UserError

Array = np.ndarray

MAX_DEPTH = 3
N_TESTS = 2**MAX_DEPTH - 1
"""Tests of a complete tree; test i leads to 2i + 1 (yes) and 2i + 2 (no)."""
N_PATTERNS = 2**N_TESTS
NO_FEATURE = -1

ANSWERS = (np.arange(N_PATTERNS)[:, None] >> np.arange(N_TESTS) & 1).astype(bool)
"""Whether test i is answered yes (the value is below the threshold) in each pattern."""

CHECKED = 4096
"""Rows that are compared with XGBoost at once: its values are spread over n · k · k numbers."""
BLOCK = 256
"""Rows looked up at a time; bounds memory and changes no bit."""
FEW = 16
"""Rows up to which comparing with every threshold is cheaper than a search a feature."""


class Trees(Protocol):
    """What predicts and explains, whatever it is made of."""

    bias: float
    """Expected margin over the rows that the trees were fitted on, log-odds."""

    def predict(self, X: Array, *, explain: bool) -> tuple[Array, Array | None]:
        """Return margins (n,) and, if asked for, contributions by group (n, g)."""


# --- building ---------------------------------------------------------------------


def build_tables(booster: Any) -> dict[str, Array]:
    """Lay the trees of a model out as tables.

    Parameters
    ----------
    booster : xgboost.Booster
        Of one binary target with a logistic objective and numeric features.

    Returns
    -------
    dict of ndarray
        For T trees: ``feature`` (T, 7) int16 and ``threshold`` (T, 7) float32 of every
        test, ``missing`` (T, 7) bool, the answer for a value that is missing; ``output``
        (T, 128) float32; ``member`` (T, 7) int16, the tree's distinct features, padded
        with −1; ``shapley`` (T, 128, 7) float32, theirs by pattern, in log-odds;
        ``margin`` () float32, what is added to before the first tree; ``bias`` ()
        float64, the expected margin; ``n_features`` () int. Where a tree is deeper than
        three, T is 0.
    """
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    trees = [_complete(tree) for tree in learner["gradient_booster"]["model"]["trees"]]
    base = json.loads(learner["learner_model_param"]["base_score"])
    share = np.float32(base[0] if isinstance(base, list) else base)
    # As XGBoost: odds in float32, and a logarithm that is rounded once.
    margin = np.float32(-math.log(np.float32(1.0) / share - np.float32(1.0)))
    if any(tree is None for tree in trees):
        trees = []
    stacked = [_tabulate(*tree) for tree in trees if tree is not None]
    tables = {
        name: np.array([t[name] for t in stacked], dtype=kind).reshape(len(stacked), *shape)
        for name, kind, shape in (
            ("feature", np.int16, (N_TESTS,)),
            ("threshold", np.float32, (N_TESTS,)),
            ("missing", bool, (N_TESTS,)),
            ("output", np.float32, (N_PATTERNS,)),
            ("member", np.int16, (N_TESTS,)),
            ("shapley", np.float32, (N_PATTERNS, N_TESTS)),
        )
    }
    expected = sum((t["expected"] for t in stacked), start=float(margin))
    return {
        **tables,
        "margin": np.array(margin, dtype=np.float32),
        "bias": np.array(expected, dtype=np.float64),
        "n_features": np.array(booster.num_features()),
    }


def _complete(tree: Mapping[str, Any]) -> tuple[dict[str, Array], Array, Array] | None:
    """Return tests, leaf values (8,) and covers (15,) of a tree; None if it is deeper.

    A branch that ends early goes on with tests that everybody passes: no feature, a
    threshold of infinity, and nobody on the other side.
    """
    tests = {
        "feature": np.full(N_TESTS, NO_FEATURE),
        "threshold": np.full(N_TESTS, np.inf, dtype=np.float32),
        "missing": np.ones(N_TESTS, dtype=bool),
    }
    cover, leaves = np.zeros(2 * N_TESTS + 1), np.zeros(N_TESTS + 1)
    left, right = tree["left_children"], tree["right_children"]
    split = np.array(tree["split_conditions"], dtype=np.float32)
    pending = [(0, 0)]  # node of the tree, place in the complete one
    while pending:
        node, place = pending.pop()
        cover[place] = tree["sum_hessian"][node]
        is_leaf = left[node] < 0
        if place >= N_TESTS:
            if not is_leaf:
                return None
            leaves[place - N_TESTS] = split[node]
        elif is_leaf:
            pending.append((node, 2 * place + 1))
        else:
            tests["feature"][place] = tree["split_indices"][node]
            tests["threshold"][place] = split[node]
            tests["missing"][place] = bool(tree["default_left"][node])
            pending += [(left[node], 2 * place + 1), (right[node], 2 * place + 2)]
    return tests, leaves, cover


def _tabulate(tests: dict[str, Array], leaves: Array, cover: Array) -> dict[str, Any]:
    """Return one tree's rows of :func:`build_tables`, and its expected output."""
    members = [f for f in np.unique(tests["feature"]).tolist() if f != NO_FEATURE]
    coalitions = np.arange(2 ** len(members))
    worth: list[Array] = [np.full((1, 1), value) for value in leaves]
    for level in range(MAX_DEPTH - 1, -1, -1):  # from the leaves to the root
        first = 2**level - 1
        for i in range(2**level):
            test = first + i
            yes, no = worth[2 * i], worth[2 * i + 1]
            worth[i] = _value(test, tests["feature"][test], members, coalitions, cover, yes, no)
        del worth[2**level :]
    value = np.broadcast_to(worth[0], (len(coalitions), N_PATTERNS))
    shapley = np.zeros((N_PATTERNS, N_TESTS))
    shapley[:, : len(members)] = np.einsum("js,sp->pj", _shapley_weights(len(members)), value)
    padded = members + [NO_FEATURE] * (N_TESTS - len(members))
    output, expected = value[-1].astype(np.float32), float(value[0, 0])
    return {**tests, "output": output, "member": padded, "shapley": shapley, "expected": expected}


def _value(
    test: int,
    feature: int,
    members: Sequence[int],
    coalitions: Array,
    cover: Array,
    yes: Array,
    no: Array,
) -> Array:
    """Return a subtree's value by coalition and pattern, from those of its two branches.

    A coalition that knows the feature follows the row's answer; one that does not
    averages both branches by the training rows that took each.
    """
    if feature == NO_FEATURE:
        return yes
    known = (coalitions >> members.index(feature) & 1).astype(bool)[:, None]
    share = cover[2 * test + 1] / cover[test]
    answer = ANSWERS[:, test]
    return np.where(known, np.where(answer, yes, no), share * yes + (1 - share) * no)


@cache
def _shapley_weights(m: int) -> Array:
    """Return the (m, 2^m) matrix that turns values of coalitions into Shapley values."""
    weights = np.zeros((m, 2**m))
    for coalition in range(2**m):
        size = coalition.bit_count()
        for j in range(m):
            if coalition >> j & 1:
                weights[j, coalition] = math.factorial(size - 1) * math.factorial(m - size) / math.factorial(m)
            else:
                weights[j, coalition] = -math.factorial(size) * math.factorial(m - size - 1) / math.factorial(m)
    return weights


# --- looking up -------------------------------------------------------------------


class TableTrees:
    """Trees as look-up tables: numpy only, the same bits alone and in a batch.

    Parameters
    ----------
    tables : mapping of str to ndarray
        From :func:`build_tables`.
    groups : ndarray of int, shape (k,)
        The group, 0 to g − 1, that each feature's contribution is counted in.
    """

    def __init__(self, tables: Mapping[str, Array], groups: Array) -> None:
        self.bias = float(tables["bias"])
        self._margin = np.float32(tables["margin"])
        self._n_trees = n = len(tables["output"])
        self._first = np.arange(n, dtype=np.intp) * N_PATTERNS
        self._output = np.ascontiguousarray(tables["output"]).ravel()
        self._grouped = _group(tables["member"], tables["shapley"], groups)
        self._read_answers(tables)

    def _read_answers(self, tables: Mapping[str, Array]) -> None:
        """Turn the tests around: for each feature, what an interval of values answers.

        Each distinct threshold of a feature ends an interval. A row of ``_yes`` holds,
        for one interval and all trees, the tests of that feature that answer yes there
        (bit i of byte t is test i of tree t); a row's patterns are the union over its
        features (the bit vectors of QuickScorer, Lucchese et al. 2015).
        """
        feature, threshold = tables["feature"].ravel(), tables["threshold"].ravel()
        self._used = np.unique(feature[feature != NO_FEATURE]).astype(np.intp)
        self._cuts: list[Array] = []
        rows, missing = [], []
        for f in self._used:
            own = np.flatnonzero(feature == f)
            cuts, rank = np.unique(threshold[own], return_inverse=True)
            self._cuts.append(cuts)
            rows += [self._pack(own[rank >= k]) for k in range(len(cuts) + 1)]
            missing.append(self._pack(own[tables["missing"].ravel()[own]]))
        self._always = self._pack(np.flatnonzero(feature == NO_FEATURE))
        self._yes = np.array([*rows, *missing]).reshape(-1, len(self._always))
        n_cuts = np.array([len(cuts) for cuts in self._cuts], dtype=np.intp)
        self._start = np.cumsum(n_cuts + 1) - (n_cuts + 1)
        self._missing = len(rows) + np.arange(len(missing))
        self._all_cuts = np.concatenate([*self._cuts, np.empty(0, np.float32)])
        self._of = np.repeat(np.arange(len(n_cuts)), n_cuts)
        self._reduce_at = np.cumsum(n_cuts) - n_cuts

    def _pack(self, tests: Array) -> Array:
        """Return tests (numbers in the flattened table) as bits, one byte a tree, in words."""
        width = -(-self._n_trees // 8) * 8
        bits = np.zeros((width, 8), dtype=bool)
        bits[tests // N_TESTS, tests % N_TESTS] = True
        return np.packbits(bits, axis=1, bitorder="little").ravel().view(np.uint64)

    def predict(self, X: Array, *, explain: bool) -> tuple[Array, Array | None]:
        """Look rows up.

        Parameters
        ----------
        X : ndarray of float, shape (n, k)
            Features in the model's order; NaN is missing.
        explain : bool

        Returns
        -------
        margin : ndarray of float64, shape (n,)
            Log-odds, to the bit those of ``Booster.predict(…, output_margin=True)``.
        contributions : ndarray of float64, shape (n, g), or None
            Shapley values in log-odds, summed over the features of each group; their sum
            and :attr:`bias` make the margin.
        """
        X = X.astype(np.float32)
        margin = np.empty(len(X))
        contributions = np.empty((len(X), self._grouped.shape[1])) if explain else None
        for i in range(0, len(X), BLOCK):
            block = slice(i, i + BLOCK)
            cell = self._first + self._patterns(X[block])
            outputs = self._output.take(cell)
            outputs[:, :1] += self._margin
            margin[block] = _sum_in_order(outputs)
            if contributions is not None:
                contributions[block] = np.einsum("ntg->ng", self._grouped.take(cell, axis=0))
        return margin, contributions

    def _patterns(self, X: Array) -> Array:
        """Return the pattern of every row in every tree, uint8, shape (n, T)."""
        words = np.repeat(self._always[None], len(X), axis=0)
        values = X[:, self._used]
        absent = np.isnan(values)
        if len(X) <= FEW:  # all comparisons at once
            passed = values[:, self._of] >= self._all_cuts
            rows = np.add.reduceat(passed, self._reduce_at, axis=1, dtype=np.intp) + self._start
            if absent.any():
                rows = np.where(absent, self._missing, rows)
            words |= np.bitwise_or.reduce(self._yes[rows], axis=1)
        else:  # a search for each feature
            for j, cuts in enumerate(self._cuts):
                row = cuts.searchsorted(values[:, j], side="right") + self._start[j]
                row[absent[:, j]] = self._missing[j]
                words |= self._yes[row]
        return words.view(np.uint8)[:, : self._n_trees]


def _sum_in_order(outputs: Array) -> Array:
    """Return each row's sum, tree by tree in float32, as XGBoost adds them.

    numpy adds the rows of a matrix one after the other, but a single column in pairs.
    """
    if len(outputs) == 1:
        return np.add.accumulate(outputs, axis=1)[:, -1]
    return np.add.reduce(np.ascontiguousarray(outputs.T), axis=0)


def _group(member: Array, shapley: Array, groups: Array) -> Array:
    """Return Shapley values summed over groups of features, (T · 128, g), float64."""
    n_trees, n_groups = len(member), int(groups.max()) + 1
    grouped = np.zeros((n_trees, N_PATTERNS, n_groups))
    every = np.arange(n_trees)
    for j in range(N_TESTS):
        known = member[:, j] != NO_FEATURE
        grouped[every[known], :, groups[member[known, j]]] += shapley[known, :, j]
    return grouped.reshape(n_trees * N_PATTERNS, n_groups)


class BoosterTrees:
    """Trees of any depth, asked of XGBoost itself.

    Parameters
    ----------
    booster : xgboost.Booster
    groups : ndarray of int, shape (k,)
        See :class:`TableTrees`.
    """

    def __init__(self, booster: Any, groups: Array) -> None:
        import xgboost

        self._booster, self._matrix = booster, xgboost.DMatrix
        # A call for one row is over before a second thread has woken up.
        booster.set_param({"nthread": 1})
        self._groups = np.eye(int(groups.max()) + 1)[groups]
        self.bias = float(self._explained(np.zeros((1, len(groups))))[0, -1])

    def _explained(self, X: Array) -> Array:
        """Return Shapley values and, last, the bias, shape (n, k + 1)."""
        return self._booster.predict(self._matrix(X, nthread=1), pred_contribs=True)

    def predict(self, X: Array, *, explain: bool) -> tuple[Array, Array | None]:
        """Predict rows; see :meth:`TableTrees.predict`."""
        margin = self._booster.inplace_predict(X, predict_type="margin", validate_features=False)
        by_group = None
        if explain:
            values = self._explained(X)[:, :-1].astype(float)
            by_group = (values[:, :, None] * self._groups).sum(axis=1)
        return np.asarray(margin, dtype=float), by_group


def check_tables(tables: Mapping[str, Array], booster: Any, X: Array, n_jobs: int = 1) -> None:
    """Refuse tables that do not predict and explain what the model does.

    Parameters
    ----------
    tables : mapping
        From :func:`build_tables`.
    booster : xgboost.Booster
    X : ndarray of float, shape (n, k)
    n_jobs : int, default 1
        Threads, which compare rows side by side.

    Raises
    ------
    UserError
        When a margin or a Shapley value is off by more than 1e-5.
    """
    from concurrent.futures import ThreadPoolExecutor

    each = np.arange(X.shape[1])
    ours = TableTrees(tables, each)
    # XGBoost's own threads do not share this work; and a copy for each thread, since the settings
    # of a booster are part of its pickle, which is written later
    blocks = [(X[i : i + CHECKED], booster.copy()) for i in range(0, len(X), CHECKED)]

    def differences(block: tuple[Array, Any]) -> list[float]:
        rows, theirs = block
        sides = (s.predict(rows, explain=True) for s in (ours, BoosterTrees(theirs, each)))
        return [float(np.abs(np.subtract(*pair)).max()) for pair in zip(*sides, strict=True)]

    with ThreadPoolExecutor(n_jobs) as pool:
        worst = np.max(list(pool.map(differences, blocks)), axis=0)
    for name, largest in zip(("margins", "contributions"), worst, strict=True):
        if not largest <= 1e-5:
            raise UserError(f"tables of the trees: {name} are off by {largest:.2g}")
