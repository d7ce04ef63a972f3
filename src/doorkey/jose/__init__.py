"""The strict layer over joserfc, and the only place that imports it.

`keys` reads and judges keys, `signing` makes signed tokens, `verification` checks them.
"""
