"""The peer: a model served as tutorials serve one, by Flask and gunicorn.

JSON → a data frame of one row → features → ``RobustScaler`` → ``XGBClassifier`` → JSON. It
answers the probability alone: no checks, no reasons, no cluster, no interval.

Features by pandas, a call a feature, are what tutorials show, and most of what such a server
costs. So that this does not decide the comparison, the same peer is also measured with the
array features of this project in their place.
``gunicorn 'benchmarks.serving.peer:create(folder, "pandas", 1)'`` starts one; :func:`train`
makes the folder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from flask import Flask

MONTHS = range(1, 7)
STATUS = ["PAY_0", "PAY_2", "PAY_3", "PAY_4", "PAY_5", "PAY_6"]
BILL = [f"BILL_AMT{i}" for i in MONTHS]
PAID = [f"PAY_AMT{i}" for i in MONTHS]
RAW = ["LIMIT_BAL", *BILL, *PAID, *STATUS]
RECENCY = np.arange(6, 0, -1) / 21
SLOPE = np.array([2.5, 1.5, 0.5, -0.5, -1.5, -2.5]) / 17.5
SCALER = "scaler.joblib"
MODEL = "model.ubj"


def pandas_features(clients: pd.DataFrame) -> pd.DataFrame:
    """Return the features of the served model, in plain pandas.

    Parameters
    ----------
    clients : DataFrame, n rows
        Kaggle's columns.

    Returns
    -------
    DataFrame, n rows
        The raw columns and 46 features, under the names of the registry.
    """
    limit = clients["LIMIT_BAL"]
    parts = [
        clients[RAW],
        _delay(clients[STATUS]),
        _utilization(limit, clients[BILL]),
        _payment(limit, clients[BILL], clients[PAID]),
        _spend(limit, clients[BILL], clients[PAID]),
    ]
    return pd.concat(parts, axis=1)


def _delay(status: pd.DataFrame) -> pd.DataFrame:
    """Return counts of the codes, and length and recency of delays."""
    months, late = status.clip(lower=0), status >= 2
    return pd.DataFrame(
        {
            "n_late_2plus": late.sum(axis=1),
            "n_late_any": (status >= 1).sum(axis=1),
            "n_no_consumption": (status == -2).sum(axis=1),
            "n_paid_off": (status == -1).sum(axis=1),
            "n_revolving": (status == 0).sum(axis=1),
            "max_months_past_due": months.max(axis=1),
            "mean_months_past_due": months.mean(axis=1),
            "weighted_delay": (months * RECENCY).sum(axis=1),
            "months_since_delay": (late.cumsum(axis=1) == 0).sum(axis=1),
            "delay_run": late.cumprod(axis=1).sum(axis=1),
            "delay_change": months[STATUS[:3]].mean(axis=1) - months[STATUS[3:]].mean(axis=1),
        }
    )


def _utilization(limit: pd.Series, bill: pd.DataFrame) -> pd.DataFrame:
    """Return bills over the limit and what describes their course."""
    names = ["credit_utilization", *(f"utilization_{i}" for i in MONTHS if i > 1)]
    used = bill.div(limit, axis=0).set_axis(names, axis=1)
    share = used.clip(0, 1)
    return used.assign(
        utilization_mean=used.mean(axis=1),
        utilization_max=used.max(axis=1),
        utilization_min=used.min(axis=1),
        utilization_sd=used.std(axis=1, ddof=0),
        utilization_slope=(used * SLOPE).sum(axis=1),
        credit_utilization_clipped=share["credit_utilization"],
        headroom_share=1 - share.mean(axis=1),
    )


def _payment(limit: pd.Series, bill: pd.DataFrame, paid: pd.DataFrame) -> pd.DataFrame:
    """Return payments over the bills that they settle, and over the limit."""
    names = [f"pay_ratio_{i}" for i in range(1, 6)]
    owed = bill[BILL[1:]].clip(lower=0).set_axis(names, axis=1)
    settled = paid[PAID[:5]].set_axis(names, axis=1)
    ratio = (settled / owed).where(owed > 0, 1).clip(upper=1)
    all_owed = owed.sum(axis=1)
    return ratio.assign(
        avg_payment=paid.mean(axis=1),
        pay_ratio_mean=ratio.mean(axis=1),
        pay_ratio_min=ratio.min(axis=1),
        pay_ratio_total=(settled.sum(axis=1) / all_owed).where(all_owed > 0, 1).clip(upper=2),
        n_paid_in_full=((settled >= owed) & (owed > 0)).sum(axis=1),
        n_no_payment=(paid <= 0).sum(axis=1),
        n_round_payments=((paid > 0) & (paid % 1000 == 0)).sum(axis=1),
        payment_over_limit=paid.mean(axis=1) / limit,
        payment_max_over_limit=paid.max(axis=1) / limit,
        payment_slope_over_limit=(paid * SLOPE).sum(axis=1) / limit,
    )


def _spend(limit: pd.Series, bill: pd.DataFrame, paid: pd.DataFrame) -> pd.DataFrame:
    """Return the spend that two bills and a payment imply, over the limit."""
    names = [f"spend_over_limit_{i}" for i in range(1, 6)]
    newer, older = (bill[months].set_axis(names, axis=1) for months in (BILL[:5], BILL[1:]))
    spend = (newer - older + paid[PAID[:5]].set_axis(names, axis=1)).div(limit, axis=0)
    return spend.assign(
        spend_mean_over_limit=spend.mean(axis=1), spend_sd_over_limit=spend.std(axis=1, ddof=0)
    )


def train(clients: pd.DataFrame, target: pd.Series, model: Any, folder: Path) -> None:
    """Fit the scaler and the model and leave both in a folder.

    Parameters
    ----------
    clients : DataFrame, n rows
    target : Series, length n
    model : XGBClassifier
    folder : Path
    """
    import joblib
    from sklearn.preprocessing import RobustScaler

    features = pandas_features(clients)
    scaler = RobustScaler().fit(features)
    model.fit(scaler.transform(features), target)
    joblib.dump(scaler, folder / SCALER)
    model.save_model(folder / MODEL)


def array_features(names: Sequence[str]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return a function like :func:`pandas_features` that computes on arrays instead."""
    from creditrisk.features import record, registry

    compute = registry.compile_features(tuple(names))
    columns = pd.Index(names)
    return lambda clients: pd.DataFrame(compute(record.from_frame(clients)), columns=columns)


def create(folder: str, features: Literal["pandas", "arrays"], n_jobs: int | None) -> Flask:
    """Return the application.

    Parameters
    ----------
    folder : str
        Where :func:`train` left scaler and model.
    features : {"pandas", "arrays"}
    n_jobs : int or None
        Threads of XGBoost; None is its default, one a core.
    """
    import joblib
    from flask import Flask, jsonify, request
    from xgboost import XGBClassifier

    app = Flask(__name__)
    scaler = joblib.load(Path(folder) / SCALER)
    names = list(scaler.feature_names_in_)
    compute = array_features(names) if features == "arrays" else pandas_features
    model = XGBClassifier(n_jobs=n_jobs)
    model.load_model(Path(folder) / MODEL)

    @app.get("/readyz")
    def ready() -> str:
        return ""

    @app.post("/predict")
    def predict() -> Any:
        clients = pd.DataFrame([request.get_json()])
        scaled = scaler.transform(compute(clients))
        return jsonify(probability=float(model.predict_proba(scaled)[0, 1]))

    return app
