"""What can be built: architectures, search spaces, graphs and encodings."""
