"""grader: real backend exercises, graded against real servers by hidden tests."""

__version__ = "0.1.0"
