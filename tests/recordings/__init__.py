"""What the real Keycloak answers, recorded, and the same questions for anything that says it answers like it.

`scenarios` asks, `normalize` takes out what differs from run to run, `record` writes keycloak.json
(`./dev record`), and `compare` tells the differences between an answer and the recorded one.
"""
