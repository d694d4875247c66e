"""The learner's record: every attempt, and what was read on the way. It stays on this machine."""
