"""A few cases of each attack; ``python -m tests.attack --full`` makes all of them."""

from __future__ import annotations

import pytest

from tests.attack.__main__ import ATTACKS
from tests.attack.ground import Skip, Yard

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Yard:
    return Yard(tmp_path_factory.mktemp("attack"), is_full=False)


@pytest.mark.parametrize("name", ATTACKS)
def test_the_pipeline_holds(yard: Yard, name: str) -> None:
    try:
        assert ATTACKS[name].attack(yard)
    except Skip as reason:
        pytest.skip(str(reason))
