"""Power of tests in closed form: the chance to find a true effect of a given size.

Power is one minus the chance of a Type II error, a false null hypothesis kept. Two-sided
where that has a meaning, in the large-sample form that each source gives;
:mod:`creditrisk.stats.simulation.power_simulation` shows where that form is off.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import optimize, special, stats

from creditrisk.stats.noncentrality import noncentral_f_cdf


def normal_power(shift: float, alpha: float) -> float:
    """Return the power of a two-sided normal test.

    Parameters
    ----------
    shift : float
        True effect in standard errors.
    alpha : float
        Chance of a false alarm.

    Returns
    -------
    float
        Φ(shift − z) + Φ(−shift − z), z the 1 − α/2 quantile.
    """
    z = special.ndtri(1 - alpha / 2)
    return float(special.ndtr(shift - z) + special.ndtr(-shift - z))


def mean_difference_power(effect: float, n_first: int, n_second: int, alpha: float) -> float:
    """Return the power of a two-sided z-test of two means.

    Parameters
    ----------
    effect : float
        True difference in standard deviations.
    n_first, n_second : int
    alpha : float
        Chance of a false alarm.

    Returns
    -------
    float
        Φ(δ − z) + Φ(−δ − z) with δ = effect · √(n1·n2/(n1+n2)) and z the 1 − α/2
        quantile (Cohen 1988). Also that of the t-tests and of the permutation test
        from some dozens of values on.
    """
    return normal_power(effect * np.sqrt(n_first * n_second / (n_first + n_second)), alpha)


def rank_power(effect: float, n_first: int, n_second: int, alpha: float) -> float:
    """Return the power of the Mann-Whitney test.

    Parameters
    ----------
    effect : float
        True rank-biserial correlation r = 2·P(first > second) − 1.
    n_first, n_second : int
    alpha : float

    Returns
    -------
    float
        :func:`normal_power` at |r| · √(3 · n1·n2/(n1+n2)) (Noether 1987, with
        p − ½ = r/2). Ties are ignored, which make the test's variance smaller; so is
        that the variance changes under the alternative, which tells where power is high.
    """
    return normal_power(effect * np.sqrt(3 * n_first * n_second / (n_first + n_second)), alpha)


def chi_square_power(effect: float, n: int, n_rows: int, n_columns: int, alpha: float) -> float:
    """Return the power of the chi-square test of an r × c table.

    Parameters
    ----------
    effect : float
        True Cramér's V.
    n : int
        Rows of data.
    n_rows, n_columns : int
        Shape of the table.
    alpha : float

    Returns
    -------
    float
        Upper tail of the non-central χ² with non-centrality n · V² · (min(r, c) − 1)
        (Cohen 1988, with w² = V² · (min(r, c) − 1)).
    """
    df = (n_rows - 1) * (n_columns - 1)
    critical = stats.chi2.isf(alpha, df)
    return float(stats.ncx2.sf(critical, df, n * effect**2 * (min(n_rows, n_columns) - 1)))


def kruskal_power(effect: float, n: int, n_groups: int, alpha: float) -> float:
    """Return the power of the Kruskal-Wallis test.

    Parameters
    ----------
    effect : float
        True ε², the share of the variance of the ranks between the groups.
    n, n_groups : int
    alpha : float

    Returns
    -------
    float
        Upper tail of the non-central χ² with k − 1 degrees of freedom and
        non-centrality (n − 1) · ε² (Andrews 1954: the limit of H near equality).
    """
    critical = stats.chi2.isf(alpha, n_groups - 1)
    return float(1 - special.chndtr(critical, n_groups - 1, (n - 1) * effect))


def f_power(effect: float, n: int, df: int, df_error: int, alpha: float) -> float:
    """Return the power of the F-test of one term of a linear model.

    Parameters
    ----------
    effect : float
        True partial share of the variance, below 1.
    n : int
        Rows of data.
    df, df_error : int
        Degrees of freedom of the term and of the error.
    alpha : float

    Returns
    -------
    float
        Upper tail of the non-central F with non-centrality n · η²/(1 − η²)
        (Cohen 1988, with f² = η²/(1 − η²)).
    """
    critical = stats.f.isf(alpha, df, df_error)
    return 1 - noncentral_f_cdf(critical, df, df_error, n * effect / (1 - effect))


def minimum_detectable_effect(
    power_of: Callable[[float], float], *, power: float, largest: float
) -> float | None:
    """Return the smallest effect that is found with the wanted power.

    Parameters
    ----------
    power_of : callable
        Power as a function of the effect, non-decreasing.
    power : float
        Wanted power, e.g. 0.8.
    largest : float
        Where the search ends.

    Returns
    -------
    float or None
        None when not even ``largest`` is found that often.
    """
    if power_of(largest) < power:
        return None
    if power_of(0.0) >= power:
        return 0.0
    return float(optimize.brentq(lambda effect: power_of(effect) - power, 0.0, largest))
