"""Words and turns joined: who said each word, cut into sentences.

No word is dropped or added, and they keep their order; those of a second voice, which are found later, come in where
they read best. Word times and turn times are each off by some
tenths of a second, so neither is taken at its word: edges of words next to a pause go to where the
segmentation hears speech begin and end, and the speakers are those that turns, words and pauses together
make most probable.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from models.alignment.attribution import attribute
from models.alignment.overlap import mark_overlapped_words, split_at_pauses, with_second_voices
from models.alignment.speech_edges import snap_to_speech
from models.record.punctuation import ends_sentence
from models.record.spans import speech_of
from models.record.transcript import Segment, Turn, Word

MAX_PAUSE = 2.0  # seconds of silence after which a sentence is not expected to go on


def align(
    words: Sequence[Word], turns: Sequence[Turn], language: str, overlapping: Sequence[Turn] = ()
) -> tuple[Segment, ...]:
    """Sentence segments of one speaker each, and how sure each word's speaker is.

    words: in order of time. turns: exclusive (no two overlap), in order of time; where there are
    none, nobody is named. language: ISO 639-1 code of words that have none of their own. overlapping: turns that
    may overlap, for words that are said while two speak; none where that isn't known.
    """
    return sentence_segments(attributed(words, turns, language, overlapping), language)


def attributed(
    words: Sequence[Word], turns: Sequence[Turn], language: str, overlapping: Sequence[Turn] = ()
) -> list[Word]:
    """The words with who says them, how sure that is, and which are said while two speak; as `align` takes them."""
    everyone = overlapping or turns
    spoken = snap_to_speech(words, speech_of(everyone))
    spoken = mark_overlapped_words(spoken, overlapping)
    return attribute(spoken, everyone, turns, language)


def sentence_segments(
    words: Sequence[Word], language: str, second: Sequence[Word] = ()
) -> tuple[Segment, ...]:
    """Segments of words that have their speakers. second: words of voices under another, in order of time.

    language: ISO 639-1 code of words that have none of their own.
    """
    spoken = with_second_voices(words, second)
    return tuple(mark_continued(list(split_segments(spoken, language))))


def split_segments(words: Sequence[Word], language: str) -> Iterator[Segment]:
    """Segments of one speaker in one language, cut after each sentence and at long pauses.

    words: with their speakers. language: ISO 639-1 code of words that have none of their own.
    """
    for (speaker, spoken), run in groupby(words, key=lambda word: (word.speaker, word.language or language)):
        for stretch in split_at_pauses(list(run), MAX_PAUSE):
            for sentence in split_sentences(stretch, spoken):
                end = max(word.end for word in sentence)
                yield Segment(sentence[0].start, end, speaker, tuple(sentence), language=spoken)


def mark_continued(segments: Sequence[Segment]) -> Iterator[Segment]:
    """The segments, those marked that go on with a sentence into which a listener threw a word or two."""
    for i, segment in enumerate(segments):
        yield replace(segment, continues=i >= 2 and _goes_on(*segments[i - 2 : i + 1]))


def _goes_on(begun: Segment, aside: Segment, segment: Segment) -> bool:
    """Whether a segment ends what the one before last began, and what is between them is an aside."""
    return (
        (begun.speaker, begun.language) == (segment.speaker, segment.language)
        and aside.speaker != begun.speaker
        and aside.brief
        and not ends_sentence(begun.words[-1])
        and segment.start - begun.end <= MAX_PAUSE
    )


def split_sentences(words: Sequence[Word], language: str) -> Iterator[list[Word]]:
    """The words, cut after each that ends a sentence (found by sentencex, which knows abbreviations).

    language: ISO 639-1 code of all words.
    """
    from sentencex import segment

    boundaries = []
    length = 0
    for sentence in segment(language or "en", "".join(word.text for word in words)):
        length += len(sentence.rstrip())
        boundaries.append(length)
        length += len(sentence) - len(sentence.rstrip())
    position, boundary, sentence_words = 0, 0, list[Word]()
    for word in words:
        sentence_words.append(word)
        position += len(word.text)
        if boundary < len(boundaries) and position >= boundaries[boundary]:
            yield sentence_words
            sentence_words = []
            while boundary < len(boundaries) and boundaries[boundary] <= position:
                boundary += 1
    if sentence_words:
        yield sentence_words
