"""For authors: proofs that an exercise's hidden tests are right."""
