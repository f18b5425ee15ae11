"""Moods: the words in which a fan names a feeling, and the feelings that the material is marked with."""

from __future__ import annotations

_NAMES = {
    "sad": "sad heartbroken mourning grief melancholy sorrowful blue down regretful tearful crying bitter",
    "lonely": "lonely alone lonesome longing homesick isolated",
    "tender": "tender quiet intimate nostalgic warm calm loving romantic soft gentle sweet thoughtful moody",
    "weary": "tired weary worn exhausted sleepy lazy",
    "wry": "wry funny playful silly humorous witty cheeky ironic goofy absurd comic",
    "hopeful": "hopeful uplifting optimistic encouraging inspiring proud brave motivating bright",
    "grateful": "grateful thankful appreciative",
    "joyful": "joyful happy upbeat celebratory excited cheerful festive energetic fun party",
    "angry": "angry furious defiant mad bitter vengeful",
    "restless": "restless wild rebellious free",
}
FEELINGS = {word: feeling for feeling, words in _NAMES.items() for word in words.split()}


def feelings(mood: str) -> frozenset[str]:
    """The material's feelings that a mood stands for; none for a mood that is not known."""
    return frozenset({FEELINGS[word] for word in mood.lower().split() if word in FEELINGS})
