"""The shortcut API: `Login` adds a complete login to an application (routes, cookies, sessions in a store).

A route is a flow from a `WebRequest` to a `WebReply`. An adapter for each framework creates the request and sends the
reply.
"""
