"""The time of each step of a request."""

from __future__ import annotations

from doorkey.cli.api.sending import Timeline


def test_each_step_has_its_duration_and_the_total_counts_from_the_start() -> None:
    now = iter([0.0, 1.0, 2.0, 4.0, 5.0, 9.0, 16.0, 20.0])
    timeline = Timeline(lambda: next(now))
    timeline.mark("begin")
    timeline.mark("resolved")
    events = ["connection.connect_tcp.started", "connection.connect_tcp.complete", "connection.start_tls.started"]
    events += ["connection.start_tls.complete", "http11.send_request_body.started"]
    events += ["http11.receive_response_headers.complete"]
    for event in events:
        timeline.seen(event, {})
    timeline.mark("end")
    assert timeline.durations() == {"DNS": 1.0, "connect": 2.0, "TLS": 4.0, "first byte": 16.0, "total": 20.0}


def test_a_step_that_did_not_happen_is_not_shown() -> None:
    now = iter([0.0, 3.0])
    timeline = Timeline(lambda: next(now))
    timeline.mark("begin")
    timeline.mark("end")
    assert timeline.durations() == {"total": 3.0}
