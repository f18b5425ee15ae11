"""What is kept of people, in plain words, from the settings that really hold."""

from __future__ import annotations

from persona.settings import Settings

SENTENCES = (
    "What is kept of you: what you tell {artist} that a friend would want to know (not passwords, not other people's "
    "secrets, not small talk), facts drawn from it, what {artist} promised you, the songs you asked for, and on "
    "Discord which songs you liked or reported.",
    "Who sees it: what you say in private is recalled to you alone, and in private, unless you allow "
    "it in a channel ({allow}); others there may read the answer. What you say in a channel stays "
    "in that channel; what holds for a server stays in that server.",
    "Where it lies: on the machine of whoever runs {artist}. {model} Nothing is sold or used for training.",
    "How long: {times}. Songs stay in the library until you or the operator have them removed.",
    "Logs hold no words of yours, and no names.",
    "To take it along: {export} gives you everything, as data (JSON) and as a page to read.",
    'To have it forgotten: {forget}, or tell {artist} "forget what I said about my job". It goes from the memories, '
    "the word index and the vectors, the queue, the running talk, and from backups on their next turn; a receipt says "
    "what went. A song that was made stays as sound alone, without title, words and names, unless you ask for the "
    "clips to go as well. Posts stay where they were posted until they are deleted there.",
    "A message that you delete on Discord takes what was kept of it along.",
)


def privacy(settings: Settings, artist: str, export: str, forget: str, allow: str) -> str:
    """`export`, `forget` and `allow`: the commands of the stage where this is read."""
    kept = settings.memory.keep
    times = [
        _time("what you said", kept.turn),
        _time("facts", kept.fact),
        _time("facts that no longer hold", kept.superseded),
        _time("promises", kept.promise),
        _time("that a song was made for you", kept.song),
        _time("what was told to a whole server", kept.lore),
        _time("requests that are done, and what you liked or reported,", kept.requests),
    ]
    asked = settings.chat.model == "endpoint"
    model = (
        "What you say goes to the chat model that the operator chose."
        if asked
        else "No word of yours leaves it."
    )
    return "\n".join(SENTENCES).format(
        artist=artist, model=model, times="; ".join(times), export=export, forget=forget, allow=allow
    )


def _time(what: str, days: int | None) -> str:
    if days is None:
        return f"{what} until you have it forgotten"
    return f"{what} {days} days" if days % 365 else f"{what} {days // 365} year{'s' * (days > 365)}"
