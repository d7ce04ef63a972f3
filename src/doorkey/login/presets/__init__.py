"""Provider presets: what a login needs to know of a provider, as data with its source.

``preset("google")`` returns a `Preset`. `PRESETS` are the names. Nothing here sends a request.
"""

from doorkey.login.presets.apple import AppleClientSecret
from doorkey.login.presets.preset import Preset
from doorkey.login.presets.table import PRESETS, preset

__all__ = ["PRESETS", "AppleClientSecret", "Preset", "preset"]
