"""What the batched decoder doesn't guard against: loops, speech left out, words that nobody said.

The batched decoder takes Whisper's first answer. Its usual failures are known: it stops in mid-chunk and
leaves out the rest, it repeats a phrase until the chunk is full, it writes a polite phrase under music
and noise, or it writes in a language that isn't spoken. Each is looked for in every chunk by what the
segmentation heard and by the model's own confidence; what looks wrong is decoded again, and the better
of the two stays. Everything that is changed is recorded as a `Repair`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace

from models.asr.chunking import MARGIN
from models.asr.engine import Draft
from models.asr.faster_whisper import Decoder
from models.asr.voice_activity import voice_activity
from models.record.spans import Span, total, within
from models.record.transcript import Repair, Word

EDGES = re.compile(r"^\W+|\W+$")  # what is not part of a word
LOST_SECONDS = 1.2  # speech in one gap between words that is too much to be a breath or a laugh
LONGEST_WORD = 1.2  # seconds; a word that is longer hides a gap
WORD_SECONDS = 0.5  # what such a word is taken to last
SHORT_SECONDS = 0.4  # a shorter piece of it between two words is the end of one of them
TORN_WORDS = 2  # how many words between two gaps may belong to what comes after
FOUND = -0.8  # mean log-probability from which a gap's own decoding is believed: laughter gets less
SLOWEST = 0.7  # words a second of speech that a gap's own decoding must have to be believed
CAREFUL_SECONDS = 3.0  # of lost speech that are worth the slow decoder where the fast one finds nothing
ROUNDS = 3  # how often what was found is looked through for lost speech itself
LOOP_RATIO = 2.4  # compression of a text that repeats itself, as Whisper has it
LOOP_TIMES = 4  # a phrase said that often in a row without a change is a loop ...
LOOP_WORDS = 8  # ... if that makes this many words
UNSURE = -1.0  # mean log-probability under which Whisper itself decodes again
GUESSED = -1.4  # and under which nothing is left of what was said
EMPTY = 0.6  # probability of no speech, as Whisper has it
VOICED = 0.2  # share of a doubtful chunk in which the voice detector must hear a voice, too ...
VOICED_SECONDS = 2.0  # ... or this long in one of any length, for it to be decoded with care
OTHER_LANGUAGE = 0.8  # probability of a language from which it is believed
BETTER = 0.1  # by how much the log-probability in another language must be higher
FOREIGN_SHARE = 0.3  # of the letters, in another script than the language is written in
LATIN = ("en", "de", "es", "fr", "pt", "it", "nl", "sv", "da", "no", "fi", "pl", "cs", "ro", "hu", "tr", "ca")


def mend(
    decoder: Decoder, drafts: Sequence[Draft], speech: Sequence[Span]
) -> tuple[list[Draft], list[Repair]]:
    """The drafts of consecutive chunks without loops, losses and inventions, and what was done to them.

    speech: where the segmentation heard speech. A chunk that lost speech comes back as several drafts.
    """
    repairs: list[Repair] = []
    drafts = [_without_loops(decoder, draft, repairs) for draft in drafts]
    drafts = _with_lost_speech(decoder, drafts, speech, repairs)
    return [_without_inventions(decoder, draft, repairs) for draft in drafts], repairs


def _without_loops(decoder: Decoder, draft: Draft, repairs: list[Repair]) -> Draft:
    """The draft itself, or where it repeats itself a careful one, cut where that still does."""
    if not is_loop(draft):
        return draft
    if not is_voiced(draft.chunk, decoder):
        return _emptied(draft, repairs)
    again = decoder.careful(draft.chunk)
    if is_loop(again):
        words = cut_loops(min(draft, again, key=lambda each: each.repetition).words)
        again = replace(again, words=tuple(words))
    repairs.append(_repair("loop", draft, again))
    return again


def is_loop(draft: Draft) -> bool:
    """Whether the text repeats itself more than speech does."""
    return draft.repetition > LOOP_RATIO or len(cut_loops(draft.words)) < len(draft.words)


def cut_loops(words: Sequence[Word]) -> list[Word]:
    """The words with each phrase that comes many times in a row left once.

    >>> said = [Word(i, i + 1, text) for i, text in enumerate([" so", *[" thank", " you."] * 5, " bye"])]
    >>> "".join(word.text for word in cut_loops(said))
    ' so thank you. bye'
    """
    keys = [plain(word.text) for word in words]
    kept, at = list[Word](), 0
    while at < len(words):
        size, times = _loop_at(keys, at)
        kept += words[at : at + size]
        at += size * times
    return kept


def _loop_at(keys: Sequence[str], at: int) -> tuple[int, int]:
    """Length and number of repeats of the loop that starts at a word; (1, 1) where there is none."""
    for size in range(1, (len(keys) - at) // LOOP_TIMES + 1):
        phrase, times = keys[at : at + size], 1
        while keys[at + size * times : at + size * (times + 1)] == phrase:
            times += 1
        if times >= LOOP_TIMES and times * size >= LOOP_WORDS:
            return size, times
    return 1, 1


def _with_lost_speech(
    decoder: Decoder, drafts: Sequence[Draft], speech: Sequence[Span], repairs: list[Repair]
) -> list[Draft]:
    """The drafts with what they left out: each gap that holds speech is decoded as a chunk of its own.

    All gaps are decoded in batches; a gap's own draft may have left something out again.
    """
    finished: list[Draft] = []
    found = list(drafts)
    for _ in range(ROUNDS):
        parts = [part for draft in found for part in split_at_losses(draft, speech)]
        finished += [part for part in parts if not part.is_open]
        gaps = [part.chunk for part in parts if part.is_open]
        found = []
        for draft in decoder.batched(gaps):
            heard = total(within(speech, draft.chunk))
            missed = not _is_found(draft, heard) and heard >= CAREFUL_SECONDS
            again = decoder.careful(draft.chunk) if missed and is_voiced(draft.chunk, decoder) else draft
            if _is_found(again, heard):
                repairs.append(_repair("lost", Draft(draft.chunk), again))
                # What precedes its first word was listened to twice: only what follows may hold more.
                found.append(replace(again, chunk=Span(again.words[0].start, again.chunk.end)))
    return sorted([*finished, *found], key=lambda draft: draft.chunk)


def _is_found(again: Draft, heard: float) -> bool:
    """Whether a gap's own draft is speech: words enough for what was heard, and not invented."""
    if not again.words or again.confidence < FOUND or again.emptiness > EMPTY or is_loop(again):
        return False
    return len(again.words) >= SLOWEST * heard


def split_at_losses(draft: Draft, speech: Sequence[Span]) -> list[Draft]:
    """The draft in parts: those with words, and open ones where speech was left out; itself if it has none."""
    parts, start, first = list[Draft](), draft.chunk.start, 0
    for gap, index in losses(draft, speech):
        parts.append(_part(draft, Span(start, gap.start), first, index))
        parts.append(Draft(gap, is_open=True))
        start, first = gap.end, index
    return [*parts, _part(draft, Span(start, draft.chunk.end), first, len(draft.words))]


def _part(draft: Draft, chunk: Span, first: int, last: int) -> Draft:
    """Words [first, last) of a draft; those that were stretched over what lies before `chunk` begin with it."""
    words = tuple(
        replace(word, start=max(word.start, chunk.start), end=max(word.end, chunk.start))
        for word in draft.words[first:last]
    )
    return replace(draft, chunk=chunk, words=words)


def losses(draft: Draft, speech: Sequence[Span]) -> list[tuple[Span, int]]:
    """Spans in which speech was left out, in order, each with the index of the first word after it.

    A word or two between two gaps were torn from what follows, and count as said after both.
    """
    found: list[tuple[Span, int]] = []
    for gap, index in _gaps(draft):
        heard = [span for span in within(speech, gap) if span.duration >= SHORT_SECONDS]
        if total(heard) < LOST_SECONDS:
            continue
        span = Span(max(gap.start, heard[0].start - MARGIN), min(gap.end, heard[-1].end + MARGIN))
        if found and index - found[-1][1] <= TORN_WORDS and not is_stretched(draft.words[found[-1][1]]):
            begun, torn = found.pop()
            found.append((Span(begun.start, span.end), torn))
        else:
            found.append((span, index))
    return found


def _gaps(draft: Draft) -> Iterator[tuple[Span, int]]:
    """What no word covers, in order, with the index of the word after it; part of a stretched word is a gap."""
    since = draft.chunk.start
    for index, word in enumerate(draft.words):
        start = word.end - WORD_SECONDS if is_stretched(word) else word.start
        yield Span(since, max(since, start)), index
        since = word.end
    yield Span(since, draft.chunk.end), len(draft.words)


def is_stretched(word: Word) -> bool:
    """Whether a word lasts longer than words do: over what is missing before it, as times are found."""
    return word.end - word.start > LONGEST_WORD


def _without_inventions(decoder: Decoder, draft: Draft, repairs: list[Repair]) -> Draft:
    """The draft itself, or where the model is unsure or writes another script: a careful one, or nothing."""
    foreign = foreign_script(draft.text, decoder.language)
    if not draft.words or (draft.confidence >= UNSURE and not foreign):
        return draft
    if not is_voiced(draft.chunk, decoder):
        return _emptied(draft, repairs)
    other = _language_heard(decoder, draft.chunk)
    again = decoder.careful(draft.chunk, other)
    if other and again.words and again.confidence > draft.confidence + BETTER:
        repairs.append(_repair("language", draft, again))
        return again
    best = max((draft, again), key=lambda each: each.confidence if each.words else -99.0)
    if is_invented(best):
        return _emptied(draft, repairs)
    if best is again:
        repairs.append(_repair("unsure", draft, again))
    return best


def is_invented(draft: Draft) -> bool:
    """Whether doubtful words are a mere guess, as Whisper writes them where nobody speaks."""
    return draft.confidence < GUESSED or (draft.confidence < UNSURE and draft.emptiness > EMPTY)


def is_voiced(chunk: Span, decoder: Decoder) -> bool:
    """Whether the voice detector hears anybody, too; cheap beside the slow decoder, which dwells on noise."""
    return total(voice_activity(decoder.cut(chunk))) >= min(VOICED * chunk.duration, VOICED_SECONDS)


def _emptied(draft: Draft, repairs: list[Repair]) -> Draft:
    """The draft without its words, which nobody said."""
    repairs.append(_repair("wordless", draft, Draft(draft.chunk)))
    return Draft(draft.chunk)


def _language_heard(decoder: Decoder, chunk: Span) -> str | None:
    """The language of a chunk where it clearly is another than that of the episode."""
    probabilities = decoder.languages(chunk)
    heard = max(probabilities, key=lambda code: probabilities[code], default=decoder.language)
    return heard if heard != decoder.language and probabilities[heard] >= OTHER_LANGUAGE else None


def foreign_script(text: str, language: str) -> bool:
    """Whether a text is not in the script of its language; told for languages in Latin letters only.

    >>> foreign_script("これは何ですか", "en"), foreign_script("a naïve Ω", "en")
    (True, False)
    """
    letters = [letter for letter in text if letter.isalpha()]
    if language not in LATIN or not letters:
        return False
    foreign = sum(not unicodedata.name(letter, "").startswith("LATIN") for letter in letters)
    return foreign > FOREIGN_SHARE * len(letters)


def plain(text: str) -> str:
    """A word without case, space and punctuation around it."""
    return EDGES.sub("", text).casefold()


def _repair(reason: str, before: Draft, after: Draft) -> Repair:
    return Repair(before.chunk.start, before.chunk.end, reason, before.text, after.text)
