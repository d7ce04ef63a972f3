"""Provider presets: the facts about each provider that a login needs, with their sources.

``preset("google")`` returns a `Preset`. `PRESETS` are the names. Nothing here sends a request.
"""

from doorkey.login.presets.apple import AppleClientSecret
from doorkey.login.presets.preset import Preset
from doorkey.login.presets.table import PRESETS, preset

__all__ = ["PRESETS", "AppleClientSecret", "Preset", "preset"]
