"""Nothing yet: only the solution of this exercise is ever run."""
