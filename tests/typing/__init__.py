"""Programs that type checkers read and that are not run: the types of doorkey that users' own checkers see."""
