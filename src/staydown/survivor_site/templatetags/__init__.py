"""Template tags of the survivor site and the desk."""
