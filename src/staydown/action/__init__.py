"""What a platform was told to do, and what it did, copy by copy."""
