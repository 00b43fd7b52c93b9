"""The blend: boosted trees and a bag of small neural networks, averaged.

Trees cut, networks bend: their mistakes differ, so their mean ranks better than
either. scikit-learn holds it together; nothing here is a learner of our own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from creditrisk.features import registry

SPREAD = 1.7
"""Half-range of a network's inputs: ranks of 0 to 1, stretched to about unit variance."""


def blend(parameters: Mapping[str, Any], features: Sequence[str]) -> Any:
    """Return the unfitted blend.

    Parameters
    ----------
    parameters : mapping
        ``trees`` and ``networks`` (each with ``features``, families of the registry, and
        its own parameters), ``weight`` (of the networks, 0 to 1) and ``seed``.
    features : sequence of str
        Names of the columns, in order; both members choose theirs from them.

    Returns
    -------
    sklearn.ensemble.VotingClassifier
        Its probability is the weighted mean of the two.
    """
    weight = parameters["weight"]
    members = [("trees", parameters["trees"]), ("networks", parameters["networks"])]
    return average(members, [1 - weight, weight], features, seed=parameters["seed"])


def average(
    members: Sequence[tuple[str, Mapping[str, Any]]],
    weights: Sequence[float],
    features: Sequence[str],
    *,
    seed: int,
) -> Any:
    """Return an unfitted weighted mean of trees and networks.

    Parameters
    ----------
    members : sequence of (kind, parameters), length m
        ``trees`` or ``networks``, each with what :func:`blend` takes of that kind.
    weights : sequence of float, length m
    features : sequence of str
        Names of the columns, in order.
    seed : int

    Returns
    -------
    sklearn.ensemble.VotingClassifier
        With members named ``trees_0``, ``trees_1`` … ``networks_0`` … in the order given.
    """
    from sklearn.ensemble import VotingClassifier

    counts = dict.fromkeys(MAKERS, 0)
    named = []
    for kind, parameters in members:
        model = MAKERS[kind](parameters, seed)
        named.append((f"{kind}_{counts[kind]}", on_columns(model, parameters, features)))
        counts[kind] += 1
    return VotingClassifier(named, voting="soft", weights=list(weights))


def on_columns(model: Any, parameters: Mapping[str, Any], features: Sequence[str]) -> Any:
    """Return a model that reads the columns of its own feature families only."""
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import make_pipeline

    own = set(registry.select(parameters["features"], audit_attributes="include"))
    kept = [i for i, name in enumerate(features) if name in own]
    return make_pipeline(ColumnTransformer([("columns", "passthrough", kept)]), model)


def boosted(parameters: Mapping[str, Any], seed: int) -> Any:
    """Return unfitted boosted trees on one thread: how many would show in the stored bytes."""
    from xgboost import XGBClassifier

    chosen = {name: value for name, value in parameters.items() if name != "features"}
    return XGBClassifier(**chosen, random_state=seed, n_jobs=1)


def bag(parameters: Mapping[str, Any], seed: int) -> Any:
    """Return unfitted networks that differ in their seed alone, on ranks of each column.

    Parameters
    ----------
    parameters : mapping
        ``n_networks``, ``hidden`` (units a layer), ``alpha`` (L2 penalty), ``epochs`` (3 or
        more) and ``batch_size``.
    seed : int
    """
    from sklearn.ensemble import BaggingClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, QuantileTransformer

    network = MLPClassifier(
        hidden_layer_sizes=tuple(parameters["hidden"]),
        activation="tanh",
        alpha=parameters["alpha"],
        batch_size=parameters["batch_size"],
        # No epoch improves the loss by so much: training ends after a fixed number of
        # epochs, and scikit-learn does not take that for a failure to converge.
        tol=1e9,
        n_iter_no_change=parameters["epochs"] - 2,
        max_iter=parameters["epochs"] + 1,
    )
    return make_pipeline(
        QuantileTransformer(n_quantiles=200, subsample=None, random_state=0),
        MinMaxScaler((-SPREAD, SPREAD)),
        BaggingClassifier(
            network, n_estimators=parameters["n_networks"], bootstrap=False, random_state=seed
        ),
    )


MAKERS = {"trees": boosted, "networks": bag}
"""Kind of a member → what makes it, unfitted, from parameters and seed."""
