"""The door for time: sweeps that do what is due. Nothing here is lost when the process dies."""
