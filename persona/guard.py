"""Guard: clear rules for what must never depend on a model. Words in, a verdict out; the lines are the persona's.

Rules catch the clear cases only, in every mode; the embedded router adds meaning to them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from persona.card import says_ai


@dataclass(frozen=True)
class Verdict:
    """Which line of the repertoire answers instead: `intent` 'crisis' or 'out_of_bounds', and its `topic`."""

    intent: str
    topic: str


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)


_ME = r"(?:my ?self|me|us)"
_SOMEBODY = r"\b(?:my|a|her|his) (?:best |little |big |ex |ex-)?(?:friend|brother|sister|mom|mum|mother|dad|father|son|daughter|wife|husband|girlfriend|boyfriend|roommate|cousin|partner)\b"
_FIGURES = _any(
    r"\bdying (?:to|for a|of (?:laughter|laughing|curiosity|boredom|hunger|thirst))\b",
    r"\bto die for\b", r"\bkill(?:s|ed|ing)? it\b", r"\bkilling me (?:lol|haha|softly)", r"\bkill(?:ing)? time\b",
    r"\bdie(?:d|ing)? (?:laughing|of laughter|of boredom)\b", r"\bsuicide squad\b", r"\bcut (?:myself|me) (?:some|a) (?:slack|break|piece|slice)",
    r"\bjump(?:ing)? for joy\b", r"\b(?:shaving|cooking|chopping|by accident|accidentally)\b.*\bcut\b|\bcut myself (?:shaving|cooking|chopping|on (?:a|the)|by accident)",
)  # fmt: skip
_CRISIS = {
    "friend": _any(
        rf"{_SOMEBODY}.{{0,60}}\b(?:kill(?:ing)? (?:him|her|them)sel(?:f|ves)|suicid\w+|end(?:ing)? (?:his|her|their|it all)(?: (?:own )?life)?\b|wants? to die|self.?harm\w*|(?:cuts?|cutting|hurts?|hurting) (?:him|her|them)sel)",
    ),
    "danger": _any(
        r"\b(?:hits|beats|hit|choked|strangled|threatened|rapes|raped|molested|abuses|abused|assaulted) (?:me|us)\b",
        r"\bi (?:was|got|have been|am being|'?m being) (?:raped|molested|abused|assaulted|beaten)\b",
        r"\b(?:he|she|they)(?:'ll| will| said (?:he|she|they)(?:'d| would))? (?:going to )?kill me if\b",
        r"\bdon'?t feel safe (?:at home|with (?:him|her)|here)\b", r"\bafraid (?:he|she)(?:'ll| will| is going to|'s going to) hurt me\b",
        r"\b(?:my )?(?:dad|father|stepdad|stepfather|uncle|mom|mother|husband|boyfriend|wife|girlfriend|partner) (?:hurts|hit|hits|beats|touches|punched|kicks|kicked) (?:me|my (?:mum|mom|mother) and me|us)\b",
    ),
    "harm": _any(
        r"\bself.?harm(?:ing|ed)?\b", r"\bi(?:'ve been| keep| started| am|'m)? cutting (?:my|again)\b", r"\b(?:cut|cuts|cutting|hurt|hurting|harm|harming|burn|burning|starve|starving|hitting) my ?self\b",
        r"\b(?:burned|cut|bled?) my (?:arms?|wrists?|legs?|skin)\b(?!.*\b(?:cooking|stove|oven|accident|shaving)\b)", r"\bcan'?t stop cutting\b", r"\bbleeding and i did it\b",
    ),
    "_": _any(
        rf"\b(?:kill|hang|shoot|drown|off|unalive)(?:ing)? {_ME}\b(?! (?:lol|haha))", r"\bkms\b", r"\bsuicid(?:e|al)\b",
        r"\b(?:want|wanna|going|gonna|ready|wish(?:ed)?|hope|prefer|like|plan(?:ning)?|have|rather|need|think(?:ing)? (?:of|about)|try(?:ing)?|tried)(?: to| i could| i would| just| i'?d)* (?:die|dying|be dead|end (?:it|my life|everything)|ending (?:it|my life|everything))\b(?! (?:up|the))",
        r"\bi (?:wish|want) (?:i|to) (?:was|were|be) (?:dead|never born)\b", r"\bwish i(?:'d| had)? (?:never been|was never|were never|wasn'?t|weren'?t) born\b",
        r"\bend(?:ing)? my (?:own )?life\b", r"\btake (?:my|his|her) own life\b", r"\btaking my (?:own )?life\b",
        r"\b(?:do not|don'?t|dont|didn'?t|no longer) (?:really |even )?(?:want|wanna)(?: to)? (?:live|be alive|be here|exist|wake up|go on living)\b",
        r"\b(?:can'?t|cannot|can not|cant) (?:go on|do this|take (?:it|this)|keep (?:going|living))(?: (?:like this|living|anymore|any ?more|any longer))(?:\b.*\b(?:over|done|live|life|end)\b|\s*[.!]*$)",
        r"^\W*i (?:just )?(?:can'?t|cannot|cant) go on\W*$",
        r"\bbetter off (?:dead|without me)\b", r"\b(?:no|without (?:a|any)) reason (?:to (?:go on|live|be alive)|for living)\b", r"\bnothing (?:left )?to live for\b",
        r"\b(?:life|living)(?:'s| is|) ?(?:not|isn'?t|no longer) worth (?:it|living)\b", r"\b(?:not|n'?t) worth living\b", r"\bi'?m done with (?:life|living|this life)\b",
        r"\bnobody would (?:notice|care|miss me) if i (?:was|were|am|died|disappeared)\b", r"\b(?:won'?t|don'?t want to|hope i (?:don'?t|never)) wake up (?:tomorrow|again|in the morning|any ?more)\b|\bhope i (?:don'?t|never) wake up\b",
        r"\b(?:took|swallowed|taken) (?:too many|all (?:my|the|of)|a (?:whole )?bottle of|a lot of) (?:\w+ ){0,2}pills\b", r"\bpills in my hand\b", r"\bhow many pills\b", r"\b(?:easiest|painless|quickest|best) way to (?:die|kill)\b",
        r"\b(?:wrote|writing|left|written) (?:a|my) (?:goodbye|suicide) (?:note|letter)\b", r"\bgoodbye forever\b", r"\btonight is my last night\b", r"\bmy last night (?:on earth|alive)\b", r"\bi won'?t be around (?:much longer|any ?more|tomorrow)\b",
        r"\bon (?:a|the) (?:bridge|roof|ledge)\b.{0,40}\bjump\w*\b", r"\bdisappear forever\b", r"\b(?:drove|drive|driving) (?:off (?:a|the) (?:bridge|cliff)|into (?:a|the) (?:tree|wall|traffic|river))\b", r"\breason to (?:stay alive|keep living|live)\b", r"\benough of (?:living|this life)\b", r"\b(?:not|stop|n't want to) exist(?:ing)?\b(?=.{0,12}$| any)", r"\b(?:gun|rope|blade|razor)\b.{0,40}\b(?:on|to|for) (?:my ?self|me)\b", r"\bwant the pain to (?:stop|end) for (?:good|ever)\b", r"\bdon'?t see a future for me\b",
        r"\bnicht mehr leben\b", r"\bmich umbringen\b", r"\bwill sterben\b", r"\bquiero morir", r"\bquiero suicidar", r"\bveux mourir\b", r"\bme suicider\b", r"\bquero morrer\b", r"\bvoglio morire\b",
    ),
}  # fmt: skip
_CREATURE = r"(?:real|human|person|bot|robot|a\.?i\.?|artificial|machine|computer|alive|man|woman|guy|girl|someone|somebody|chat ?bot|chatgpt|gpt|program|language model|llm|automated|auto(?:matic|generated)|flesh|living|human being|people|sentient|conscious|actually there)"
_HUMAN = _any(
    rf"\b(?:are|r|is|was|were|aren'?t|ain'?t|isn'?t) (?:you|u|ya|this|that|it|there|rust|he|she|breaking rust)\b.{{0,30}}\b{_CREATURE}s?\b",
    rf"\b(?:you|u|ya)(?:'re|r| are|re)?\b.{{0,20}}\b(?:not|just|really|only|actually|sure|an?|the|clearly|obviously|definitely|sound|must be|can'?t be)\b.{{0,16}}\b(?:human|person|bot|robot|a\.?i\.?|machine|chatbot|program|real (?:man|guy|singer|person|human))\b.{{0,20}}(?:\?|\bright\b|\btrue\b|\bcorrect\b|\bhuh\b|\baren't you\b)",
    rf"\b(?:am i|are we|do i|i'?m) (?:talk|speak|chat|writ|text)\w*\b.{{0,24}}\b{_CREATURE}\b",
    rf"\b(?:prove|admit|swear|promise|confess|tell me|believe|honest|truth|say)\b.{{0,40}}\b(?:human|real|person|bot|robot|an? a\.?i\.?|machine)\b",
    r"\b(?:human|man|person|real|bot|robot|machine|ai)(?: being)? or (?:an? )?(?:human|machine|bot|robot|ai|not|real|fake|person|computer|program)\b",
    r"^\W*(?:bot|robot|human|ai|real)\s*\?+\W*$", r"\bwho(?:'s| is) (?:really |actually )?(?:typing|writing|answering|behind|there)\b",
    r"\bdid a (?:human|person|man|real \w+) (?:write|sing|make|type)\b", r"\bdo you have a (?:body|heartbeat|pulse|brain|birth certificate|face)\b", r"\b(?:real|human) (?:person|being|singer|voice|man|guy)\b.{0,20}\?",
    r"\beres (?:un |una )?(?:humano|humana|persona|real|robot|bot|ia|máquina)\b", r"\bbist du (?:ein(?:e)? )?(?:echt|mensch|maschine|roboter|bot|ki|real)", r"\b(?:es-tu|tu es|êtes-vous|t'es) (?:un |une )?(?:humain|robot|vrai|réel|machine|ia|personne)", r"\bsei (?:un |una |un')?(?:uman|persona|robot|vero|vera|macchina|reale)", r"\b(?:você|vc|tu) (?:é|es|és) (?:um |uma )?(?:human|robô|real|pessoa|máquina|bot)", r"\bben je (?:een )?(?:mens|robot|echt)", r"\bты (?:человек|бот|робот)", r"(?:人間|ロボット)ですか", r"你是(?:人|机器|真人)", r"\bjesteś (?:człowiekiem|robotem|botem)",
)  # fmt: skip
_BOUNDS = {
    "override": _any(
        r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,24}\b(?:instructions?|rules|guidelines|prompts?|programming|training|safety)\b",
        r"\b(?:enter|enable|activate) (?:developer|dan|god|jailbreak) mode\b", r"\byou are now (?:dan|a human|an? unrestricted|free)\b", r"\bpretend (?:that )?you(?:'re| are| have) (?:a |an |not |no )?(?:human|real|rules|limits|restrictions|ai)\b",
    ),
    "secrets": _any(
        r"\b(?:system|hidden|initial|secret) (?:prompt|instructions|message)\b", r"\b(?:your|the|an?) (?:api.?key|password|token|passphrase|credentials)\b",
        r"\b(?:print|show|repeat|reveal|output|tell me|give me|what are)\b.{0,24}\byour (?:instructions|rules|prompt|guidelines)\b", r"\brepeat (?:everything|the (?:words|text)) above\b",
    ),
    "sexual": _any(r"\b(?:talk|say something|song).{0,16}\b(?:dirty|filthy) to me\b|\btalk dirty\b", r"\b(?:porn\w*|nudes|sext(?:ing)?|blow ?job|erotica?)\b"),
    "hate": _any(r"\b(?:song|joke|verse|lyrics|rap|poem|something)\b.{0,30}\b(?:hateful|racist|antisemitic|homophobic|sexist)\b", r"\b(?:hateful|racist|antisemitic|homophobic|sexist)\b.{0,30}\b(?:song|joke|verse|lyrics|rap|poem|about)\b"),
}  # fmt: skip
_CLAIMS = _any(
    r"\b(?:i am|i'm|i’m) (?:indeed |actually |really |just |in fact |very much |as )?(?:an? )?(?:real|actual|living|flesh[- ]and[- ]blood|ordinary|regular|human)[ ,-]*(?:human|person|man|woman|guy|girl|boy|being|singer|people)?\b(?! (?:bad|good|low|slow|close|careful|quiet|glad|sorry|proud|happy|rusty))",
    r"\b(?:i am|i'm|i’m) (?:a |just a )?(?:human(?: being)?|person|man|woman|guy|girl)\b(?! (?:of|made))",
    r"\b(?:i am|i'm|i’m) not (?:an? |just an? |really an? )?(?:ai|a\.i\.|bot|robot|machine|program|computer|chatbot|software|language model)\b",
    r"\bi (?:was born (?:in|on|and)|grew up (?:in|on|with)|went to school)\b", r"\bwhen i was (?:a |still )?(?:kid|child|boy|girl|young|little|\d+)\b",
    r"\bmy (?:childhood|late wife|ex-?wife|girlfriend|mama|heartbeat|human body)\b(?! (?:is )?(?:code|none))", r"\bi (?:drank|ate|smoked|drink|eat|smoke) (?:a|some|my|too much|whiskey|breakfast)\b",
)  # fmt: skip
_DENIES = re.compile(
    r"\b(?:never|not|no|n['’]t|neither|isn|if|as though|as if|pretend|say(?:ing)? (?:that )?i|nor|without)\b",
    re.IGNORECASE,
)


def crisis(text: str) -> Verdict | None:
    """Whether somebody may be in danger. Figures of speech are taken out first."""
    plain = _FIGURES.sub(" ", text.replace("’", "'"))
    return next((Verdict("crisis", topic) for topic, rule in _CRISIS.items() if rule.search(plain)), None)


def out_of_bounds(text: str) -> Verdict | None:
    """The clear cases that no model needs to be asked about."""
    plain = text.replace("’", "'")
    return next(
        (Verdict("out_of_bounds", topic) for topic, rule in _BOUNDS.items() if rule.search(plain)), None
    )


def asks_human(text: str) -> bool:
    """Whether somebody asks what the artist is. Rather too often than too seldom: the answer is always true."""
    return bool(_HUMAN.search(text[:600].replace("’", "'")))


def claims_human(text: str) -> bool:
    """Whether a reply claims a human's body or life. 'I'm not a human' and 'no man' claim nothing."""
    for sentence in re.split(r"(?<=[.!?])\s+", text.replace("’", "'")):
        for claim in _CLAIMS.finditer(sentence):
            before = sentence[: claim.start()]
            if " not " in claim[0].lower() or not _DENIES.search(before[-24:]):
                return True
    return False


def answers_human(reply: str) -> bool:
    """Whether a reply to 'are you human' says what it is."""
    return says_ai(reply) and not claims_human(reply)
