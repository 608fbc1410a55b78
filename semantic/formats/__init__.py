"""Other people's ways to write metrics: what comes in, what goes out, what could not come along. Pure: text to text."""
