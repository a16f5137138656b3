"""Settings, URLs and the assembled application: the only package that knows everything."""
