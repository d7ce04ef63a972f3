"""The authorization-server core: endpoints as flows over a store, without a framework, a clock or a socket.

Theory of operation. Every endpoint is a function `(request, at) -> Flow[Response]`: it takes the request as a
value and `at`, the issuer it was asked at and the moment (`context.At`), and it yields typed storage effects
(`storage`) until it has its answer. `run(endpoint(request, at), storage.perform)` answers one request;
nothing is kept between two requests except in the store. What the server refuses is raised as the
`ServerError` that the client is going to see, and becomes a response in exactly one place
(`answers.answered`).

`endpoints/` has one file per endpoint, `grants/` one per grant; a new grant is a file and a line in
`grants/__init__`.
"""
