"""The local variables in the traceback of an error, as collectors of errors show them."""

import traceback


def variables_of_ours(error: BaseException) -> str:
    """Every local variable of this package's frames in `error`, its causes and its contexts."""
    found: list[str] = []
    chain: list[BaseException | None] = [error]
    seen: set[int] = set()
    while chain:
        one = chain.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            chain += [one.__cause__, one.__context__]
            for frame, _ in traceback.walk_tb(one.__traceback__):
                if str(frame.f_globals.get("__name__")).startswith("doorkey."):
                    found += [
                        f"{frame.f_code.co_qualname}: {name} = {value!r}" for name, value in frame.f_locals.items()
                    ]
    return "\n".join(found)
