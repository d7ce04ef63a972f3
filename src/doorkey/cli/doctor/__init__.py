"""The audit of an authorization server or an API by `doorkey doctor`.

`audit` is the flow that sends the requests. Each of the other modules checks one subject in the responses, and returns
findings.
"""
