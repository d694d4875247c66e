"""Nothing yet: only the solution and the hostile program are ever run."""
