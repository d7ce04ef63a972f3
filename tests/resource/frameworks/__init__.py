"""Every framework's guard, at the wire: the same requests in, the same statuses and headers out."""
