"""Append-only Merkle log of what was received and done, and the proofs that anybody can check offline."""
