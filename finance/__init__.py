"""The arithmetic of money and doubt: pure functions on values, which know nothing of where the values are kept."""
