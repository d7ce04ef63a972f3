"""The authorization-server core: endpoints as flows over a store, without a framework, a clock or a socket.

Theory of operation. Every endpoint is a function `(request, at) -> Flow[Response]`. It takes the request as a value and
`at`, the issuer and the time of the request (`context.At`), and it yields typed storage effects (`storage`) until it
has its response. `run(endpoint(request, at), storage.perform)` answers one request; nothing is kept between two
requests except in the store. A refusal is raised as the `ServerError` that the client is going to see, and becomes a
response in exactly one place (`responses.answered`).

`endpoints/` has one file per endpoint, `grants/` one per grant; a new grant is a file and a line in
`grants/__init__`.
"""
