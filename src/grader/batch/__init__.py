"""Many submissions: found in a folder or a list, graded side by side, kept in a database."""
