"""Staydown: takes intimate images that were shared without consent down, and keeps them down."""
