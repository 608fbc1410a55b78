"""Real engines that hold the same tables as a DuckDB, so that one statement can be asked of each."""
