"""Choose features and hyper-parameters inside training rows, then score outside them.

A declared space is searched by successive halving (Jamieson & Talwalkar, AISTATS 2016)
with inner folds as the resource: all candidates meet the first fold, the better half
the next one, and so on. The finalists, not the winner alone, are fitted on all training
rows and averaged: which of them leads is mostly noise, and their mean is firmer than any.
No test row takes part before its probability is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk.metrics import calibration
from creditrisk.models import blend
from creditrisk.models.folds import deal_folds

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
Progress = Callable[[str], None]
KINDS = ("trees", "networks")


@dataclass(frozen=True)
class Rows:
    """Training rows: ``X`` (n, k), ``y`` (n,), inner ``fold`` (n,), names of the columns."""

    X: Array
    y: Array
    fold: Array
    names: tuple[str, ...]


def draw_candidates(
    space: Mapping[str, Any], kind: str, *, random_state: int
) -> list[dict[str, Any]]:
    """Draw distinct candidates of one kind, each key uniformly from its list.

    Parameters
    ----------
    space : mapping
        ``space[kind]`` holds ``n_candidates``, ``features`` (name of a set → families of
        the registry), ``grid`` (parameter → list of values) and what else is fixed.
    kind : {"trees", "networks"}
    random_state : int

    Returns
    -------
    list of dict
        ``features``, the name of a set, and one value for each key of the grid. Fewer
        than ``n_candidates`` where the grid has no more.
    """
    own = space[kind]
    grid = {"features": list(own["features"]), **own["grid"]}
    rng = np.random.default_rng([random_state, KINDS.index(kind)])
    size = int(np.prod([len(values) for values in grid.values()]))
    chosen = rng.permutation(size)[: own["n_candidates"]]
    shape = [len(values) for values in grid.values()]
    positions = np.stack(np.unravel_index(chosen, shape), axis=1)
    return [
        {key: values[i] for (key, values), i in zip(grid.items(), row, strict=True)}
        for row in positions
    ]


def member_parameters(
    space: Mapping[str, Any], kind: str, candidate: Mapping[str, Any], *, final: bool
) -> dict[str, Any]:
    """Return what :mod:`creditrisk.models.blend` takes for one candidate.

    A search uses fewer, larger steps: trees learn at ``search_rate`` with as many rounds as
    keep rate × rounds at the candidate's ``travel``, networks come ``search_networks`` at a
    time. The final fit uses ``final_rate`` and ``final_networks``.
    """
    own = space[kind]
    parameters = {**own["fixed"], **candidate, "features": own["features"][candidate["features"]]}
    if kind == "networks":
        return {**parameters, "n_networks": own["final_networks" if final else "search_networks"]}
    rate = own["final_rate" if final else "search_rate"]
    travel = parameters.pop("travel")
    return {**parameters, "learning_rate": rate, "n_estimators": round(travel / rate)}


def predict_fold(kind: str, parameters: Mapping[str, Any], rows: Rows, number: int) -> Array:
    """Fit one member on all inner folds but one; return probabilities of that one's rows."""
    tested = rows.fold == number
    model = blend.on_columns(blend.MAKERS[kind](parameters, 0), parameters, rows.names)
    return model.fit(rows.X[~tested], rows.y[~tested]).predict_proba(rows.X[tested])[:, 1]


def halve(
    kind: str,
    space: Mapping[str, Any],
    rows: Rows,
    run: Callable[[list[tuple[Any, ...]]], list[Array]],
    *,
    random_state: int,
    progress: Progress,
) -> tuple[list[dict[str, Any]], Array]:
    """Search one kind by successive halving.

    Parameters
    ----------
    kind : {"trees", "networks"}
    space : mapping
    rows : Rows
    run : callable
        Takes a list of arguments of :func:`predict_fold`, returns its results in order.
    random_state : int
    progress : callable

    Returns
    -------
    finalists : list of dict
        ``space["finalists"]`` candidates, lowest mean log loss over all inner folds first.
    probability : ndarray of float, shape (n,)
        The mean of their out-of-fold probabilities.
    """
    candidates = draw_candidates(space, kind, random_state=random_state)
    alive = list(range(len(candidates)))
    found: dict[int, dict[int, Array]] = {i: {} for i in alive}
    n_folds = int(rows.fold.max()) + 1
    for number in range(n_folds):
        jobs = [
            (kind, member_parameters(space, kind, candidates[i], final=False), rows, number)
            for i in alive
        ]
        for i, p in zip(alive, run(jobs), strict=True):
            found[i][number] = p
        alive.sort(key=lambda i: _mean_loss(rows, found[i]))
        progress(f"{kind}: {len(alive)} candidates on inner fold {number + 1} of {n_folds}")
        if number < n_folds - 1:
            alive = alive[: max(space["finalists"], -(-len(alive) // 2))]
    finalists = alive[: space["finalists"]]
    probability = np.zeros(len(rows.y))
    for i in finalists:
        for number, p in found[i].items():
            probability[rows.fold == number] += p / len(finalists)
    return [candidates[i] for i in finalists], probability


def _mean_loss(rows: Rows, predictions: Mapping[int, Array]) -> float:
    """Return the log loss averaged over the folds that there are predictions for."""
    losses = [
        calibration.row_log_loss(rows.y[rows.fold == number], p).mean()
        for number, p in predictions.items()
    ]
    return float(np.mean(losses))


def choose_weight(y: Array, trees: Array, networks: Array, weights: Sequence[float]) -> float:
    """Return the weight of the networks with the lowest out-of-fold log loss, first on ties."""
    losses = [
        float(calibration.row_log_loss(y, (1 - w) * trees + w * networks).mean()) for w in weights
    ]
    return float(weights[int(np.argmin(losses))])


def choose_recipe(
    X: Array,
    y: Array,
    groups: Array,
    names: Sequence[str],
    *,
    space: Mapping[str, Any],
    random_state: int,
    n_jobs: int,
    progress: Progress = lambda line: None,
) -> dict[str, Any]:
    """Choose the blend's recipe on training rows alone.

    Parameters
    ----------
    X : ndarray of float, shape (n, k)
    y, groups : ndarray of int, shape (n,)
        Rows of a group share an inner fold.
    names : sequence of str, length k
    space : mapping
        ``folds`` (inner), ``finalists``, ``trees``, ``networks`` and ``weights``; see
        ``studies/params.yaml``.
    random_state : int
    n_jobs : int
        Processes; the choice does not depend on them.
    progress : callable

    Returns
    -------
    dict
        ``trees`` and ``networks`` (the finalists, best first) and ``weight``.
    """
    from joblib import Parallel, delayed

    fold = deal_folds(y, groups, n_folds=space["folds"], n_repeats=1, random_state=random_state)[0]
    rows = Rows(X, y, fold, tuple(names))

    def run(jobs: list[tuple[Any, ...]]) -> list[Array]:
        # processes: a network's fit is many small steps in Python, which threads would queue for
        return list(Parallel(n_jobs=n_jobs)(delayed(predict_fold)(*job) for job in jobs))

    found = {
        kind: halve(kind, space, rows, run, random_state=random_state, progress=progress)
        for kind in KINDS
    }
    weight = choose_weight(y, found["trees"][1], found["networks"][1], space["weights"])
    return {kind: found[kind][0] for kind in KINDS} | {"weight": weight}


def chosen_blend(
    space: Mapping[str, Any], recipe: Mapping[str, Any], names: Sequence[str], *, seed: int
) -> Any:
    """Return the unfitted mean of all finalists of a recipe, kinds weighted as chosen.

    Parameters
    ----------
    space : mapping
    recipe : mapping
        From :func:`choose_recipe`.
    names : sequence of str
        Of the columns.
    seed : int

    Returns
    -------
    sklearn.ensemble.VotingClassifier
        See :func:`creditrisk.models.blend.average`.
    """
    shares = {"trees": 1 - recipe["weight"], "networks": recipe["weight"]}
    members = [
        (kind, member_parameters(space, kind, candidate, final=True))
        for kind in KINDS
        for candidate in recipe[kind]
    ]
    weights = [shares[kind] / len(recipe[kind]) for kind, _ in members]
    return blend.average(members, weights, names, seed=seed)


def training_groups(clients: pd.DataFrame, twins: Mapping[str, Any]) -> Array:
    """Group some rows by what these rows alone show: duplicates and hidden twins.

    Parameters
    ----------
    clients : DataFrame, n rows
    twins : mapping
        Keywords of :func:`creditrisk.data.groups.find_twins`.

    Returns
    -------
    ndarray of int, shape (n,)
    """
    from creditrisk.data import groups

    people = clients.reset_index(drop=True)
    return groups.assign_groups(groups.number_profiles(people), groups.find_twins(people, **twins))
