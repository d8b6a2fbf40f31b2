"""What was said, in another language: segments in, segments of the same speakers at the same times out.

`by_sound` has Whisper hear the speech once more and write English; `by_text` has a translation model of CTranslate2
(`translator`) translate sentence by sentence, names and numbers checked by `protection`. Both take their work in
`pieces`. It stands above alignment, whose sentences it cuts, and asr, whose engine hears for it; naming and it don't
know each other.
"""
