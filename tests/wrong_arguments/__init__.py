"""One idea: only errors of our own tree come out, whatever a program passes and whatever a server sends."""
