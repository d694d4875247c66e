"""The roadmap and the exercises: files on disk -> model values, or every problem at once."""

from grader.catalog.find import find, is_path, slugs
from grader.catalog.load import Catalog, load_catalog, load_exercise, load_roadmap

__all__ = [
    "Catalog",
    "find",
    "is_path",
    "load_catalog",
    "load_exercise",
    "load_roadmap",
    "slugs",
]
