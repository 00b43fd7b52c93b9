"""A study's mark differs where its data or its champion do, and nowhere else."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml

from creditrisk import io, params, paths, schema
from creditrisk.validation.fingerprint import IDENTITY, WORDS, differences, fingerprint
from tests import generated

RECIPE = {"name": "xgboost", "features": ["amounts"], "max_depth": 3, "learning_rate": 0.1}
FEATURES = ["LIMIT_BAL", "PAY_0"]
LABELS = generated.clients(200, 1)[list(IDENTITY)]
MARK = fingerprint(LABELS, RECIPE, FEATURES)


def changed(labels=LABELS, recipe=RECIPE, features=FEATURES):
    """Return the parts of the mark that a change moves."""
    other = fingerprint(labels, recipe, features)
    return [key for key in MARK if MARK[key] != other[key]]


def test_a_mark_is_three_short_hashes_that_repeat():
    assert set(MARK) == set(WORDS)
    assert all(len(digest) == 16 and int(digest, 16) >= 0 for digest in MARK.values())
    assert changed(LABELS.copy(), dict(reversed(RECIPE.items())), tuple(FEATURES)) == []


@pytest.mark.parametrize("column", IDENTITY)
def test_one_changed_label_group_or_split_is_noticed(column):
    labels = LABELS.copy()
    if column == schema.SPLIT:
        held = labels[column] == schema.HOLDOUT
        labels.loc[labels.index[np.argmax(held)], column] = schema.TRAIN
    else:
        values = labels[column].to_numpy().copy()
        values[3] = not values[3] if values.dtype == bool else values[3] + 1
        labels[column] = values
    assert changed(labels=labels) == ["clients"]


def test_clients_are_the_same_whatever_the_width_of_the_numbers_and_other_columns():
    same = LABELS.astype({schema.TARGET: "int8", schema.GROUP: "int32"}).assign(LIMIT_BAL=1.0)
    assert changed(labels=same) == []
    assert changed(labels=LABELS.iloc[::-1]) == ["clients"]
    assert changed(labels=LABELS.iloc[1:]) == ["clients"]


def test_a_parameter_is_noticed_and_the_name_and_the_families_are_not_parameters():
    assert changed(recipe=RECIPE | {"max_depth": 4}) == ["recipe"]
    assert changed(recipe=RECIPE | {"reg_lambda": 1}) == ["recipe"]
    bare = {k: v for k, v in RECIPE.items() if k not in ("name", "features")}
    assert changed(recipe=bare) == []
    assert changed(recipe=RECIPE | {"features": ["amounts", "audit"]}) == []


def test_a_recipe_is_the_same_from_params_yaml_and_from_what_training_stored():
    """A float field turns 15 into 15.0; the study reads the one, the pipeline the other."""
    assert changed(recipe=RECIPE | {"max_depth": 3.0}) == []
    nested = RECIPE | {"trees": {"hidden": [64, 32], "is_fast": True}}
    again = RECIPE | {"trees": {"hidden": (64.0, 32), "is_fast": True}}
    assert fingerprint(LABELS, nested, FEATURES) == fingerprint(LABELS, again, FEATURES)
    other = RECIPE | {"trees": {"hidden": [64, 32], "is_fast": 1}}
    assert fingerprint(LABELS, nested, FEATURES) != fingerprint(LABELS, other, FEATURES)


def test_the_champions_recipe_of_params_yaml_is_fresh_after_training():
    from stages import train

    section = yaml.safe_load((paths.ROOT / paths.PARAMS).read_text(encoding="utf-8"))["train"]
    recipe = section["families"]["xgboost"]
    validated = params.parse(train.Params, train.select(section, "xgboost"), "train").family
    stored = json.loads(io.json_text(validated.model_dump()))
    assert changed(recipe=recipe) == ["recipe"]
    assert fingerprint(LABELS, recipe, FEATURES) == fingerprint(LABELS, stored, FEATURES)


def test_features_and_their_order_are_noticed():
    assert changed(features=[*FEATURES, "AGE"]) == ["features"]
    assert changed(features=FEATURES[::-1]) == ["features"]


def test_differences_are_said_in_words():
    assert differences(MARK, MARK) == []
    other = fingerprint(LABELS.iloc[1:], RECIPE | {"max_depth": 4}, FEATURES)
    assert differences(other, MARK) == [WORDS["clients"], WORDS["recipe"]]
    assert differences({}, MARK) == list(WORDS.values()), "a mark that lacks a part is stale"
