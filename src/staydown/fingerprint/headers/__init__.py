"""What a file says about itself, read before a picture library sees it, and the file without the rest.

The libraries read tags, texts and profiles eagerly; a hostile file makes them hold gigabytes, or refuse a
picture that every browser shows. So the few facts that matter are read here, with checks, and the libraries
get the pixels.
"""
