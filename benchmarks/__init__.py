"""The scripts behind every figure that Staydown publishes. Nothing in src imports them."""
