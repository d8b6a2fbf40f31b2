"""What people say when they introduce, greet, thank or announce somebody, in four languages.

Every pattern ends where the name begins; `models/naming/person_names.py` reads the name. Patterns are matched
against one sentence at a time, as a recogniser writes it, whatever the case of its letters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields

Pattern = re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Phrases:
    """The phrases of one language.

    Introductions: `named` can hardly mean anything else ("my name is"), `am` can ("I'm"), `this_is`
    often does ("this is"), `here` follows a name that begins a sentence ("Anne here"). `quoting` ends
    what comes before words that are somebody else's, or only supposed. `after_name` is what may follow
    a first name alone. Addresses: `welcome` is for who speaks next, `thanks` mostly for who spoke,
    `greeting` for either. `announce` is said of somebody about to speak, `aside` follows a name that
    is spoken of rather than to, `then_welcome` and `then_thanks` one that is ("Anne, welcome").
    `to_listeners` is what hosts say to their audience.
    """

    named: Pattern
    am: Pattern
    this_is: Pattern
    here: Pattern
    quoting: Pattern
    after_name: Pattern
    welcome: Pattern
    thanks: Pattern
    greeting: Pattern
    announce: Pattern
    aside: Pattern
    then_welcome: Pattern
    then_thanks: Pattern
    to_listeners: Pattern


def _any(*alternatives: str) -> Pattern:
    return re.compile("(?:" + "|".join(alternatives) + ")", re.IGNORECASE)


def _words(words: str) -> str:
    return "|".join(words.split())


_REST = r"[^,.!?]{0,50}"  # of a phrase, up to the comma before the name
_AFTER = r"\s*(?:$|[.,!?;:…)–—-]|(?:{})\b)"


def _after(words: str) -> Pattern:
    return re.compile(_AFTER.format(_words(words)), re.IGNORECASE)


def _quoting(words: str) -> Pattern:
    return re.compile(rf"""(?:\b(?:{_words(words)})\b[\s,:]*|["“«„‘]\s*)$""", re.IGNORECASE)


ENGLISH = Phrases(
    named=_any(r"\bmy name(?:['’]s| is)\s+"),
    am=_any(
        r"\bI(?:['’]m| am)\s+(?:(?:your|the) (?:co-?)?host,?\s+)?",
        r"\byour (?:co-?)?host,\s+",
    ),
    this_is=_any(
        r"^this is\s+",
        r"(?:[.!?,;]|\b(?:hi|hello|hey|and|again|yes|yeah|okay))\s+this is\s+",
    ),
    here=re.compile(r"\s+(?:here|speaking)(?=$|[.,!?]|\s+(?:with|from|and|again|to)\b)", re.IGNORECASE),
    quoting=_quoting(
        "said say says saying tell tells told like goes went think thinks thought called if imagine pretend "
        "suppose that when whether because cause since unless until while mean means as than not"
    ),
    after_name=_after("and from in with at here your of for by on I I'm"),
    welcome=_any(
        rf"\bwelcome(?: back| aboard)?(?:,? (?:to|on|onto) {_REST})?,\s+",
        r"\bwelcome(?: back| aboard)?\s+",
        r"\bover to you,?\s+",
        rf"\b(?:great|good|nice|lovely|happy|pleasure|glad|delighted) to (?:have|see|meet) you{_REST},\s+",
    ),
    thanks=_any(rf"\b(?:thanks|thank you){_REST},\s+", r"\b(?:thanks|thank you)\s+", r"\bcheers,?\s+"),
    greeting=_any(r"\b(?:hi|hello|hey|good (?:morning|afternoon|evening))(?: there| again)?,?\s+"),
    announce=_any(
        r"\bmy (?:co-?host|guest|colleague)(?: (?:for|on|in) (?:this|today['’]s) (?:episode|show))?"
        r"(?: today| this week| as always)?(?:,| is| today is)?\s+",
        r"\b(?:joined|accompanied)(?: today| again| once again| as always| here)*,? by(?: my [\w-]+,?)?\s+",
        r"\bjoining (?:me|us)(?: today| now| again| here)*,? is(?: my [\w-]+,?)?\s+",
        r"\bwith (?:me|us)(?: today| here| as always)*,? is(?: my [\w-]+,?)?\s+",
        r"\b(?:here|chatting|talking|speaking)(?: today)? (?:with|to)\s+",
        r"\bplease welcome,?\s+",
    ),
    aside=_any(r"\s*,?\s*(?:who|whose|which|my|our|the|a|an|he|she|was|is|has|said|and)\b"),
    then_welcome=_any(r",\s+(?:welcome|(?:great|good|nice|lovely) to (?:have|see))\b"),
    then_thanks=_any(r",\s+(?:thanks|thank you)\b"),
    to_listeners=_any(
        r"\bwelcome (?:back )?to (?:the show|another|this|episode|our|my|the)\b",
        r"\byou(?:['’]re| are) listening to\b",
        r"\b(?:today|this week)(?:['’]s| on the) (?:show|episode|guest)\b",
        r"\bmy guest\b",
    ),
)

GERMAN = Phrases(
    named=_any(
        r"\bmein name ist\s+",
        r"\bich hei(?:ß|ss)e\s+",
        r"\bes begrüßt (?:sie|euch|dich)(?: heute)?\s+",
    ),
    am=_any(
        r"\bich bin['’]?s?,?\s+(?:(?:der|die|euer|eure|ihre?)\s+)?(?:(?:host|gastgeber|gastgeberin|moderator|"
        r"moderatorin),?\s+)?",
        r"\bbin (?:der|die)\s+",
    ),
    this_is=_any(
        r"\bhier (?:ist|spricht)\s+(?:(?:der|die)\s+)?",
        r"\bam mikro(?:fon)?(?: (?:ist|begrüßt|für)(?: sie| euch)?)?,?\s+",
    ),
    here=re.compile(r"\s+(?:hier|am mikro(?:fon)?|am apparat)(?=$|[.,!?]|\s+(?:und|aus|mit|vom)\b)", re.I),
    quoting=_quoting("sagt sagte sagen meint meinte dass ob wenn weil als obwohl denkt dachte nicht"),
    after_name=_after("und aus von vom mit bei der die euer eure hier ich im in"),
    welcome=_any(
        rf"\bwillkommen(?: zurück)?(?: (?:im|in|zum|zur|bei|beim|auf) {_REST})?,\s+(?:liebe[rs]?\s+)?",
        r"\bwillkommen(?: zurück)?\s+(?:liebe[rs]?\s+)?",
        r"\bschön,? dass du (?:heute |wieder )?(?:da|hier|dabei) bist,\s+(?:liebe[rs]?\s+)?",
        r"\bich übergebe an\s+",
    ),
    thanks=_any(
        rf"\b(?:(?:viel|herzlich)en (?:herzlichen )?dank|danke){_REST},\s+(?:liebe[rs]?\s+)?",
        r"\b(?:dank|danke)(?: dir)?\s+(?:liebe[rs]?\s+)?",
    ),
    greeting=_any(
        r"\b(?:hallo|hi|hey|servus|moin|grüß dich|guten (?:tag|morgen|abend))(?: auch)?,?\s+(?:liebe[rs]?\s+)?"
    ),
    announce=_any(
        r"\bmeine?n? (?:heutige[rn]? )?(?:gast|gästin|gesprächspartner(?:in)?|co-?host|kolleg(?:e|in|en))"
        r"(?: heute| in dieser folge)?(?:,| ist| heißt)?(?: heute)?\s+",
        r"\b(?:zu gast|bei mir|mit dabei|neben mir|an meiner seite)(?: heute| im studio)*(?: ist| sitzt)?"
        r"(?: heute| auch| wieder)*,?\s+",
        r"\bich (?:begrüße|spreche mit|rede mit)(?: heute| ganz| herzlich| mit)*\s+",
    ),
    aside=_any(r"\s*,?\s*(?:der|die|das|dessen|deren|mein|meine|unser|unsere|hat|ist|war|und)\b"),
    then_welcome=_any(r",\s+(?:(?:herzlich )?willkommen|schön)\b"),
    then_thanks=_any(r",\s+(?:danke|vielen dank|herzlichen dank)\b"),
    to_listeners=_any(
        r"\bwillkommen (?:zurück )?(?:zu|zum|zur|bei|im|in)\b", r"\bliebe (?:zu)?hörer", r"\bmein gast\b"
    ),
)

SPANISH = Phrases(
    named=_any(r"\bme llamo\s+", r"\bmi nombre es\s+", r"\b(?:le|les|te|os) (?:habla|saluda|acompaña)\s+"),
    am=_any(r"\b(?:yo )?soy\s+(?:(?:tu|su|vuestr[oa]) (?:anfitri[oó]na?|presentador|presentadora),?\s+)?"),
    this_is=_any(r"(?:^|[.!?,;]\s*)(?:aquí|habla)\s+"),
    here=re.compile(r"\s+(?:al habla|al micrófono|por aquí|aquí)(?=$|[.,!?]|\s+(?:y|con|desde)\b)", re.I),
    quoting=_quoting("dijo dice dicen decía decir que si cuando porque como no"),
    after_name=_after("y e de del desde con en la el tu vuestro su"),
    welcome=_any(
        rf"\bbienvenid[oa]s?(?: de nuevo| otra vez)?(?: (?:a|al) {_REST})?,\s+",
        r"\bbienvenid[oa]\s+",
        r"\b(?:te|le) doy la palabra,?\s+",
    ),
    thanks=_any(rf"\bgracias{_REST},\s+", r"\bgracias\s+"),
    greeting=_any(r"\b(?:hola|buenos días|buenas(?: tardes| noches)?|qué tal),?\s+"),
    announce=_any(
        r"\b(?:mi|nuestr[oa]) (?:invitad[oa]|compañer[oa])(?: de hoy| hoy)?(?: es|,)?\s+",
        r"\b(?:nos|me) acompaña(?: hoy)?\s+",
        r"\btenemos (?:hoy )?(?:con nosotros )?a\s+",
        r"\b(?:está|estoy|estamos|hablamos|conversamos)(?: hoy)? con(?: nosotros)?\s+",
    ),
    aside=_any(r"\s*,?\s*(?:que|quien|cuy[oa]|mi|nuestr[oa]|el|la|es|era|ha|y)\b"),
    then_welcome=_any(r",\s+(?:bienvenid[oa])\b"),
    then_thanks=_any(r",\s+(?:gracias|muchas gracias)\b"),
    to_listeners=_any(r"\bbienvenid[oa]s a\b", r"\bmi invitad[oa]\b", r"\beste episodio\b"),
)

FRENCH = Phrases(
    named=_any(r"\bje m['’]appelle\s+", r"\bmon nom est\s+", r"\b(?:moi,?|et moi) c['’]est\s+"),
    am=_any(r"\bje suis\s+(?:(?:votre|ton) (?:hôte|animateur|animatrice|présentateur),?\s+)?"),
    this_is=_any(
        r"(?:^|[.!?,;]\s*)ici\s+", r"(?:^|\b(?:bonjour|salut|bonsoir)(?: à tous| à toutes)*,?\s+)c['’]est\s+"
    ),
    here=re.compile(r"\s+(?:au micro|à l['’]appareil)(?=$|[.,!?]|\s+(?:et|avec|pour)\b)", re.IGNORECASE),
    quoting=_quoting("dit disait disent dire que si quand parce puisque comme pas"),
    after_name=_after("et de du des depuis avec à au la le votre ton d'"),
    welcome=_any(
        rf"\bbienvenue?s?(?: à nouveau)?(?: (?:dans|sur|à|au|chez) {_REST})?,\s+",
        r"\bbienvenue\s+",
        r"\b(?:ravie?|content|contente|heureux|heureuse) (?:de|que) (?:t['’]accueillir|te recevoir|vous recevoir|"
        rf"vous accueillir){_REST},\s+",
        r"\bà toi,?\s+",
    ),
    thanks=_any(rf"\bmerci{_REST},\s+", r"\bmerci(?: à toi| à vous)?\s+"),
    greeting=_any(r"\b(?:bonjour|salut|bonsoir|coucou|hello),?\s+"),
    announce=_any(
        r"\b(?:mon|notre) invitée?(?: du jour| aujourd['’]hui)?(?: est|,| c['’]est)?\s+",
        r"\b(?:je|nous) (?:reçois|recevons|accueille|accueillons)(?: aujourd['’]hui)?\s+",
        r"\b(?:avec moi|en compagnie de|à mes côtés)(?: aujourd['’]hui)?,?\s+",
    ),
    aside=_any(r"\s*,?\s*(?:qui|que|dont|mon|ma|notre|le|la|l['’]|est|était|a|et)\b"),
    then_welcome=_any(r",\s+(?:bienvenue)\b"),
    then_thanks=_any(r",\s+(?:merci)\b"),
    to_listeners=_any(r"\bbienvenue (?:dans|sur|à)\b", r"\bmon invitée?\b", r"\bcet épisode\b"),
)

PHRASES = {"en": ENGLISH, "de": GERMAN, "es": SPANISH, "fr": FRENCH}
_NEVER = re.compile("(?!)")
_NONE = Phrases(*[_NEVER] * len(fields(Phrases)))


def phrases_of(language: str) -> Phrases:
    """The phrases of a language (ISO 639-1); in one that is not known nothing is ever found."""
    return PHRASES.get(language, _NONE)


# In titles and notes, whose language need not be that of the talk; a name follows, or stands before.
_NAME_FOLLOWS: Sequence[str] = (
    r"\b(?:with|featuring|feat\.?|ft\.?|w/|guests?(?: is| are)?:?|hosts?:?|hosted by|presented by|joined by|"
    r"interview(?:s|ing|ed)?|joins|conversation with|(?:speaks?|talks?|chats?|sits? down|spoke|talked) (?:with|to)|"
    r"welcomes?|by|and|&)\s+",
    r"\b(?:mit|zu gast(?: ist)?:?|gäste?:?|gespräch mit|moderation:?|trifft|und|von)\s+",
    r"\b(?:con|invitad[oa]s?:?|entrevist(?:a|amos) a|conversa(?:mos)? con|presentado por|y)\s+",
    r"\b(?:avec|invitée?s?\s?:?|reçoit|reçois|présenté par|animé par|et)\s+",
)
NAME_FOLLOWS = re.compile("|".join(_NAME_FOLLOWS), re.IGNORECASE)
NAME_BEFORE = re.compile(
    r"\s*,?\s*(?:(?:and|und|y|et|&)\s+|(?:joins?|discuss(?:es|ed)?|talks?|talked|explains?|explained|shares?|"
    r"shared|interviews?|interviewed|hosts?|returns?|tells?|told|speaks?|spoke|chats?|is an?|is the|"
    r"spricht|sprechen|erklärt|erzählt|diskutieren|reden|trifft|ist (?:ein|eine|der|die)|"
    r"habla|hablan|conversan?|explica|cuenta|charlan?|es (?:un|una|el|la)|"
    r"discutent|parlent?|explique|raconte|reçoit|est (?:un|une|le|la))\b)",
    re.IGNORECASE,
)
