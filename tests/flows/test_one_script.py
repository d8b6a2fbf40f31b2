from __future__ import annotations

from flows import steps
from models.asr.one_script import Script
from models.asr.transcription import Transcription
from models.record.transcript import AudioFile, Diarisation, Episode, Word


def test_a_transcript_is_in_one_script() -> None:
    words = tuple(Word(i, i + 1, text) for i, text in enumerate(["这是", "说话。", "說話。"]))
    heard = Transcription(words, "zh", 1.0, "base")
    episode, audio = Episode("0b5e"), AudioFile("talk.mp3", "ab" * 32, 3.0)

    def written(script: Script | None) -> str:
        transcript = steps.align(episode, audio, heard, Diarisation(), diariser_model="none", script=script)
        return "".join(word.text for word in transcript.words)

    assert written(None) == written("hans") == "这是说话。说话。"
    assert written("hant") == "這是說話。說話。"
