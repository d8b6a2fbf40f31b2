from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyannote.core import SlidingWindow, SlidingWindowFeature
from scipy.sparse import csr_array

from models.diarisation.clustering import (
    MAX_CLUSTERS,
    MAX_TRAIN,
    TOGETHER_WEIGHT,
    BoundedVBx,
    Calibration,
    Clusters,
    VoiceClustering,
    agglomerate,
    condense,
    find_voices,
    labels_after,
    likely_merges,
    local_bonds,
    log_likelihood_ratios,
    singleton_clusters,
    voice_likeness,
)
from models.diarisation.doubts import Doubt

DIMENSION = 192
FRAMES = 589
WINDOW = SlidingWindow(start=0.0, duration=10.0, step=10.0)


def people(count: int, seed: int = 0) -> NDArray[np.float64]:
    """(count, 192) directions that are as little alike as strangers' voices are."""
    return np.random.default_rng(seed).standard_normal((count, DIMENSION))


def recording(
    who: list[list[int]], seconds: float = 4.0, seed: int = 0
) -> tuple[NDArray[np.float32], SlidingWindowFeature]:
    """Windows in which the people `who[c]` talk one after the other, with as much noise as CAM++ has."""
    rng = np.random.default_rng(seed)
    voices = people(1 + max(max(row, default=0) for row in who))
    length = round(seconds * FRAMES / 10)
    activity = np.zeros((len(who), FRAMES, 3), dtype=np.uint8)
    embeddings = np.full((len(who), 3, DIMENSION), np.nan, dtype=np.float32)
    for c, row in enumerate(who):
        for s, person in enumerate(row):
            activity[c, s * length : (s + 1) * length, s] = 1
            noise = rng.standard_normal(DIMENSION) * np.sqrt(0.12 + 0.75 / seconds)
            embeddings[c, s] = voices[person] + noise
    return embeddings, SlidingWindowFeature(activity, WINDOW)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("seconds", [1.5, 3.0])
def test_it_finds_the_right_number_of_voices(count: int, seconds: float) -> None:
    embeddings, segmentations = recording([[i % count, (i + 1) % count] for i in range(12 * count)], seconds)
    hard, _, centroids = VoiceClustering()(embeddings, segmentations)
    assert len(centroids) == count
    assert len({int(k) for k in hard[:, :2].ravel()}) == count


def test_a_voice_that_comes_back_after_ten_hours_is_the_same_speaker() -> None:
    rows = (
        [[0] for _ in range(40)] + [[1 + i % 3] for i in range(3 * MAX_CLUSTERS)] + [[0] for _ in range(40)]
    )
    embeddings, segmentations = recording(rows)
    hard, _, centroids = VoiceClustering()(embeddings, segmentations)
    assert len(centroids) == 4
    assert hard[0, 0] == hard[-1, 0]
    assert hard[0, 0] not in hard[100 : 2 * MAX_CLUSTERS, 0]


@given(bound=st.integers(1, 9))
@settings(max_examples=9, deadline=None)
def test_bounds_on_the_count_are_kept(bound: int) -> None:
    embeddings, segmentations = recording([[i % 4] for i in range(32)])
    clustering = VoiceClustering()
    exact = clustering(embeddings, segmentations, num_clusters=bound)[2]
    least = clustering(embeddings, segmentations, min_clusters=bound)[2]
    most = clustering(embeddings, segmentations, max_clusters=bound)[2]
    assert len(exact) == bound
    assert len(least) == max(4, bound)
    assert len(most) == min(4, bound)


@given(seed=st.integers(0, 1000), scale=st.floats(0.01, 100.0))
@settings(max_examples=20, deadline=None)
def test_neither_order_nor_scale_of_embeddings_matters(seed: int, scale: float) -> None:
    embeddings, segmentations = recording([[i % 3] for i in range(30)])
    order = np.random.default_rng(seed).permutation(30)
    shuffled = SlidingWindowFeature(segmentations.data[order], WINDOW)
    before = VoiceClustering()(embeddings, segmentations)[0][:, 0]
    after = VoiceClustering()(embeddings[order] * np.float32(scale), shuffled)[0][:, 0]
    assert (np.equal.outer(before[order], before[order]) == np.equal.outer(after, after)).all()


def test_two_who_talk_at_one_time_are_two_people() -> None:
    embeddings, segmentations = recording([[0, 0] for _ in range(12)], seed=3)
    apart = VoiceClustering()(embeddings, segmentations)[2]
    segmentations.data[:, :, 1] = np.roll(segmentations.data[:, :, 1], -30, axis=1)  # half a second at once
    embeddings[:, 1] = embeddings[:, 0] + 0.8 * people(2, seed=9)[1]
    together = VoiceClustering()(embeddings, segmentations)
    assert len(apart) == 1
    assert len(together[2]) == 2
    assert (together[0][:, 0] != together[0][:, 1]).all()


def test_speech_too_short_to_embed_is_one_speaker_without_a_voice() -> None:
    _, segmentations = recording([[0]], seconds=0.2)
    embeddings = np.full((1, 3, DIMENSION), np.nan, dtype=np.float32)
    hard, _, centroids = VoiceClustering()(embeddings, segmentations)
    assert hard.tolist() == [[0, 0, 0]]
    assert np.isnan(centroids).all()
    assert len(centroids) == 1


def test_a_few_odd_seconds_found_no_voice() -> None:
    embeddings, segmentations = recording([[0] for _ in range(20)])
    embeddings[7, 0] = embeddings[7, 0] + people(2, seed=5)[1]
    assert len(VoiceClustering()(embeddings, segmentations)[2]) == 1


def test_odd_seconds_found_no_voice_however_many_hours_they_add_up_over() -> None:
    embeddings, segmentations = recording([[i % 2] for i in range(3000)])
    odd = people(2, seed=5)[1]
    embeddings[[500, 2500], 0] = odd + np.random.default_rng(2).standard_normal((2, DIMENSION)) * 0.3
    short = VoiceClustering()(embeddings[:1000], SlidingWindowFeature(segmentations.data[:1000], WINDOW))
    assert len(short[2]) == 2
    assert len(VoiceClustering()(embeddings, segmentations)[2]) == 2


def clusters(count: int, of: int) -> Clusters:
    vectors = people(of)[np.arange(count) % of]
    vectors = vectors + np.random.default_rng(1).standard_normal(vectors.shape) * 0.5
    return singleton_clusters(vectors, np.full(count, 4.0), Calibration())


def test_merging_stops_where_two_people_are_likelier() -> None:
    some = clusters(60, of=4)
    merges, values = agglomerate(some, Calibration())
    labels = labels_after(merges, likely_merges(values))
    assert len(set(labels.tolist())) == 4
    assert (labels == labels[np.arange(60) % 4]).all()


def merged_one_by_one(
    clusters: Clusters, calibration: Calibration
) -> tuple[list[tuple[int, int]], list[float]]:
    """`agglomerate` as it is told: all ratios anew after each merge."""
    seconds, together, bonds = clusters.seconds.copy(), clusters.together.toarray(), clusters.bonds.toarray()
    now = clusters[np.arange(len(clusters))]
    alive = list(range(len(clusters)))
    merges, values = [], []
    while len(alive) > 1:
        some = now[np.array(alive)]
        shorter = np.minimum.outer(seconds[alive], seconds[alive])
        own = np.ix_(alive, alive)
        score = log_likelihood_ratios(some, some, calibration) + bonds[own] / shorter
        score -= TOGETHER_WEIGHT * np.minimum(1.0, together[own] / shorter)
        np.fill_diagonal(score, -np.inf)
        first, second = np.unravel_index(score.argmax(), score.shape)
        i, j = alive[first], alive[second]
        merges.append((i, j))
        values.append(float(score[first, second]))
        now.absorb(i, j)
        seconds[i] += seconds[j]
        for pairs in (together, bonds):
            pairs[i] += pairs[j]
            pairs[:, i] += pairs[:, j]
        alive.remove(j)
    return merges, values


@pytest.mark.parametrize("seed", range(6))
def test_merges_are_what_they_are_one_by_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count, calibration = int(rng.integers(2, 120)), Calibration()
    seconds = rng.uniform(0.5, 3.0, count)
    vectors = people(5)[rng.integers(0, 5, count)]
    vectors = vectors + rng.standard_normal(vectors.shape) * np.sqrt(0.12 + 0.75 / seconds)[:, None]
    chunk = np.arange(count) // 6
    both = (
        rng.uniform(0.0, 1.0, (count, count)) * (chunk[:, None] == chunk) * (rng.random((count, count)) < 0.1)
    )
    some = singleton_clusters(
        vectors,
        seconds,
        calibration,
        together=csr_array(both + both.T),
        bonds=local_bonds(chunk, rng.integers(0, 2, count), seconds, calibration),
    )
    merges, values = agglomerate(some, calibration)
    expected, ratios = merged_one_by_one(some, calibration)
    assert merges.tolist() == [list(pair) for pair in expected]
    np.testing.assert_allclose(values, ratios, atol=1e-9)


def directions(*cosines: float) -> NDArray[np.float64]:
    """Unit vectors, the first an axis, each of the others at a cosine to it and at right angles to the rest."""
    vectors = np.eye(1 + len(cosines), DIMENSION)
    for i, cosine in enumerate(cosines, start=1):
        vectors[i] = np.sqrt(1.0 - cosine**2) * vectors[i] + cosine * vectors[0]
    return vectors


def clusters_of(vectors: NDArray[np.float64], seconds: list[float], each: float = 2.0) -> Clusters:
    """Embeddings of `each` seconds around directions, as many as add up to the seconds of each direction."""
    rng = np.random.default_rng(3)
    which = np.repeat(np.arange(len(vectors)), [round(s / each) for s in seconds])
    noise = rng.standard_normal((len(which), DIMENSION)) / np.sqrt(DIMENSION) * np.sqrt(0.12 + 0.75 / each)
    starts = each * np.arange(len(which), dtype=np.float64)
    return singleton_clusters(vectors[which] + noise, np.full(len(which), each), Calibration(), starts)


def test_a_voice_that_is_raised_for_a_while_is_no_other_and_is_told() -> None:
    doubts: list[Doubt] = []
    clusters = clusters_of(directions(0.62), [120.0, 10.0])
    assert len(find_voices(clusters, Calibration(), 1, 20, doubted=doubts.append)) == 1
    (doubt,) = doubts
    assert doubt.start == pytest.approx(120.0)
    assert doubt.seconds == pytest.approx(10.0)
    assert 0.5 < doubt.sure < 1.0


@pytest.mark.parametrize("seconds", [4.0, 8.0])
def test_a_stranger_who_says_little_is_somebody_else(seconds: float) -> None:
    doubts: list[Doubt] = []
    clusters = clusters_of(directions(0.2), [120.0, seconds])
    assert len(find_voices(clusters, Calibration(), 1, 20, doubted=doubts.append)) == 2
    assert not doubts


@pytest.mark.parametrize(("log_odds", "voices"), [(5.0, 1), (0.0, 2)])
def test_what_is_one_local_speaker_is_rather_one_person(log_odds: float, voices: int) -> None:
    clusters = clusters_of(directions(0.3), [60.0, 6.0])
    clusters.bonds = bonds_of_the_last(clusters, log_odds)
    assert len(find_voices(clusters, Calibration(), 1, 20)) == voices


@pytest.mark.parametrize(("log_odds", "voices"), [(-5.0, 2), (0.0, 1)])
def test_callers_over_one_telephone_are_two_where_the_segmentation_hears_two(
    log_odds: float, voices: int
) -> None:
    clusters = clusters_of(directions(0.52), [60.0, 40.0])
    clusters.bonds = bonds_of_the_last(clusters, log_odds)
    assert len(find_voices(clusters, Calibration(), 1, 20)) == voices


def bonds_of_the_last(clusters: Clusters, log_odds: float) -> csr_array:
    """As local bonds have it where the last direction shares all its windows with as much of the first."""
    length = len(clusters)
    bonds = np.zeros((length, length))
    last = 3 if length == 33 else length * 2 // 5
    for k in range(length - last, length):
        bonds[k, k - last] = bonds[k - last, k] = 2.0 * log_odds
    return csr_array(bonds)


def test_local_bonds_are_of_one_window_by_how_far_they_fill_it() -> None:
    chunk, local = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 0])
    given = Calibration(bond=6.0, apart=10.0)
    bonds = local_bonds(chunk, local, np.array([1.0, 3.0, 2.0, 2.0]), given).toarray()
    assert bonds[0, 1] == pytest.approx(6.0 * 3.0 / 6.0)
    assert bonds[1, 2] == bonds[2, 1] == pytest.approx(-10.0 * 6.0 / 6.0)
    assert not bonds[:3, 3].any()


def test_what_sounds_like_no_voice_counts_less() -> None:
    embeddings = people(9)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    embeddings[0] *= 1.5
    likeness = voice_likeness(embeddings)
    assert likeness[0] < 0.2
    assert (likeness[1:] == 1.0).all()


def test_as_many_voices_as_items_can_be_asked_for() -> None:
    assert len(find_voices(clusters(5, of=1), Calibration(), 5, 5)) == 5


def test_memory_does_not_grow_with_the_square_of_the_length() -> None:
    def peak(count: int) -> int:
        rows = [[i % 3] for i in range(count)]
        embeddings, segmentations = recording(rows)
        tracemalloc.start()
        VoiceClustering()(embeddings, segmentations)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    assert peak(8 * MAX_CLUSTERS) < 6 * peak(2 * MAX_CLUSTERS)


def test_blocks_condense_to_few_clusters() -> None:
    vectors = people(3)[np.arange(2 * MAX_CLUSTERS + 10) % 3]
    many = singleton_clusters(vectors, np.full(len(vectors), 4.0), Calibration())
    assert len(condense(many, Calibration())) == 9


def test_clustering_of_a_long_recording_reports_and_can_be_cancelled() -> None:
    embeddings, segmentations = recording([[i % 3] for i in range(3 * MAX_CLUSTERS)])
    told: list[tuple[int, int]] = []

    def cancel(completed: int, total: int) -> None:
        told.append((completed, total))
        if completed >= MAX_CLUSTERS:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        VoiceClustering()(embeddings, segmentations, file={"report": cancel})
    assert [completed for completed, _ in told] == [0, MAX_CLUSTERS]
    assert {total for _, total in told} == {3 * MAX_CLUSTERS}


def test_vbx_looks_at_a_bounded_sample() -> None:
    chunks = 2 * MAX_TRAIN
    activity = np.ones((chunks, 10, 1), dtype=np.uint8)
    embeddings = np.random.default_rng(0).standard_normal((chunks, 1, 4)).astype(np.float32)
    window = SlidingWindowFeature(activity, WINDOW)
    kept, chunk, speaker = BoundedVBx(plda=None).filter_embeddings(embeddings, window)
    assert len(kept) == MAX_TRAIN
    assert (chunk[0], chunk[-1]) == (0, chunks - 1)
    np.testing.assert_array_equal(kept, embeddings[chunk, speaker])
