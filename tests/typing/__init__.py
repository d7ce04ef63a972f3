"""Programs that type checkers read and nobody runs: what users' own checkers see of doorkey."""
