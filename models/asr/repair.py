"""What Whisper's batched decoder doesn't guard against: loops, speech left out, words that nobody said.

It takes Whisper's first answer. Its usual failures are known: it stops in mid-chunk and
leaves out the rest, it repeats a phrase until the chunk is full, it writes a polite phrase under music
and noise, or it writes in a language that isn't spoken. Each is looked for in every chunk by what the
segmentation heard and by the model's own confidence; what looks wrong is decoded again, and the better
of the two stays. Everything that is changed is recorded as a `Repair`, and so is speech that stays without words.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace

import regex

from models.asr.chunking import MARGIN
from models.asr.engine import LOOP_COMPRESSION_RATIO, UNSURE_LOGPROB, Engine, Hypothesis, Languages
from models.asr.seams import without_twins
from models.asr.voice_activity import voice_activity
from models.asr.word_times import lasting
from models.record.spans import Span, total, touching, within
from models.record.transcript import Repair, Word

PUNCTUATION_AROUND = regex.compile(r"^[^\w\p{M}]+|[^\w\p{M}]+$")  # what is not part of a word; marks are
LOST_SECONDS = 1.2  # speech in one gap between words that is too much to be a breath or a laugh
LONGEST_WORD = 1.2  # seconds; a word that is longer hides a gap
WORD_SECONDS = 0.5  # what such a word is taken to last
SHORT_SECONDS = 0.4  # a shorter piece of it between two words is the end of one of them
TORN_WORDS = 2  # how many words between two gaps may belong to what comes after
MIN_WORDS_PER_SECOND = 0.7  # words a second of speech that a gap's own decoding must have to be believed
SEQUENTIAL_SECONDS = (
    3.0  # of lost speech that are worth the sequential decoder where the batched one finds nothing
)
ROUNDS = 3  # how often what was found is looked through for lost speech itself
LOOP_TIMES = 4  # a phrase said that often in a row without a change is a loop ...
LOOP_WORDS = 8  # ... if that makes this many words, and their times aren't those of speech:
SHORTEST_WORD = (
    0.06  # seconds; words of a loop that nobody says are crammed into less, or stretched over more
)
FITTING = 0.8  # share of the words that must last as words do, and lie where somebody speaks
FASTEST = 5.0  # words a second of speech
GUESSED_LOGPROB = -1.4  # mean log-probability under which nothing is left of what was said
NO_SPEECH_PROBABILITY = 0.6  # probability of no speech, as Whisper has it
SPOKEN_LOGPROB = (
    -1.5
)  # log-probability of a gap's words and of speech together: polite phrases in noise get less
VOICED = 0.2  # share of a doubtful chunk in which the voice detector must hear a voice, too ...
VOICED_SECONDS = 2.0  # ... or this long in one of any length, for it to be decoded sequentially
OTHER_LANGUAGE = 0.8  # probability of a language from which it is believed
LANGUAGE_SECONDS = 2.0  # of speech by which a language can be told
BETTER = 0.1  # by how much the log-probability in another language must be higher
FOREIGN_SHARE = 0.3  # of the letters, in another script than the language is written in
LATIN = ("en", "de", "es", "fr", "pt", "it", "nl", "sv", "da", "no", "fi", "pl", "cs", "ro", "hu", "tr", "ca")


def repair_hypotheses(
    engine: Engine, hypotheses: Sequence[Hypothesis], speech: Sequence[Span]
) -> tuple[list[Hypothesis], list[Repair]]:
    """The hypotheses of consecutive chunks without loops, losses and inventions, and what was done to them.

    speech: where the segmentation heard speech. A chunk that lost speech comes back as several hypotheses.
    """
    repairs: list[Repair] = []
    hypotheses = [_without_loops(engine, hypothesis, speech, repairs) for hypothesis in hypotheses]
    hypotheses = _with_lost_speech(engine, hypotheses, speech, repairs)
    hypotheses = [_without_hallucinations(engine, hypothesis, repairs) for hypothesis in hypotheses]
    joined = without_twins(hypotheses, speech)
    changed = [pair for pair in zip(hypotheses, joined, strict=True) if pair[0].text != pair[1].text]
    return joined, [*repairs, *(_repair("twice", before, after) for before, after in changed)]


def without_words(
    engine: Engine,
    words: Sequence[Word],
    seconds: float,
    speech: Sequence[Span],
    repairs: Sequence[Repair] = (),
) -> list[Repair]:
    """Where speech is without words after all repairs: "unheard", or "wordless" where nobody is heard after all.

    seconds: how long the recording is. What `repairs` tell to be wordless isn't told again.
    """
    told = [Span(repair.start, repair.end) for repair in repairs if repair.reason == "wordless"]
    found = []
    for gap, _ in lost_speech(Hypothesis(Span(0.0, seconds), tuple(words)), speech):
        spoken = within(speech, gap)
        span = Span(spoken[0].start, spoken[-1].end)
        if is_voiced(gap, engine):
            found.append(Repair(span.start, span.end, "unheard"))
        elif not any(span.shared(other) > span.duration / 2 for other in told):
            found.append(Repair(span.start, span.end, "wordless"))
    return found


def _without_loops(
    engine: Engine, hypothesis: Hypothesis, speech: Sequence[Span], repairs: list[Repair]
) -> Hypothesis:
    """The hypothesis itself, or where it repeats itself a sequential one, without what is said at no time of speech."""
    again = hypothesis
    if is_loop(hypothesis, speech):
        if not is_voiced(hypothesis.chunk, engine):
            return _emptied(hypothesis, repairs)
        again = engine.decode_sequentially(hypothesis.chunk, hypothesis.language)
        if is_loop(again, speech):
            again = min(hypothesis, again, key=lambda each: each.compression_ratio)
    again = replace(again, words=tuple(without_repeats(again.words, speech)))
    if again != hypothesis:
        repairs.append(_repair("loop", hypothesis, again))
    return again


def is_loop(hypothesis: Hypothesis, speech: Sequence[Span]) -> bool:
    """Whether the text repeats itself more than speech does, at times that aren't those of the speech it covers."""
    words = hypothesis.words
    if hypothesis.compression_ratio <= LOOP_COMPRESSION_RATIO and len(without_repeats(words)) == len(words):
        return False
    kept = without_repeats(words, speech)
    return len(kept) < FITTING * len(words) or not _fits(kept, speech)


def _fits(words: Sequence[Word], speech: Sequence[Span]) -> bool:
    """Whether words last as long as words do, lie where somebody speaks, and are no more than can be said there."""
    covered = total(within(speech, Span(words[0].start, words[-1].end)))
    fitting = [
        SHORTEST_WORD <= word.end - word.start <= LONGEST_WORD
        and bool(touching(speech, Span(word.start, word.end)))
        for word in words
    ]
    return len(words) <= FASTEST * covered and sum(fitting) >= FITTING * len(words)


def without_repeats(words: Sequence[Word], speech: Sequence[Span] = ()) -> list[Word]:
    """The words with each phrase that comes many times in a row left once, and where its times are those of speech.

    >>> said = [Word(i, i + 1, text) for i, text in enumerate([" so", *[" thank", " you."] * 5, " bye"])]
    >>> "".join(word.text for word in without_repeats(said))
    ' so thank you. bye'
    >>> "".join(word.text for word in without_repeats(said, [Span(0, 6), Span(11, 12)]))
    ' so thank you. thank you. bye'
    """
    keys = [bare_word(word.text) for word in words]
    kept, at = list[Word](), 0
    while at < len(words):
        size, times = _loop_at(keys, at)
        crammed = 0  # words that are too short to be said: as many as make a phrase stand for one too many
        for first in range(at, at + size * times, size):
            phrase = words[first : first + size]
            crammed += sum(word.end - word.start < SHORTEST_WORD for word in phrase)
            if first == at or (crammed < size and _is_said(phrase, speech)):
                kept += phrase
            else:
                crammed = max(0, crammed - size)
        at += size * times
    return kept


def _is_said(phrase: Sequence[Word], speech: Sequence[Span]) -> bool:
    """Whether a phrase takes the time that it takes to say it, most of it where somebody speaks."""
    span = Span(phrase[0].start, phrase[-1].end)
    return (
        SHORTEST_WORD * len(phrase) <= span.duration <= LONGEST_WORD * len(phrase)
        and total(within(speech, span)) > span.duration / 2
    )


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
    engine: Engine,
    hypotheses: Sequence[Hypothesis],
    speech: Sequence[Span],
    repairs: list[Repair],
) -> list[Hypothesis]:
    """The hypotheses with what they left out: each gap that holds speech is decoded as a chunk of its own.

    All gaps are decoded in batches; a gap's own hypothesis may have left something out again.
    """
    finished: list[Hypothesis] = []
    found = list(hypotheses)
    for _ in range(ROUNDS):
        parts = [part for hypothesis in found for part in split_at_lost_speech(hypothesis, speech)]
        finished += [part for part in parts if not part.undecoded]
        lost = [part for part in parts if part.undecoded]
        gaps = [part.chunk for part in lost]
        found = []
        for hypothesis in engine.decode(
            gaps, languages=[part.language for part in lost], stretches=[[gap] for gap in gaps]
        ):
            again = _heard_in_gap(engine, hypothesis, speech)
            if again is not None:
                repairs.append(_repair("lost", Hypothesis(hypothesis.chunk), again))
                # What precedes its first word was listened to twice: only what follows may hold more.
                found.append(replace(again, chunk=Span(again.words[0].start, again.chunk.end)))
    return sorted([*finished, *found], key=lambda hypothesis: hypothesis.chunk)


def _heard_in_gap(engine: Engine, hypothesis: Hypothesis, speech: Sequence[Span]) -> Hypothesis | None:
    """What is said in a gap: its own hypothesis, or one with more care or in the language that is heard there; or None.

    That it was left out says by itself that it may be in another language.
    """
    chunk, heard = hypothesis.chunk, total(within(speech, hypothesis.chunk))
    found = hypothesis if _is_found(hypothesis, speech) else None
    if heard < LANGUAGE_SECONDS or not is_voiced(chunk, engine):
        return found
    other = _other_language(hypothesis.language, *hypothesis.languages)
    if other is None and (found or heard < SEQUENTIAL_SECONDS):
        return found
    again = engine.decode_sequentially(chunk, other or hypothesis.language)
    if not _is_found(again, speech) or (found and again.confidence <= found.confidence + BETTER):
        return found
    return again


def _is_found(again: Hypothesis, speech: Sequence[Span]) -> bool:
    """Whether a gap's own hypothesis is speech: words enough for what was heard, and not invented."""
    if (
        not again.words
        or again.confidence < UNSURE_LOGPROB
        or again.no_speech_probability > NO_SPEECH_PROBABILITY
        or again.confidence + math.log1p(-again.no_speech_probability) < SPOKEN_LOGPROB
        or is_loop(again, speech)
    ):
        return False
    return len(again.words) >= MIN_WORDS_PER_SECOND * total(within(speech, again.chunk))


def split_at_lost_speech(hypothesis: Hypothesis, speech: Sequence[Span]) -> list[Hypothesis]:
    """The hypothesis in parts: those with words, undecoded ones for speech that was left out."""
    parts, start, first = list[Hypothesis](), hypothesis.chunk.start, 0
    for gap, index in lost_speech(hypothesis, speech):
        parts.append(_part(hypothesis, Span(start, gap.start), first, index))
        parts.append(Hypothesis(gap, language=hypothesis.language, undecoded=True))
        start, first = gap.end, index
    return [*parts, _part(hypothesis, Span(start, hypothesis.chunk.end), first, len(hypothesis.words))]


def _part(hypothesis: Hypothesis, chunk: Span, first: int, last: int) -> Hypothesis:
    """Words [first, last) of a hypothesis; those that were stretched over what lies before `chunk` begin with it."""
    return replace(hypothesis, chunk=chunk, words=lasting(hypothesis.words[first:last], chunk))


def lost_speech(hypothesis: Hypothesis, speech: Sequence[Span]) -> list[tuple[Span, int]]:
    """Spans in which speech was left out, in order, each with the index of the first word after it.

    A word or two between two gaps were torn from what follows, and count as said after both.
    """
    found: list[tuple[Span, int]] = []
    for gap, index in _gaps(hypothesis):
        heard = [span for span in within(speech, gap) if span.duration >= SHORT_SECONDS]
        if total(heard) < LOST_SECONDS:
            continue
        span = Span(max(gap.start, heard[0].start - MARGIN), min(gap.end, heard[-1].end + MARGIN))
        if found and index - found[-1][1] <= TORN_WORDS and not is_stretched(hypothesis.words[found[-1][1]]):
            begun, torn = found.pop()
            found.append((Span(begun.start, span.end), torn))
        else:
            found.append((span, index))
    return found


def _gaps(hypothesis: Hypothesis) -> Iterator[tuple[Span, int]]:
    """What no word covers, in order, with the index of the word after it; part of a stretched word is a gap."""
    since = hypothesis.chunk.start
    for index, word in enumerate(hypothesis.words):
        start = word.end - WORD_SECONDS if is_stretched(word) else word.start
        yield Span(since, max(since, start)), index
        since = word.end
    yield Span(since, hypothesis.chunk.end), len(hypothesis.words)


def is_stretched(word: Word) -> bool:
    """Whether a word lasts longer than words do: over what is missing before it, as times are found."""
    return word.end - word.start > LONGEST_WORD


def _without_hallucinations(engine: Engine, hypothesis: Hypothesis, repairs: list[Repair]) -> Hypothesis:
    """The hypothesis itself, or where the model is unsure or writes another script: a sequential one, or nothing."""
    language = hypothesis.language
    foreign = foreign_script(hypothesis.text, language)
    if not hypothesis.words or (hypothesis.confidence >= UNSURE_LOGPROB and not foreign):
        return hypothesis
    if not is_voiced(hypothesis.chunk, engine):
        return _emptied(hypothesis, repairs)
    other = _other_language(language, engine.language_probabilities(hypothesis.chunk))
    again = engine.decode_sequentially(hypothesis.chunk, other or language)
    if other and again.words and again.confidence > hypothesis.confidence + BETTER:
        repairs.append(_repair("language", hypothesis, again))
        return again
    best = max((hypothesis, again), key=lambda each: each.confidence if each.words else -99.0)
    if is_hallucination(best):
        return _emptied(hypothesis, repairs)
    if best is again:
        repairs.append(_repair("unsure", hypothesis, again))
    return best


def is_hallucination(hypothesis: Hypothesis) -> bool:
    """Whether doubtful words are a mere guess, as Whisper writes them where nobody speaks."""
    return hypothesis.confidence < GUESSED_LOGPROB or (
        hypothesis.confidence < UNSURE_LOGPROB and hypothesis.no_speech_probability > NO_SPEECH_PROBABILITY
    )


def is_voiced(chunk: Span, engine: Engine) -> bool:
    """Whether the voice detector hears anybody, too; cheap beside the sequential decoder, which dwells on noise."""
    return total(voice_activity(engine.samples_of(chunk))) >= min(VOICED * chunk.duration, VOICED_SECONDS)


def _emptied(hypothesis: Hypothesis, repairs: list[Repair]) -> Hypothesis:
    """The hypothesis without its words, which nobody said."""
    empty = Hypothesis(hypothesis.chunk, language=hypothesis.language)
    repairs.append(_repair("wordless", hypothesis, empty))
    return empty


def _other_language(language: str, *heard: Languages) -> str | None:
    """The language that is heard where it clearly is another than the one it was taken for."""
    probable = (code for each in heard for code, probability in each.items() if probability >= OTHER_LANGUAGE)
    return next((code for code in probable if code != language), None)


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


def bare_word(text: str) -> str:
    """A word without case, space and punctuation around it.

    >>> bare_word(' "Hello," '), bare_word(" हिन्दी।")
    ('hello', 'हिन्दी')
    """
    bare: str = PUNCTUATION_AROUND.sub("", text)
    return bare.casefold()


def _repair(reason: str, before: Hypothesis, after: Hypothesis) -> Repair:
    return Repair(before.chunk.start, before.chunk.end, reason, before.text, after.text)
