from doorkey.pages.headers import page_headers
from doorkey.pages.style import style_source


def test_a_page_is_kept_by_no_cache_framed_by_no_page_and_loads_nothing() -> None:
    headers = dict(page_headers())
    assert headers["Content-Security-Policy"] == (
        f"default-src 'none'; {style_source()}; frame-ancestors 'none'; base-uri 'none'"
    )
    assert "no-store" in headers["Cache-Control"]
    assert headers["Referrer-Policy"] == "same-origin"
    assert (headers["X-Content-Type-Options"], headers["X-Frame-Options"]) == ("nosniff", "DENY")
    assert headers["Content-Type"] == "text/html;charset=utf-8"


def test_a_page_may_load_its_own_frames_and_one_script() -> None:
    frames = ["https://a.example/out?x=1", "https://a.example/other", "http://127.0.0.1:9499/out"]
    policy = dict(page_headers(frames=frames, script="https://as.example/continue.js"))["Content-Security-Policy"]
    assert "; frame-src https://a.example http://127.0.0.1:9499; script-src https://as.example/continue.js; " in policy
    assert "unsafe" not in policy
