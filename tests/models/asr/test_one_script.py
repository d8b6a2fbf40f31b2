from __future__ import annotations

from models.asr.one_script import Script, in_one_script
from models.record.transcript import Segment, Word


def said(*texts: str, start: float = 0.0, language: str = "") -> Segment:
    """A segment of words that last half a second each."""
    words = tuple(Word(start + i / 2, start + i / 2 + 0.5, text) for i, text in enumerate(texts))
    return Segment(start, start + len(texts) / 2, None, words, language=language)


def written(segments: list[Segment], language: str, script: Script | None = None) -> list[str]:
    """What words become, which keep their times and are as many as before."""
    found = in_one_script(segments, language, script)
    for before, after in zip(segments, found, strict=True):
        assert [(word.start, word.end) for word in after.words] == [
            (word.start, word.end) for word in before.words
        ]
    return ["|".join(word.text for word in segment.words) for segment in found]


MIXED = [
    said("今天", "的", "天气", "很", "好", "，我们", "这", "里", "说话"),
    said("後", "來", "去", "吃", "飯"),
]


def test_chinese_is_in_the_script_of_most_characters() -> None:
    assert written(MIXED, "zh") == ["今天|的|天气|很|好|，我们|这|里|说话", "后|来|去|吃|饭"]
    mostly_traditional = [said("我們", "在", "這", "裡", "說", "話"), said("头", "发")]
    assert written(mostly_traditional, "zh") == ["我們|在|這|裡|說|話", "頭|髮"]


def test_a_script_that_is_asked_for_counts_more() -> None:
    assert written(MIXED, "zh", "hant") == ["今天|的|天氣|很|好|，我們|這|裡|說話", "後|來|去|吃|飯"]
    assert written(MIXED, "zh", "cyrl") == written(MIXED, "zh")


def test_words_are_converted_by_the_phrase_around_them() -> None:
    # 发 is 發 in "discover" and 髮 in "hair", and words of Whisper are pieces of either.
    assert written([said("发", "现", "头", "发")], "zh", "hant") == ["發|現|頭|髮"]


def test_what_is_in_the_script_already_stays() -> None:
    assert written([said("皇后", "騎", "馬", "三公里")], "zh") == ["皇后|騎|馬|三公里"]


def test_surnames_and_words_that_both_scripts_have_stay() -> None:
    traditional = [
        said("我們", "這", "裡", "說", "話"),
        said("于", "先生", "和", "范", "先生"),
        said("台", "灣"),
    ]
    assert written(traditional, "zh")[1] == "于|先生|和|范|先生"


def test_languages_are_told_apart() -> None:
    parts = [said("這", "個", language="ja"), said("这", "个", "这"), said("個", language="zh")]
    assert written(parts, "zh") == ["這|個", "这|个|这", "个"]


def test_serbian_is_in_the_script_of_most_letters() -> None:
    latin, cyrillic = said(" Kako", " ste", " danas?"), said(" Добро", ", хвала", " Његоше.")
    assert written([latin, latin, cyrillic], "sr")[2] == " Dobro|, hvala| Njegoše."
    assert written([latin, cyrillic, cyrillic], "sr")[0] == " Како| сте| данас?"
    assert (
        written([latin, cyrillic, cyrillic], "ru") == [" Kako| ste| danas?"] + [" Добро|, хвала| Његоше."] * 2
    )


def test_names_in_latin_letters_stay_in_a_cyrillic_sentence() -> None:
    assert written([said(" Купио", " сам", " iPhone.")], "sr", "cyrl") == [" Купио| сам| iPhone."]


def test_nothing_said_gives_nothing() -> None:
    assert written([said(), said("")], "zh", "hant") == ["", ""]
    assert in_one_script([], "sr") == ()
