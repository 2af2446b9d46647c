"""What is believed about architectures that were not estimated yet."""
