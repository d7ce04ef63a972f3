"""The errors of Redis as errors of a store: whether a retry may help, and the remedy.

An error begins with a word in capitals (https://redis.io/docs/latest/develop/reference/protocol-spec). redis-py has
classes for some of these words, and removes the word from their messages. In a script, Redis 6 puts its own text before
the word.
"""

from __future__ import annotations

import re
from typing import Final

from redis import exceptions

from doorkey.errors import RecordError, StoreError
from doorkey.stores.limits import unusable

__all__: list[str] = []


TRANSIENT: Final = {
    "READONLY": "this node is a replica. After a failover, its name must lead to the new primary",
    "LOADING": "it is loading its data after a start",
    "MASTERDOWN": "this node is a replica that has lost its primary",
    "CLUSTERDOWN": "the cluster does not serve this key. Check that all slots are assigned and their nodes are running",
    "TRYAGAIN": "the cluster is moving this key to another node",
    "BUSY": "a script occupies it. SCRIPT KILL ends the script",
    "NOREPLICAS": "too few replicas are connected for a write (min-replicas-to-write)",
}
"""Conditions that end without a change of settings, by the word of Redis's error."""

_CLUSTER: Final = "it is a node of a cluster: give a redis.RedisCluster, not the URL of one node"
LASTING: Final = {
    "MOVED": _CLUSTER,
    "ASK": _CLUSTER,
    "CROSSSLOT": "a proxy puts a record's key into a slot of another node",
    "OOM": "its memory is full: raise maxmemory, and choose a maxmemory-policy that evicts no records of doorkey",
    "MISCONF": "it cannot write to its disk: see its log",
    "NOAUTH": "it requires a password: put one into the URL",
    "WRONGPASS": "it does not accept the user name and the password of the URL",
    "NOPERM": "its ACL does not let this user run EVAL, or use keys with this prefix",
    "DENIED": "it is in protected mode: give it a password, or bind it to an address",
}
"""Conditions that last until a setting of Redis or of the program is changed."""

_ANOTHER_NODE: Final = ("READONLY", "LOADING", "MASTERDOWN")
"""The command had no effect, and the host name may lead to another node by now."""

_WORD: Final = re.compile(rf"(?:^|[\s:-])({'|'.join((*TRANSIENT, *LASTING))})\b")

_CLASSES: Final = (
    (exceptions.ReadOnlyError, "READONLY"),
    (exceptions.BusyLoadingError, "LOADING"),
    (exceptions.MasterDownError, "MASTERDOWN"),
    (exceptions.ClusterDownError, "CLUSTERDOWN"),
    (exceptions.TryAgainError, "TRYAGAIN"),
    (exceptions.MovedError, "MOVED"),
    (exceptions.AskError, "ASK"),
    (exceptions.ClusterCrossSlotError, "CROSSSLOT"),
    (exceptions.OutOfMemoryError, "OOM"),
    (exceptions.NoPermissionError, "NOPERM"),
)


def error_code_of(error: Exception) -> str | None:
    """Return the error code in Redis's `error`, or None if Redis did not reject the command, or the code is unknown."""
    for kind, word in _CLASSES:
        if isinstance(error, kind):
            return word
    if isinstance(error, exceptions.AuthenticationError):  # two words share this class
        return "WRONGPASS" if "invalid" in str(error).lower() else "NOAUTH"
    found = _WORD.search(str(error)) if isinstance(error, exceptions.ResponseError) else None
    return None if found is None else found[1]


def needs_another_node(error: Exception) -> bool:
    """Return whether the command had no effect, and may succeed on a new connection, which may be to another node."""
    return error_code_of(error) in _ANOTHER_NODE


def failure(error: Exception) -> StoreError | RecordError:
    """Return the store's error for `error`, which redis-py or the operating system raised."""
    word = error_code_of(error)
    if word is not None:
        remedy = TRANSIENT.get(word) or LASTING[word]
        return StoreError(f"Redis refuses the command ({word}): {remedy}", retryable=word in TRANSIENT)
    if isinstance(error, exceptions.ResponseError) and "WRONGTYPE" in str(error):
        return unusable()
    lasting = isinstance(error, exceptions.ResponseError | exceptions.DataError)
    cause = type(error).__name__
    if lasting:
        return StoreError(f"Redis rejects the command ({cause}): check that it is Redis 6 or later, with EVAL")
    return StoreError(f"Redis does not respond ({cause}): check that it runs, and its address", retryable=True)
