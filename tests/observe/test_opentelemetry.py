"""Events as spans and metrics, read by the SDK itself."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import anyio.lowlevel
import httpx2
import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from doorkey import AsyncTokenSource, ClientCredentials, OAuthError, TokenSource, UsageError
from tests.observe.conftest import ACCESS, REFRESH, SECRET, SECRETS, World, others_waiting
from tests.support.backends import both_backends
from tests.support.every_adapter import together
from tests.support.hostile_server import Held, reply, token

ENDPOINT = "https://as.example/token"


class Telemetry:
    """What the program's SDK has exported."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        since_the_last_look = AggregationTemporality.DELTA
        self.reader = InMemoryMetricReader({Counter: since_the_last_look, Histogram: since_the_last_look})
        traces = TracerProvider()
        traces.add_span_processor(SimpleSpanProcessor(self.exporter))
        trace.set_tracer_provider(traces)
        metrics.set_meter_provider(MeterProvider([self.reader]))

    def spans(self) -> list[ReadableSpan]:
        """The token requests of this test, in the order they ended."""
        return [span for span in self.exporter.get_finished_spans() if span.name == "oauth.token_request"]

    def measured(self, server: str) -> dict[str, list[Any]]:
        """What was measured for one authorization server since the last look, by the instrument's name."""
        data = self.reader.get_metrics_data()
        points = [
            (metric.name, point)
            for resource in (data.resource_metrics if data is not None else ())
            for scope in resource.scope_metrics
            if scope.scope.name == "doorkey"
            for metric in scope.metrics
            for point in metric.data.data_points
            if (point.attributes or {}).get("oauth.authorization_server") == server
        ]
        return {name: [point for named, point in points if named == name] for name, _ in points}

    def forget(self) -> None:
        """Begin anew: the next test's server may get the port that this one's had."""
        self.exporter.clear()
        self.reader.get_metrics_data()


@pytest.fixture(scope="session")
def whole_run() -> Telemetry:
    return Telemetry()


@pytest.fixture
def telemetry(whole_run: Telemetry) -> Iterator[Telemetry]:
    whole_run.forget()
    yield whole_run
    whole_run.forget()


def test_a_token_request_is_a_span_below_the_current_one(telemetry: Telemetry, world: World) -> None:
    world.server.on("/token", token(ACCESS))
    assert world.call() == 200
    (span,) = telemetry.spans()
    assert span.kind is SpanKind.CLIENT
    assert span.attributes == {
        "oauth.client_id": "c",
        "oauth.authorization_server": world.server.token_endpoint,
        "oauth.grant_type": world.grant_type,
        "server.address": "127.0.0.1",
        "server.port": world.server.port,
    }
    assert span.status.status_code is StatusCode.UNSET
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_a_failure_is_the_spans_too_without_the_servers_words(telemetry: Telemetry, world: World) -> None:
    world.server.on("/token", reply(400, json={"error": "invalid_scope", "error_description": "".join(SECRETS)}))
    with pytest.raises(OAuthError):
        world.call()
    (span,) = telemetry.spans()
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "invalid_scope")
    assert (span.attributes or {})["error.type"] == "invalid_scope"
    assert span.events == ()


def test_everything_is_counted_and_what_takes_time_is_measured(telemetry: Telemetry, world: World) -> None:
    held = Held(token("first", refresh_token=REFRESH))
    world.server.on("/token", held, token("second", refresh_token=REFRESH), reply(400, json={"error": "invalid_grant"}))
    with others_waiting(world, 2, held) as outcome:
        world.timer.advance(0.5)
        held.release.set()
        outcome()
    world.server.on("/api", reply(401))
    world.call()
    measured = telemetry.measured(world.server.token_endpoint)
    counted = {
        (point.attributes["oauth.event"], point.attributes.get("oauth.grant_type")): point.value
        for point in measured["oauth.client.token.events"]
    }
    assert counted[("requested", world.grant_type)] >= 1
    assert counted[("waited", None)] == 2
    assert counted[("rejected", None)] >= 1
    (waits,) = measured["oauth.client.token.wait.duration"]
    assert (waits.count, waits.sum) == (2, 1.0)
    requests = measured["oauth.client.token.request.duration"]
    assert max(point.max for point in requests) == 0.5
    assert requests[0].explicit_bounds[0] == 0.005


def test_no_secret_is_in_any_span_or_metric(telemetry: Telemetry, world: World) -> None:
    echoed = {"error": ACCESS, "error_description": "".join(SECRETS), "error_uri": REFRESH}
    world.server.on("/token", reply(400, json=echoed), token(ACCESS, refresh_token=REFRESH))
    world.server.on("/api", reply(401), reply(200))
    for _ in range(3):
        together(2, world.call)
    shown = [span.to_json() for span in telemetry.spans()]
    data = telemetry.reader.get_metrics_data()
    assert shown
    assert data is not None
    shown.append(data.to_json())
    assert [secret for secret in SECRETS for text in shown if secret in text] == []


def test_the_exchange_happens_within_the_span_and_the_span_within_the_callers(telemetry: Telemetry) -> None:
    within: list[Any] = []

    def answer(_: httpx2.Request) -> httpx2.Response:
        within.append(trace.get_current_span().get_span_context())
        return httpx2.Response(200, json={"access_token": ACCESS, "token_type": "Bearer"})

    with httpx2.Client(transport=httpx2.MockTransport(answer)) as client, outer_span() as outer:
        TokenSource(ClientCredentials("c", SECRET), token_endpoint=ENDPOINT, http_client=client).token()
        assert trace.get_current_span() is outer
    (span,) = telemetry.spans()
    assert span.parent == outer.get_span_context()
    assert within == [span.context]
    assert (span.attributes or {})["server.port"] == 443


@both_backends
@pytest.mark.anyio
async def test_so_it_does_for_tasks(telemetry: Telemetry, anyio_backend: str) -> None:
    within: list[Any] = []

    def answer(_: httpx2.Request) -> httpx2.Response:
        within.append(trace.get_current_span().get_span_context())
        return httpx2.Response(200, json={"access_token": ACCESS, "token_type": "Bearer"})

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as client:
        with outer_span() as outer:
            source = AsyncTokenSource(ClientCredentials("c", SECRET), token_endpoint=ENDPOINT, http_client=client)
            await source.token()
            assert trace.get_current_span() is outer
    (span,) = telemetry.spans()
    assert span.parent == outer.get_span_context()
    assert within == [span.context]


class Exporting(SpanProcessor):
    """What exports a span as soon as it has begun, or ended, by a client that is signed by the same source."""

    wants: Callable[[], None] = staticmethod(lambda: None)

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        self.wants()

    def on_end(self, span: ReadableSpan) -> None:
        self.wants()


@pytest.fixture(scope="session")
def exporting(whole_run: Telemetry) -> Exporting:
    processor = Exporting()
    provider: Any = trace.get_tracer_provider()
    provider.add_span_processor(processor)
    return processor


def test_an_exporter_may_start_a_task_that_wants_the_token(
    telemetry: Telemetry, exporting: Exporting, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought: list[str] = []

    async def main() -> None:
        import asyncio

        tasks: list[asyncio.Task[None]] = []

        async def exports() -> None:
            brought.append((await source.token()).access_token.reveal())

        monkeypatch.setattr(exporting, "wants", lambda: tasks.append(asyncio.get_running_loop().create_task(exports())))

        async def answer(_: httpx2.Request) -> httpx2.Response:
            await anyio.lowlevel.checkpoint()  # the task runs while the token is being renewed
            return httpx2.Response(200, json={"access_token": ACCESS, "token_type": "Bearer"})

        async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as client:
            source = AsyncTokenSource(ClientCredentials("c", SECRET), token_endpoint=ENDPOINT, http_client=client)
            await source.token()
            await asyncio.gather(*tasks)

    anyio.run(main)
    assert brought == [ACCESS, ACCESS]


def test_an_exporter_that_requests_the_token_gets_the_error_of_a_callback(
    telemetry: Telemetry, exporting: Exporting, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    def exports() -> None:
        try:
            told.append(source.token().access_token.reveal())
        except UsageError as error:
            told.append(str(error))

    monkeypatch.setattr(exporting, "wants", exports)
    answer = httpx2.MockTransport(lambda _: httpx2.Response(200, json={"access_token": ACCESS, "token_type": "Bearer"}))
    with httpx2.Client(transport=answer) as client:
        source = TokenSource(ClientCredentials("c", SECRET), token_endpoint=ENDPOINT, http_client=client)
        assert source.token().access_token.reveal() == ACCESS
    assert ["on_event requests the token" in one for one in told] == [True, True]


def outer_span() -> Any:
    return trace.get_tracer("a test").start_as_current_span("the caller's")


PROGRAM = """
import sys
{before}
from doorkey import ClientCredentials, OAuthError, TokenSource
told = []
source = TokenSource(ClientCredentials("c", "s"), token_endpoint="http://127.0.0.1:1/token", on_event=told.append)
try:
    source.token()
except OAuthError:
    print([event.kind for event in told], "opentelemetry" in sys.modules)
"""
BLOCKED = """
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "opentelemetry":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocker())
"""


@pytest.mark.parametrize(
    ("before", "there"), [(BLOCKED, False), ("", False), ("from opentelemetry import trace", True)]
)
def test_it_is_not_needed_and_not_imported_for_a_program_that_does_not_use_it(before: str, there: bool) -> None:
    program = PROGRAM.format(before=before)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"['requested', 'failed'] {there}"
    assert done.stderr == ""


def test_it_is_not_imported_before_there_is_an_event() -> None:
    program = """
import sys
from opentelemetry import trace
import doorkey.sources, doorkey.integrations.httpx_client
from doorkey import ClientCredentials, TokenSource
TokenSource(ClientCredentials("c", "s"), token_endpoint="http://127.0.0.1:1/token")
print(sorted(name for name in sys.modules if name.startswith("doorkey.observe.")))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['doorkey.observe.events', 'doorkey.observe.logs', 'doorkey.observe.observer']"
