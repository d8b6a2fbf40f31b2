"""Whose track a file is, by the names that services give their files."""

import unicodedata

import pytest

from audio.tracks.file_names import is_mix, people_in, person_in


@pytest.mark.parametrize(
    ("file_name", "person"),
    [
        # Zoom meetings
        ("audioAnneCurrie21234567890.m4a", "Anne Currie"),
        ("audioGaëlDuez11098765432.m4a", "Gaël Duez"),
        ("audioÉmileZola11098765432.m4a", "Émile Zola"),
        ("audioRonaldMcDonald11098765432.m4a", "Ronald McDonald"),
        ("audioadityakhemka153256432.m4a", "Adityakhemka"),
        ("audio1098765432.m4a", ""),
        # Riverside
        ("riverside_madison_raw-video-cfr_madison_kanna's stu_0035.mp4", "Madison"),
        ("harsha_agarwal_raw-video-cfr_riverside_0002.mp4", "Harsha Agarwal"),
        ("riverside_anne_currie_raw-audio_green_io_0012.wav", "Anne Currie"),
        ("riverside_gaël duez_synced-audio_green io studio_0012.wav", "Gaël Duez"),
        # Zencastr and others that put little beside the name
        ("anne-currie-raw_0001.wav", "Anne Currie"),
        ("gaël-duez.flac", "Gaël Duez"),
        ("zencastr_gaël-duez_2024-03-05.wav", "Gaël Duez"),
        ("SquadCast-Anne Currie-2024-03-05-10-32-05 AM-audio.wav", "Anne Currie"),
        ("Anne Currie (local).wav", "Anne Currie"),
        ("cleanfeed_20240305_1032_anne.wav", "Anne"),
        ("StreamYard - Anne Currie - 05 Mar 2024.wav", "Anne Currie"),
        ("Guest 2 - Bola Adebayo - final_48k.wav", "Bola Adebayo"),
        ("1763152299562-12f0b87c-97d4-4dd3-a65c-cee1f854a79c-cam-audio-1763152314582.webm", ""),
        # Craig and other bots of Discord
        ("1-annecurrie.flac", "Annecurrie"),
        ("1-anne.currie_1234.aac", "Anne Currie"),
        ("2-gael_duez_0.aac", "Gael Duez"),
        ("3-bob42#0007.ogg", "Bob42"),
        # OBS
        ("Track1", ""),
        ("simple_aac_recording0", ""),
        ("Mic/Aux", ""),
        ("Desktop Audio", ""),
        # recorders
        ("ZOOM0001_Tr1.WAV", ""),
        ("260721_194345_TrMic.WAV", ""),
        ("STE-000.wav", ""),
        ("MONO-001.wav", ""),
        ("4CH-000I.wav", ""),
        ("TASCAM_0001_2.wav", ""),
        ("MIC 1.wav", ""),
        ("Phone.wav", ""),
        # Audacity, Reaper, Nuendo
        ("01-Anne-240105_1234.wav", "Anne"),
        ("01 - Anne Currie_01.wav", "Anne Currie"),
        ("Audio Track-2.wav", ""),
        # spellings
        ("Jean-Luc Picard.wav", "Jean-Luc Picard"),
        ("jean_luc.wav", "Jean Luc"),
        ("ANNE CURRIE.WAV", "Anne Currie"),
        ("JD.wav", "JD"),
        ("anne van der berg.wav", "Anne van der Berg"),
        ("Dr. O'Brien.mp3", "Dr O'Brien"),
        ("anne & bob.wav", "Anne & Bob"),
        ("山田太郎.wav", "山田太郎"),
        ("Анна Керри_raw.wav", "Анна Керри"),
        (unicodedata.normalize("NFD", "gaël-duez.wav"), "Gaël Duez"),
        ("Dawn French.wav", "Dawn French"),
        ("English", ""),
        ("host.wav", ""),
        ("left.wav", ""),
        ("2024-03-05 10.32.05.wav", ""),
        ("final_mp3.mp3", ""),
        (".wav", ""),
        ("", ""),
    ],
)
def test_the_person_in_a_name(file_name: str, person: str) -> None:
    assert person_in(file_name) == person


def test_what_all_names_share_is_the_show() -> None:
    assert people_in(["Green IO 12 anne.wav", "Green IO 12 bob.wav"]) == ["Anne", "Bob"]
    assert people_in(["anne_green-io.wav", "gaël_green-io.wav"]) == ["Anne", "Gaël"]
    assert people_in(["ep12 Jean-Luc Picard.wav", "ep12 Will Riker.wav"]) == ["Jean-Luc Picard", "Will Riker"]


def test_a_family_keeps_its_name() -> None:
    assert people_in(["anne-currie.wav", "bob-currie.wav"]) == ["Anne Currie", "Bob Currie"]


def test_two_files_of_one_person_keep_their_name() -> None:
    assert people_in(["anne_0001.wav", "anne_0002.wav"]) == ["Anne", "Anne"]


@pytest.mark.parametrize(
    "file_name",
    [
        "audio_only.m4a",
        "audio_only_1.m4a",
        "audio1234567890.m4a",
        "zoom_0.mp4",
        "GMT20240305-103205_Recording_1920x1080.mp4",
        "riverside_composed_green io_0012.wav",
        "Everyone.flac",
        "ep12_Final Mix.wav",
        "260721_194345_TrLR.WAV",
        "TASCAM_0001_MIX.wav",
        "master.wav",
    ],
)
def test_a_mix_is_told_by_its_name(file_name: str) -> None:
    assert is_mix(file_name)


@pytest.mark.parametrize(
    "file_name", ["audioAnneCurrie21234567890.m4a", "MixPre-001.wav", "1-max.flac", "Track1"]
)
def test_what_is_no_mix(file_name: str) -> None:
    assert not is_mix(file_name)
