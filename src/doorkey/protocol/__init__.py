"""OAuth 2 without input or output: requests and responses as values, and what to make of them.

Nothing in this folder imports an HTTP, threading or async library, reads a clock or the environment, or changes
what it is given. A single round trip is a pair (build the request, parse the response); several are a flow.
"""
