"""Requests made from the learner's own OpenAPI document, by schemathesis."""

import json
import re
from dataclasses import dataclass

import httpx
import pytest

MOST = 200_000  # bytes of a document
LARGE = 100
NESTED = re.compile(r"[*+}]\)+[*+{]")  # a repetition of repetitions takes for ever to match
OPERATIONS = {
    "POST /orders": {201, 404, 409, 422},
    "GET /orders": {200, 422},
    "GET /orders/{}": {200, 404, 422},
    "POST /orders/{}/cancel": {200, 404, 409, 422},
}


@dataclass
class Made:
    """One request, and whether the document allows it."""

    operation: str
    case: object
    allowed: bool
    body: bytes | None

    @property
    def text(self):
        sent = "" if self.body is None else f" with {self.body[:300].decode(errors='replace')}"
        path = httpx.URL(self._arguments()["url"]).raw_path.decode()
        return f"{self.case.method} {path[:200]}{sent}"

    def _arguments(self):
        return self.case.as_transport_kwargs(base_url="http://127.0.0.1")

    def send(self, shop):
        given = self._arguments()
        url = httpx.URL(given["url"])
        headers = {"Content-Type": "application/json"} if self.body is not None else {}
        return shop.http.request(
            given["method"],
            url.raw_path.decode().partition("?")[0],
            params=given.get("params") or None,
            content=self.body,
            headers=headers,
        )


def document(shop):
    """The OpenAPI document, when it is one that can be worked with."""
    answer = shop.http.get("/openapi.json")
    assert answer.status_code == 200, "GET /openapi.json should answer with the OpenAPI document."
    if len(answer.content) > MOST:
        pytest.fail(f"The OpenAPI document is larger than {MOST} bytes.")
    try:
        value = json.loads(answer.content)
    except (ValueError, RecursionError):
        pytest.fail("/openapi.json is not JSON.")
    if not isinstance(value, dict) or not str(value.get("openapi", "")).startswith("3."):
        pytest.fail("/openapi.json should be an OpenAPI document of version 3.")
    _look_through(value)
    return value


def _look_through(value):
    """References stay inside: nobody is sent to a file or to a server. Nothing in it is huge."""
    if isinstance(value, dict):
        for name in ("minLength", "minItems", "minProperties"):
            least = value.get(name)
            if isinstance(least, int | float) and least > LARGE:
                pytest.fail(f"In the OpenAPI document {name} is {least}. Nobody sends so much.")
        pattern = value.get("pattern")
        if isinstance(pattern, str) and (len(pattern) > LARGE or NESTED.search(pattern)):
            pytest.fail(f"This pattern in the OpenAPI document is too complex: {pattern[:100]}")
        for name in ("$ref", "$id", "$dynamicRef", "externalValue"):
            target = value.get(name)
            if isinstance(target, str) and not target.startswith("#/"):
                pytest.fail(f"{name} leads out of the OpenAPI document: {target[:100]}")
        value = list(value.values())
    for each in value if isinstance(value, list) else ():
        _look_through(each)


def operations(value):
    """What schemathesis reads in the document: `GET /orders/{}` -> operation."""
    import schemathesis
    from schemathesis.config import SchemathesisConfig
    from schemathesis.errors import SchemathesisError

    found = {}
    try:
        schema = schemathesis.openapi.from_dict(value, config=SchemathesisConfig())
        for result in schema.get_all_operations():
            operation = result.ok()
            path = re.sub(r"\{[^}]*\}", "{}", operation.path)
            found[f"{operation.method.upper()} {path}"] = operation
    except (SchemathesisError, ValueError, TypeError, KeyError, AttributeError) as error:
        pytest.fail(f"/openapi.json is no OpenAPI document: {error}"[:500])
    missing = OPERATIONS.keys() - found.keys()
    assert sorted(missing) == [], "These operations are missing in /openapi.json."
    return {name: found[name] for name in OPERATIONS}


def statuses(operation):
    """The statuses that the document names for an operation."""
    named = operation.definition.raw.get("responses", {})
    return {int(status) for status in named if str(status).isdigit()}


def requests(found, seed, count):
    """`count` requests that the document allows, and as many that it does not, per operation."""
    from hypothesis.errors import HypothesisException
    from schemathesis import GenerationMode
    from schemathesis.errors import SchemathesisError

    made = []
    modes = {True: GenerationMode.POSITIVE, False: GenerationMode.NEGATIVE}
    for number, (name, operation) in enumerate(found.items()):
        for allowed, mode in modes.items():
            try:
                cases = _drawn(operation.as_strategy(generation_mode=mode), seed + number, count)
            except (SchemathesisError, HypothesisException) as error:
                what = "that it allows" if allowed else "that it forbids"
                text = f"From /openapi.json no request {what} can be made for {name}: {error}"
                pytest.fail(text[:500])
            made += [Made(name, case, allowed, _body(case)) for case in cases]
    return [each for each in made if each.body is None or _is_json(each.body)]


def _is_json(body):
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def _drawn(strategy, seed, count):
    import hypothesis

    cases = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(strategy)
    def collect(case):
        cases.append(case)

    collect()
    return cases


def _body(case):
    given = case.as_transport_kwargs(base_url="http://127.0.0.1")
    if given.get("json") is not None:
        return json.dumps(_integers(given["json"])).encode()
    data = given.get("data")
    return data.encode() if isinstance(data, str) else data if isinstance(data, bytes) else None


def _integers(value):
    """JSON Schema takes 3.0 for an integer, and not every library does: 3 is one for all."""
    if isinstance(value, dict):
        return {name: _integers(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_integers(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def contradiction(operation, answer):
    """What the body of an answer has that the document does not say; None when it fits."""
    from schemathesis.core.failures import Failure, FailureGroup

    try:
        operation.validate_response(answer)
    except FailureGroup as group:
        return "; ".join(_told(each) for each in group.exceptions)[:400]
    except Failure as failure:
        return _told(failure)[:400]
    return None


def _told(failure):
    message = getattr(failure, "message", "") or str(failure)
    return f"{failure.title}: {' '.join(message.split())}"
