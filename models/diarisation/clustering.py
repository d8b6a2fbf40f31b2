"""Clustering of local speakers into the voices of a recording, in bounded memory, with the count estimated.

How alike two embeddings are depends on how much speech is behind them: 1 s against 1 s of one person
measures a cosine of about 0.5, 8 s against 8 s about 0.9, so no threshold on the cosine fits both a
telephone call of half a minute and a show of three hours. Here a cosine is first divided by what the
durations let it reach, then weighed as a log-likelihood ratio of "same person" against "two people",
whose spread also follows from the durations. One person may also sound otherwise for a while, and the
segmentation, which tells people apart within ten seconds, has its say. Clusters merge while one person is
the likelier story; a small one that remains must differ the more from greater ones the less it says.
Two local speakers whom the segmentation heard at one time are two people and never merge.

Long recordings are clustered block by block and the blocks' clusters once more, so memory and time
grow with the length of the recording and not with its square.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import block_diag, csr_array

from models.diarisation.assignment import Assignment, nobody_asks
from models.diarisation.doubts import Doubt, Doubted, no_doubt
from models.diarisation.local_speakers import spaced_windows
from models.record.progress import Report, no_report
from models.runtime.pyannote import BaseClustering, SlidingWindowFeature, VBxClustering

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MAX_CLUSTERS = 600  # clustered at once: a 600 x 600 matrix of ratios, 3 MB
MAX_TRAIN = 4_000  # embeddings VBx looks at: 64 MB of distances
TRAIN_HOP = 5.0  # seconds between two windows whose embeddings decide the clusters
MIN_TRAIN_SECONDS = 0.5  # clean speech; less says too little to found or bend a cluster
FRAME_SECONDS = 0.017  # of a segmentation frame
TOGETHER_SECONDS = 0.2  # two subsegments that are active at once for longer are two people
TOGETHER_WEIGHT = 20.0  # taken from the ratio of two clusters all of whose speech is heard together
LOYALTY = 1.0  # log-likelihood ratio a subsegment needs to leave the voice of its local speaker
FORCED_SHARE = 0.1  # of the subsegments that a voice gets which was asked for and hardly found
ASSIGN_CHUNKS = 2_000  # windows assigned at once
ODD_LENGTH = 1.2  # of an embedding, over the recording's median: longer ones are less and less of a voice ...
ODD_SCALE = 0.1  # ... by half at so much more
COHERENT = (1.0, 1.4)  # how coherent a voice may be, over what is usual
COHERENT_FROM = 4.0  # embeddings of a voice at which its own coherence counts as much as the usual one
DOUBTED_SECONDS = 3.0  # of speech; doubts about less aren't told


@dataclass(frozen=True)
class Calibration:
    """What cosines between CAM++ embeddings look like, fitted on recordings other than the reported ones.

    half_life: seconds of speech at which a voice and the noise in its embedding weigh the same.
    same, different, altered: mean and standard deviation of the corrected cosine between speech of one person, of two,
    and of one who raises the voice, laughs, acts or changes microphones, as is so in `altered_share` of all cases.
    `dimension` is the effective one, which noise is spread over. `prior` is added to every ratio, `bond` as far as the
    segmentation hears one local speaker, and -`apart` as far as it hears two in one window. A voice has `min_seconds`
    of speech and `min_share` of all speech at least, since odd sounds add up over hours, and a ratio to each greater
    voice under -(`margin` + `doubt` / its seconds).
    """

    half_life: float = 1.0
    same: tuple[float, float] = (0.88, 0.12)
    different: tuple[float, float] = (0.28, 0.14)
    altered: tuple[float, float] = (0.60, 0.12)
    altered_share: float = 0.4
    dimension: float = 100.0
    prior: float = -1.0
    bond: float = 6.0
    apart: float = 10.0
    min_seconds: float = 1.5
    min_share: float = 0.002
    margin: float = 2.5
    doubt: float = 9.0


@dataclass
class Clusters:
    """Clusters of embeddings, of one each to begin with, as sums: what a merge adds up.

    vectors: (clusters, dimension) sum of unit embeddings; reach: (clusters,) sum of the lengths they would
    have without noise; noise: (clusters,) sum of squared noise; seconds: (clusters,) clean speech; count: (clusters,)
    embeddings; start: (clusters,) seconds at which the first of them is; together: (clusters, clusters) sparse, seconds
    of speech in which both were heard at one time; bonds: the same, as `local_bonds` has them.
    """

    vectors: Floats
    reach: Floats
    noise: Floats
    seconds: Floats
    count: Floats
    start: Floats
    together: csr_array
    bonds: csr_array

    def __len__(self) -> int:
        return len(self.reach)

    def merged(self, labels: Ints) -> Clusters:
        """Those of one label merged. labels: (clusters,), numbered from 0."""
        member: Any = csr_array((np.ones(len(self)), (labels, np.arange(len(self)))))
        start = np.full(member.shape[0], np.inf)
        np.minimum.at(start, labels, self.start)
        return Clusters(
            member @ self.vectors,
            member @ self.reach,
            member @ self.noise,
            member @ self.seconds,
            member @ self.count,
            start,
            member @ self.together @ member.T,
            member @ self.bonds @ member.T,
        )

    def absorb(self, i: int, j: int) -> None:
        """Add cluster `j` to cluster `i`, in place, but for `together` and `bonds`."""
        for sums in (self.vectors, self.reach, self.noise, self.seconds, self.count):
            sums[i] += sums[j]
        self.start[i] = min(self.start[i], self.start[j])

    def __getitem__(self, keep: Any) -> Clusters:
        """Those that an index array or slice takes."""
        return Clusters(
            self.vectors[keep],
            self.reach[keep],
            self.noise[keep],
            self.seconds[keep],
            self.count[keep],
            self.start[keep],
            self.together[keep][:, keep],
            self.bonds[keep][:, keep],
        )


def singleton_clusters(
    embeddings: Floats,
    seconds: Floats,
    calibration: Calibration,
    start: Floats | None = None,
    together: csr_array | None = None,
    bonds: csr_array | None = None,
) -> Clusters:
    """One cluster an embedding. embeddings: (clusters, dimension), any scale; seconds, start: (clusters,)."""
    norms = np.linalg.norm(embeddings, axis=1, keepdims=True)
    reach = 1.0 / np.sqrt(1.0 + calibration.half_life / np.maximum(seconds, 1e-3))
    noise = 1.0 - calibration.same[0] * reach**2
    none = csr_array((len(seconds), len(seconds)))
    return Clusters(
        embeddings / np.maximum(norms, 1e-12),
        reach,
        noise,
        seconds,
        np.ones(len(seconds)),
        np.zeros(len(seconds)) if start is None else start,
        none if together is None else together,
        none if bonds is None else bonds,
    )


def log_likelihood_ratios(a: Clusters, b: Clusters, calibration: Calibration) -> Floats:
    """Log-likelihood ratio of one person against two for each pair: (clusters of a, clusters of b)."""
    reach_a, reach_b = (each.reach * coherence(each, calibration) for each in (a, b))
    cosines = a.vectors @ b.vectors.T / np.outer(reach_a, reach_b)
    return _ratios(cosines, a.noise / reach_a**2, b.noise / reach_b**2, calibration)


def _ratios(cosines: Floats, noise_a: Floats, noise_b: Floats, calibration: Calibration) -> Floats:
    """Ratios of clusters a and b by their cosines, (clusters of a, clusters of b), and the noise for a reach of 1."""
    same = calibration.same
    cosine = np.minimum(cosines, same[0])
    spread = np.outer(noise_a + same[0], noise_b + same[0])
    spread -= same[0] ** 2
    spread /= calibration.dimension
    one = _log_normal(cosine, same, spread)
    if share := calibration.altered_share:
        altered = _log_normal(cosine, calibration.altered, spread)
        one = np.logaddexp(math.log(1.0 - share) + one, math.log(share) + altered)
    return one - _log_normal(cosine, calibration.different, spread) + calibration.prior


def voice_likeness(embeddings: Floats) -> Floats:
    """(embeddings,) 1 for what sounds like a voice, less for what doesn't: laughter, whispering, noise.

    The network answers what it was not trained on with longer embeddings than speech of the same recording has.
    """
    lengths = np.linalg.norm(embeddings, axis=1)
    excess = np.maximum(0.0, lengths / np.median(lengths) - ODD_LENGTH)
    return 1.0 / (1.0 + np.square(excess / ODD_SCALE))


def coherence(clusters: Clusters, calibration: Calibration) -> Floats:
    """(clusters,) how much longer the sums are than those of a usual voice: all there are in a telephone call, say."""
    squares = np.square(clusters.vectors).sum(axis=1)
    return _coherence(squares, clusters.reach, clusters.noise, clusters.count, calibration)


def _coherence(
    squares: Floats, reach: Floats, noise: Floats, count: Floats, calibration: Calibration
) -> Floats:
    """`coherence` by the squared lengths of the vectors."""
    usual = calibration.same[0]
    pairs = reach**2 - (count - noise) / usual  # less each with itself
    found = (squares - count) / np.maximum(pairs, 1e-9)
    weight = count - 1.0
    mean = (weight * found + COHERENT_FROM * usual) / (weight + COHERENT_FROM)
    return np.sqrt(np.minimum(np.maximum(mean / usual, COHERENT[0]), COHERENT[1]))


def _log_normal(x: Floats, of: tuple[float, float], spread: Floats) -> Floats:
    variance = of[1] ** 2 + spread
    return -0.5 * (np.square(x - of[0]) / variance + np.log(variance))


class Pairs:
    """All pairs of some clusters, as sums that are kept up to date while the clusters merge.

    ids: (clusters,) their indices at first; shared: (3, clusters, clusters) products of their vectors, together,
    bonds; sums: (4, clusters) reach, noise, seconds, count; coherent: (clusters,) reach times coherence.
    """

    def __init__(self, clusters: Clusters, calibration: Calibration) -> None:
        self.calibration = calibration
        self.ids = np.arange(len(clusters))
        products = clusters.vectors @ clusters.vectors.T
        self.shared = np.stack((products, clusters.together.toarray(), clusters.bonds.toarray()))
        self.sums = np.stack((clusters.reach, clusters.noise, clusters.seconds, clusters.count))
        self.coherent = clusters.reach * coherence(clusters, calibration)

    def merge(self, i: int, j: int) -> None:
        """Add cluster `j` to cluster `i`; `j` is as it was."""
        self.shared[:, i] += self.shared[:, j]
        self.shared[:, :, i] += self.shared[:, :, j]
        self.sums[:, i] += self.sums[:, j]
        reach, noise, _, count = self.sums[:, i]
        self.coherent[i] = reach * _coherence(self.shared[0, i, i], reach, noise, count, self.calibration)

    def keep(self, some: NDArray[np.bool_]) -> None:
        """Forget all others."""
        self.ids, self.coherent, self.sums = self.ids[some], self.coherent[some], self.sums[:, some]
        self.shared = self.shared[:, some][:, :, some]

    def ratios(self, rows: slice) -> Floats:
        """Ratios of `rows` to all clusters, less what speaking at one time says against one person."""
        seconds, reach = self.sums[2], self.coherent
        noise = self.sums[1] / reach**2
        products, together, bonds = self.shared[:, rows]
        ratios = _ratios(products / (reach[rows, None] * reach), noise[rows], noise, self.calibration)
        shorter = np.maximum(np.minimum(seconds[rows, None], seconds), 1e-9)
        return ratios - TOGETHER_WEIGHT * np.minimum(1.0, together / shorter) + bonds / shorter


def pair_ratios(clusters: Clusters, calibration: Calibration) -> Floats:
    """(clusters, clusters) ratios, with what the segmentation says."""
    return Pairs(clusters, calibration).ratios(slice(None))


def agglomerate(clusters: Clusters, calibration: Calibration) -> tuple[Ints, Floats]:
    """Merge the likeliest pair again and again until one cluster is left.

    Returns the merges, (clusters - 1, 2) with the second going into the first, and their ratios.
    """
    steps = max(0, len(clusters) - 1)
    merges, values = np.zeros((steps, 2), dtype=np.int64), np.zeros(steps)
    pairs = Pairs(clusters, calibration)
    score = pairs.ratios(slice(None))
    np.fill_diagonal(score, -np.inf)
    best = score.argmax(axis=1)
    top = score.max(axis=1)  # -inf of those that are merged into others
    for step in range(steps):
        if 2 * (steps + 1 - step) <= len(top):
            alive = top > -np.inf
            pairs.keep(alive)
            score, top = score[np.ix_(alive, alive)], top[alive]
            best = (np.cumsum(alive) - 1)[best[alive]]
        i = int(top.argmax())
        j = int(best[i])
        merges[step], values[step] = pairs.ids[[i, j]], top[i]
        pairs.merge(i, j)
        row = pairs.ratios(slice(i, i + 1))[0]
        row[top == -np.inf] = row[[i, j]] = -np.inf
        score[j], score[:, j] = -np.inf, -np.inf
        score[i], score[:, i] = row, row
        top[i], top[j] = np.inf, -np.inf
        lost = np.flatnonzero(((best == i) | (best == j)) & (row < top))
        nearer = row > top
        best[nearer], top[nearer] = i, row[nearer]
        best[lost] = score[lost].argmax(axis=1)
        top[lost] = score[lost, best[lost]]
    return merges, values


def labels_after(merges: Ints, steps: int) -> Ints:
    """Labels from 0, (clusters,), after the first `steps` merges."""
    parent = np.arange(len(merges) + 1)
    for i, j in merges[:steps]:
        parent[parent == j] = i
    return np.unique(parent, return_inverse=True)[1].astype(np.int64)


def condense(clusters: Clusters, calibration: Calibration, report: Report = no_report) -> Clusters:
    """Few enough clusters to be looked at all at once.

    Blocks of MAX_CLUSTERS neighbours are clustered on their own and their clusters again, so that a voice
    which comes back after hours joins itself in a later round.
    """
    total = len(clusters)
    while len(clusters) > MAX_CLUSTERS:
        labels: list[Ints] = []
        for first in range(0, len(clusters), MAX_CLUSTERS):
            report(first if len(clusters) == total else total, total)
            merges, values = agglomerate(clusters[slice(first, first + MAX_CLUSTERS)], calibration)
            offset = labels[-1].max() + 1 if labels else 0
            labels.append(labels_after(merges, likely_merges(values)) + offset)
        condensed = clusters.merged(np.concatenate(labels))
        if len(condensed) == len(clusters):
            break
        clusters = condensed
    return clusters


def likely_merges(values: Floats) -> int:
    """How many merges come before the first that takes two people for one."""
    unlikely = np.flatnonzero(values <= 0)
    return int(unlikely[0]) if len(unlikely) else len(values)


def find_voices(
    clusters: Clusters,
    calibration: Calibration,
    least: int,
    most: int,
    report: Report = no_report,
    doubted: Doubted = no_doubt,
) -> Clusters:
    """The voices of a recording, at least `least` and at most `most` of them where there are as many clusters.

    A cluster counts as a voice when it holds enough speech that differs enough; what the others hold is left to be
    assigned. `doubted` is told what may have been somebody else's.
    """
    clusters = condense(clusters, calibration, report)
    merges, values = agglomerate(clusters, calibration)
    likely = likely_merges(values)
    voices = clusters.merged(labels_after(merges, likely))
    evidence = evidence_for_one(voices, calibration)
    believed = believable_voices(voices, evidence, calibration)
    wanted = min(max(int(believed.sum()), least), most, len(clusters))
    if believed.sum() == wanted:
        for doubt in (
            *doubtful_merges(clusters, merges[:likely], values, calibration),
            *doubtful_voices(voices, evidence, believed),
        ):
            doubted(doubt)
        return voices[np.flatnonzero(believed)]
    floor = min(calibration.min_seconds, clusters.seconds.sum() / (2 * wanted))
    voices = _forced(clusters, merges, wanted, floor)
    return voices[np.sort(np.argsort(-voices.seconds, kind="stable")[:wanted])]


def evidence_for_one(clusters: Clusters, calibration: Calibration) -> Floats:
    """(clusters, clusters) log-odds of the smaller of two being the greater's: the less it says, the likelier it is."""
    smaller = np.minimum(clusters.seconds[:, None], clusters.seconds)
    return pair_ratios(clusters, calibration) + calibration.margin + calibration.doubt / smaller


def believable_voices(clusters: Clusters, evidence: Floats, calibration: Calibration) -> NDArray[np.bool_]:
    """(clusters,) True for those that are nobody else's. evidence: as `evidence_for_one` has it."""
    believed = np.zeros(len(clusters), dtype=bool)
    least = max(calibration.min_seconds, calibration.min_share * clusters.seconds.sum())
    for k in np.argsort(-clusters.seconds, kind="stable"):
        enough = clusters.seconds[k] >= least and evidence[k, believed].max(initial=-np.inf) <= 0.0
        believed[k] = enough or not believed.any()
    return believed


def doubtful_voices(clusters: Clusters, evidence: Floats, believed: NDArray[np.bool_]) -> Iterator[Doubt]:
    """What sounded like a voice of its own and was not believed."""
    for k in np.flatnonzero(~believed & (clusters.seconds >= DOUBTED_SECONDS)):
        yield Doubt(clusters.start[k], clusters.seconds[k], _probability(evidence[k, believed].max()))


def doubtful_merges(
    clusters: Clusters, merges: Ints, values: Floats, calibration: Calibration
) -> Iterator[Doubt]:
    """What was joined though it sounds like another person, if people always sounded as they do."""
    strict = replace(calibration, altered_share=0.0)
    now = clusters[np.arange(len(clusters))]
    for (i, j), value in zip(merges.tolist(), values, strict=False):
        seconds = min(now.seconds[i], now.seconds[j])
        if seconds >= DOUBTED_SECONDS and log_likelihood_ratios(now[[i]], now[[j]], strict) < 0.0:
            yield Doubt(max(now.start[i], now.start[j]), seconds, _probability(value))
        now.absorb(i, j)


def _probability(log_odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-log_odds))


def _forced(clusters: Clusters, merges: Ints, wanted: int, floor: float) -> Clusters:
    """The clusters after as many merges as leave `wanted` with enough speech, or just `wanted` clusters."""
    for steps in range(len(clusters) - wanted, -1, -1):
        voices = clusters.merged(labels_after(merges, steps))
        if (voices.seconds >= floor).sum() >= wanted:
            return voices
    return clusters.merged(labels_after(merges, len(clusters) - wanted))


class VoiceClustering(BaseClustering):
    """pyannote clustering that weighs evidence instead of cutting at a distance.

    subsegments: how many a local speaker is cut into; columns [s * subsegments, (s + 1) * subsegments) belong together.
    """

    expects_num_clusters = False

    def __init__(self, subsegments: int = 1, calibration: Calibration | None = None) -> None:
        super().__init__(metric="cosine", constrained_assignment=True)
        self.subsegments = subsegments
        self.calibration = calibration or Calibration()

    def __call__(
        self,
        embeddings: NDArray[np.float32],
        segmentations: SlidingWindowFeature | None = None,
        num_clusters: int | None = None,
        min_clusters: int | None = None,
        max_clusters: float | None = None,
        file: Mapping[str, Any] = MappingProxyType({}),
        **kwargs: Any,
    ) -> tuple[Ints, Floats, Floats]:
        """Cluster of each local speaker, (chunks, speakers); scores; centroids, (clusters, dimension).

        embeddings: (chunks, speakers, dimension), NaN where there is none. `file` may bring a Report as
        "report", which is told of the blocks of a long recording, a Doubted as "doubted" and an Assigned as
        "assigned".
        """
        assert segmentations is not None
        least = num_clusters or min_clusters or 1
        most = num_clusters or max_clusters or np.inf
        seconds = single_speaker_seconds(segmentations)
        chunk, speaker = training_embeddings(
            embeddings, seconds, segmentations.sliding_window.step, int(least)
        )
        if len(chunk) == 0:
            return self._one_voice(embeddings)
        vectors = embeddings[chunk, speaker].astype(np.float64)
        window = segmentations.sliding_window
        first = segmentations.data[chunk, :, speaker].argmax(axis=1)
        singletons = singleton_clusters(
            vectors,
            seconds[chunk, speaker] * voice_likeness(vectors),
            self.calibration,
            chunk * window.step + first * window.duration / segmentations.data.shape[1],
            simultaneous_seconds(segmentations.data, chunk, speaker, self.subsegments),
            local_bonds(chunk, speaker // self.subsegments, seconds[chunk, speaker], self.calibration),
        )
        once = min(1.0, max(TRAIN_HOP, window.step) / window.duration)  # windows overlap
        singletons.seconds *= once
        singletons.together *= once
        singletons.bonds *= once
        found = find_voices(
            singletons,
            self.calibration,
            int(least),
            int(min(most, len(singletons))),
            file.get("report", no_report),
            file.get("doubted", no_doubt),
        )
        scores = self._scores(embeddings, seconds, found)
        hard = self._assign(scores, segmentations.data, forced=len(found) == least > 1)
        centroids = found.vectors / found.reach[:, None]
        if len(found) > 1:
            told = Assignment(segmentations.data, window, hard.copy(), margins(scores, hard), centroids)
            file.get("assigned", nobody_asks)(told)
        return hard, scores, centroids

    def _one_voice(self, embeddings: NDArray[np.float32]) -> tuple[Ints, Floats, Floats]:
        """One speaker without a voice: there is speech, but nowhere enough of it to embed."""
        chunks, speakers, dimension = embeddings.shape
        hard = np.zeros((chunks, speakers), dtype=np.int64)
        return hard, np.ones((chunks, speakers, 1)), np.full((1, dimension), np.nan)

    def _scores(self, embeddings: NDArray[np.float32], seconds: Floats, found: Clusters) -> Floats:
        """(chunks, speakers, clusters) ratios, 0 where there is no embedding."""
        chunks, speakers, _ = embeddings.shape
        scores = np.zeros((chunks, speakers, len(found)))
        # Ratios stop growing where a cosine is as high as a voice's own; the cosine decides between such.
        centres = found.vectors / np.linalg.norm(found.vectors, axis=1, keepdims=True)
        for first in range(0, chunks, ASSIGN_CHUNKS):
            block = slice(first, first + ASSIGN_CHUNKS)
            valid = np.isfinite(embeddings[block, :, 0])
            vectors = embeddings[block][valid].astype(np.float64)
            singletons = singleton_clusters(vectors, seconds[block][valid], self.calibration)
            scores[block][valid] = (
                log_likelihood_ratios(singletons, found, self.calibration) + singletons.vectors @ centres.T
            )
        return scores

    def _assign(self, scores: Floats, activity: NDArray[np.uint8], forced: bool) -> Ints:
        """Local speakers take the voice their subsegments agree on; a subsegment leaves for much better evidence."""
        chunks, columns, clusters = scores.shape
        local = scores.reshape(chunks, columns // self.subsegments, self.subsegments, clusters).sum(axis=2)
        common = local.argmax(axis=2)
        for c in np.flatnonzero([len(set(row)) < len(row) for row in common.tolist()]):
            common[c] = self._resolve(local[c], common[c], activity[c])
        own = np.repeat(common, self.subsegments, axis=1)
        loyal = scores + LOYALTY * (np.arange(clusters) == own[:, :, None])
        hard = loyal.argmax(axis=2)
        embedded = scores.any(axis=2)
        shares = np.bincount(hard[embedded], minlength=clusters) / max(1, embedded.sum())
        for k in np.flatnonzero(shares < FORCED_SHARE / 2) if forced else ():
            hard[_likest(scores, int(k))] = k
        return hard

    def _resolve(self, local: Floats, common: Ints, activity: NDArray[np.uint8]) -> Ints:
        """Give local speakers who talk at one time different voices."""
        active = activity.reshape(len(activity), len(local), self.subsegments).max(axis=2).astype(np.float64)
        both = active.T @ active
        clash = (common[:, None] == common) & (both > TOGETHER_SECONDS / FRAME_SECONDS)
        np.fill_diagonal(clash, False)
        involved = np.flatnonzero(clash.any(axis=1))
        if len(involved) == 0 or local.shape[1] < len(involved):
            return common
        common = common.copy()
        rows, columns = linear_sum_assignment(local[involved], maximize=True)
        common[involved[rows]] = columns
        return common


def margins(scores: Floats, voices: Ints) -> Floats:
    """(chunks, subsegments) by how much the score of a voice, (chunks, subsegments), is above the best other one."""
    own = np.take_along_axis(scores, voices[:, :, None], axis=2)[:, :, 0]
    others = np.where(np.arange(scores.shape[2]) == voices[:, :, None], -np.inf, scores)
    return own - others.max(axis=2)


def _likest(scores: Floats, k: int) -> NDArray[np.bool_]:
    """(chunks, subsegments) those most like voice `k`, which was asked for but hardly comes out on top."""
    margin = margins(scores, np.full(scores.shape[:2], k))
    embedded = scores.any(axis=2)
    return embedded & (margin >= np.quantile(margin[embedded], 1 - FORCED_SHARE))


def single_speaker_seconds(segmentations: SlidingWindowFeature) -> Floats:
    """(chunks, speakers) seconds in which a local speaker is alone."""
    data = segmentations.data
    frame = segmentations.sliding_window.duration / data.shape[1]
    seconds = np.empty((len(data), data.shape[2]))
    everybody = np.ones(data.shape[2], dtype=np.float32)
    for chunk, own in zip(data, seconds, strict=True):
        active = chunk.astype(np.float32)  # whose products are much faster than sums of bytes
        own[:] = (active @ everybody == 1.0).astype(np.float32) @ active
    return seconds * frame


def training_embeddings(
    embeddings: NDArray[np.float32], seconds: Floats, step: float, least: int
) -> tuple[Ints, Ints]:
    """Chunk and speaker of the embeddings that decide the clusters.

    Those with MIN_TRAIN_SECONDS of clean speech from windows TRAIN_HOP apart; all there are where
    these are fewer than `least`.
    """
    valid = np.isfinite(embeddings[:, :, 0])
    chosen = (
        valid & (seconds >= MIN_TRAIN_SECONDS) & spaced_windows(len(embeddings), step, TRAIN_HOP)[:, None]
    )
    if chosen.sum() < max(1, least):
        chosen = valid
    chunk, speaker = np.nonzero(chosen)
    return chunk, speaker


def simultaneous_seconds(
    activity: NDArray[np.uint8], chunk: Ints, speaker: Ints, subsegments: int
) -> csr_array:
    """(embeddings, embeddings) seconds of the shorter of two subsegments that talk at one time, 0 for all others."""
    rows, columns, values = [], [], []
    starts = np.flatnonzero(np.diff(chunk, prepend=-1))  # `chunk` ascends
    for same_chunk in np.split(np.arange(len(chunk)), starts[1:]):
        c = chunk[same_chunk[0]]
        own = activity[c][:, speaker[same_chunk]].astype(np.float32)
        both = own.T @ own * FRAME_SECONDS
        length = own.sum(axis=0) * FRAME_SECONDS
        other = speaker[same_chunk][:, None] // subsegments != speaker[same_chunk] // subsegments
        clash = other & (both > TOGETHER_SECONDS)
        one, two = np.nonzero(clash)
        rows.append(same_chunk[one])
        columns.append(same_chunk[two])
        values.append(np.minimum(length[one], length[two]).astype(np.float64))
    where = (np.concatenate(rows), np.concatenate(columns))
    return csr_array((np.concatenate(values), where), shape=(len(chunk), len(chunk)))


def local_bonds(chunk: Ints, local: Ints, seconds: Floats, calibration: Calibration) -> csr_array:
    """(embeddings, embeddings) what the segmentation says for one person (above 0) or two, times seconds of speech.

    chunk, local: (embeddings,) window and local speaker of each, `chunk` ascending; seconds: (embeddings,) its speech.
    Two of one window are one local speaker or two; each counts as far as it fills the window's speech.
    """
    blocks = []
    for own in np.split(np.arange(len(chunk)), np.flatnonzero(np.diff(chunk)) + 1):
        same = local[own][:, None] == local[own]
        weight = np.outer(seconds[own], seconds[own]) / max(seconds[own].sum(), 1e-9)
        blocks.append(weight * np.where(same, calibration.bond, -calibration.apart))
    return csr_array(block_diag(blocks, format="csr"))


class BoundedVBx(VBxClustering):
    """pyannote's VBx, whose clusters are founded on MAX_TRAIN embeddings at most.

    It keeps the distances of all pairs; the rest is assigned to the centroids as ever.
    """

    def filter_embeddings(
        self,
        embeddings: NDArray[np.float32],
        segmentations: SlidingWindowFeature | None = None,
        min_active_ratio: float = 0.2,
    ) -> tuple[NDArray[np.float32], Ints, Ints]:
        """What the parent keeps; of more than MAX_TRAIN those evenly spread over time."""
        kept, chunk, speaker = super().filter_embeddings(embeddings, segmentations, min_active_ratio)
        if len(kept) <= MAX_TRAIN:
            return kept, chunk, speaker
        spread = np.linspace(0, len(kept) - 1, MAX_TRAIN).round().astype(np.int64)
        return kept[spread], chunk[spread], speaker[spread]
