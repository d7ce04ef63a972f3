"""The core of the authorization server: endpoints as flows over a store, without a framework, a clock or a socket.

Theory of operation. Every endpoint is a function `(request, at) -> Flow[Response]`. It takes the request as a value and
`at`, the issuer and the time of the request (`context.At`), and it yields typed storage effects (`storage`) until it
has its response. `run(endpoint(request, at), storage.perform)` processes one request. Only the store keeps state
between requests. To refuse a request, an endpoint raises the `ServerError` for the client. Exactly one place turns it
into a response (`responses.answered`).

`endpoints/` has one file per endpoint, and `grants/` has one per grant. A new grant is a file and a line in
`grants/__init__`.
"""
