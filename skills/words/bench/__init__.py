"""The bench of words: two hundred briefs, and checks that know nothing of how the songs were written."""
