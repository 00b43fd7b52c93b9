"""The prediction service: ``bentoml serve`` here, ``bentoml build`` to take it elsewhere.

It loads what the pipeline left in ``models/``, validates, and calls the façade
:mod:`creditrisk.scoring`. It never trains. Routes and rules stand in
:mod:`creditrisk.serving`.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bentoml
import orjson
from bentoml.exceptions import BentoMLException
from pydantic import ValidationError
from starlette.responses import Response

from creditrisk.errors import UserError
from creditrisk.features.record import ClientRecord, from_mappings
from creditrisk.serving import artefacts, batches, connections, guard, metrics, replies, site
from creditrisk.serving.checks import Invalid
from creditrisk.serving.messages import EXAMPLE, Batch, Client
from creditrisk.serving.replies import Prediction, Results
from creditrisk.serving.together import Together

ROOT = Path(__file__).resolve().parent  # not the working directory: right inside a bento too

connections.bound()  # before uvicorn chooses its protocol

pages = site.build(
    ROOT / "web",
    lambda: CreditDefault.openapi_spec.asdict(),  # type: ignore[attr-defined]  # noqa: PLW0108
    lambda: bentoml.get_current_service().scorer,
)


@bentoml.asgi_app(pages, path="/")
@bentoml.service(
    name="credit_default",
    image=bentoml.images.Image(
        lock_python_packages=False,  # the file is a full lock, with hashes
        python_requirements=(ROOT / "requirements-serve.txt").read_text(encoding="utf-8"),
    ),
    workers=2,
    threads=1,
    # The guard ends a request after 10 seconds in the agreed shape; this is the backstop.
    traffic={"timeout": 15},
    http={"host": "127.0.0.1", "port": 3000},
    # Each request would cost twice as much with the access log and tracing on.
    logging={"access": {"enabled": False}},
    tracing={"excluded_urls": ".*"},
    metrics={"enabled": False},
    envs=[
        {"name": "OMP_NUM_THREADS", "value": "1"},
        {"name": "OPENBLAS_NUM_THREADS", "value": "1"},
    ],
)
class CreditDefault:
    """Probability of next-month default for existing cardholders, an early warning."""

    @bentoml.on_deployment
    def check_models() -> None:  # BentoML makes it a static method
        """Stop the start with one line where a model file is absent or was changed."""
        try:
            artefacts.read(artefacts.folder(ROOT))
        except UserError as error:
            raise BentoMLException(str(error)) from None

    def __init__(self) -> None:
        guard.quiet_client_errors()
        self.scorer = artefacts.load_scorer(artefacts.folder(ROOT))
        self._score_together = Together(self._score_clients)
        # BentoML makes a method anew from its signature each time that it is looked up.
        self.predict = self.predict
        self._score_clients([Client.model_validate(EXAMPLE)])  # or the first caller waits
        gc.collect()
        gc.freeze()  # what is loaded stays: no collection needs to look at it again,
        gc.set_threshold(10_000)  # nor at a batch's dictionaries while it is answered

    def __is_ready__(self) -> bool:
        """Return whether the model is loaded."""
        return hasattr(self, "scorer")

    @bentoml.api
    async def predict(self, client: Client, /) -> Prediction:
        """Score one client.

        ``decision`` is ``flag`` where the probability reaches ``threshold``; ``flags`` says
        when to read the score with care.
        """
        batches.require_one(client, self.scorer.audit_columns)
        return answer(await self._score_together(client))

    @bentoml.api
    def predict_batch(self, batch: Batch, /) -> Results:
        """Score up to 10,000 clients: same order and same numbers as one by one."""
        record, errors = batches.read_clients(batch, self.scorer.audit_columns)
        scored = iter(self._score(record, explain=batch.reasons) if len(record) else [])
        results = [
            errors[i].model_dump() if i in errors else next(scored)
            for i in range(len(batch.clients))
        ]
        return answer({"results": results})

    def _score_clients(self, clients: Sequence[Client]) -> list[dict[str, Any]]:
        return self._score(from_mappings([vars(client) for client in clients]))

    def _score(self, record: ClientRecord, *, explain: bool = True) -> list[dict[str, Any]]:
        scores = self.scorer.score(record, explain=explain)
        scored = replies.predictions(scores, record, self.scorer)
        metrics.count(scored)
        return scored


def answer(document: dict[str, Any]) -> Any:
    """Return a reply as it goes out; /docs.json states its form from the annotations."""
    return Response(orjson.dumps(document), media_type="application/json")


async def predict_directly(body: bytes) -> Response:
    """Answer a POST to /predict past BentoML's own layers, which cost as much as the scoring."""
    try:
        client = Client.model_validate_json(body or b"{}")
        return await bentoml.get_current_service().predict(client)
    except ValidationError as error:
        raise Invalid(error) from None


CreditDefault.add_asgi_middleware(  # type: ignore[attr-defined]
    guard.Guard, direct={"/predict": predict_directly}
)
