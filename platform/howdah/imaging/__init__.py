"""The images that instances run: what can be built, from what, how, and whether an image is still what was built."""
