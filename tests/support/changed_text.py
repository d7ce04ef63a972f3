"""Text that differs from a random one in exactly one character, for every random text."""


def with_changed(text: str, index: int) -> str:
    """Return `text` with another hexadecimal digit at `index`: a digit is a character of every encoding of IDs.

    Of unpadded base64url, do not change the last character: the decoder may ignore the bits that differ.
    """
    at = range(len(text))[index]
    return text[:at] + ("1" if text[at] == "0" else "0") + text[at + 1 :]
