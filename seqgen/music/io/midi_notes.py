"""MIDI channel messages → notes: note-ons are paired with note-offs, and pedals make notes longer.

The note-ons and note-offs of one pitch are like opening and closing brackets. Where every note-on
has a note-off, notes end in the order in which they begin. Where a note-off is missing, the note-on
without one is that which remains open when the brackets are matched from the inside; that note ends
where its pitch begins again, or with its track, and no other note changes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from seqgen.errors import MusicError
from seqgen.music.io.midi_events import Track

MAX_NOTES = 1_000_000
NOTE_OFF, NOTE_ON, CONTROLLER, PROGRAM = 0x8, 0x9, 0xB, 0xC  # upper half of the status
SUSTAIN_PEDAL = 64  # numbers of controllers
ALL_SOUND_OFF, RESET = 120, 121
ALL_NOTES_OFF = (ALL_SOUND_OFF, *range(123, 128))  # the changes of mode end all notes, too
PEDAL_DOWN = 64  # lowest value at which the pedal is down

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Notes(NamedTuple):
    """Notes as arrays `(N,)`; times are ticks of the file."""

    tracks: Ints
    channels: Ints  # 0 to 15
    programs: Ints
    starts: Ints
    ends: Ints
    pitches: Ints
    velocities: Ints
    unended: int  # number of notes without a note-off


class _Messages(NamedTuple):
    """The channel messages of all tracks as arrays `(M,)`, one track after the other."""

    tracks: Ints
    ticks: Ints
    kinds: Ints
    channels: Ints
    first: Ints
    second: Ints


def read_notes(tracks: Sequence[Track]) -> Notes:
    """Return the notes of all tracks.

    A pedal counts for its channel in all tracks, and so does a program, unless the track of the
    note has one of its own for that channel.

    Raises:
        MusicError: there are more than a million notes.
    """
    messages = _joined(tracks)
    keys = (messages.tracks * 16 + messages.channels) * 128 + messages.first
    (numbers,) = np.nonzero((messages.kinds == NOTE_ON) | (messages.kinds == NOTE_OFF))
    if len(tracks) * 16 * 128 <= 1 << 16:
        keys = keys.astype(np.uint16)  # which NumPy sorts much faster
    numbers = numbers[np.argsort(keys[numbers], kind="stable")]  # key by key
    is_on = (messages.kinds[numbers] == NOTE_ON) & (messages.second[numbers] > 0)
    if (count := int(is_on.sum())) > MAX_NOTES:
        raise MusicError(f"holds {count:,} notes; expected at most {MAX_NOTES:,}")
    ons = numbers[is_on]
    epochs, silences = _silences(messages, numbers)
    is_first = np.diff(keys[numbers], prepend=-1) != 0
    groups = np.cumsum(is_first | (np.diff(epochs, prepend=0) != 0))
    matches = _matched(groups, messages.ticks[numbers], is_on)[is_on]
    offs = np.where(matches >= 0, numbers[matches], silences[is_on])
    last = np.array([track.end for track in tracks], np.int64)[messages.tracks[ons]]
    ends, is_unended = _ends(messages, keys, ons, offs, matches >= 0, last)
    fields = (messages.ticks[ons], ends, messages.first[ons], messages.second[ons])
    programs = _programs(messages, ons)
    return Notes(messages.tracks[ons], messages.channels[ons], programs, *fields, is_unended)


def _joined(tracks: Sequence[Track]) -> _Messages:
    statuses = np.concatenate([track.statuses for track in tracks])
    return _Messages(
        np.repeat(np.arange(len(tracks)), [len(track.ticks) for track in tracks]),
        np.concatenate([track.ticks for track in tracks]),
        statuses >> 4,
        statuses & 15,
        np.concatenate([track.first for track in tracks]),
        np.concatenate([track.second for track in tracks]),
    )


def _silences(messages: _Messages, numbers: Ints) -> tuple[Ints, Ints]:
    """Return how often all notes of a channel ended before, and the message that ends them next.

    Args:
        messages: all messages.
        numbers: messages `(N,)`.

    Returns:
        Two arrays `(N,)`; the second is -1 where no message ends all notes.
    """
    silences = _controllers(messages, ALL_NOTES_OFF)
    if not len(silences):
        return np.zeros_like(numbers), np.full_like(numbers, -1)
    keys = _by_channel_and_tick(messages)
    silences = silences[np.argsort(keys[silences], kind="stable")]
    following = np.searchsorted(keys[silences], keys[numbers], side="right")
    next_ = np.append(silences, -1)[following]
    is_same = messages.channels[next_] == messages.channels[numbers]
    return following, np.where((next_ >= 0) & is_same, next_, -1)


def _controllers(messages: _Messages, numbers: Sequence[int]) -> Ints:
    """Return the messages that change one of some controllers."""
    (found,) = np.nonzero(messages.kinds == CONTROLLER)
    return found[np.isin(messages.first[found], numbers)]


def _by_channel_and_tick(messages: _Messages) -> Ints:
    """Return numbers by which messages are sorted by channel and tick."""
    return messages.channels * (int(messages.ticks.max()) + 1) + messages.ticks


def _matched(groups: Ints, ticks: Ints, is_on: Bools) -> Ints:
    """Match note-ons with note-offs.

    Args:
        groups: a number for every message `(N,)`, ascending and equal for those of one pitch,
            which are in the order of their times.
        ticks: their times `(N,)`.
        is_on: whether they are note-ons `(N,)`.

    Returns:
        The index of the note-off of every note-on `(N,)`; -1 if there is none, and for note-offs.

    >>> is_on = np.array([True, True, False, False, True, True, False])  # the fifth has no end
    >>> _matched(np.zeros(7, int), np.arange(7), is_on)
    array([ 2,  3, -1, -1, -1,  6, -1])
    """
    matches = np.full(len(groups), -1)
    kept = np.flatnonzero(~_is_stray(groups, is_on))
    numbers = groups[kept]
    missing = np.bincount(numbers, np.where(is_on[kept], 1, -1))  # note-offs, by group
    is_complete = missing[numbers] == 0
    matches[kept[is_complete & is_on[kept]]] = kept[is_complete & ~is_on[kept]]
    has_ends = np.bincount(numbers, ~is_on[kept], len(missing)) > 0
    (gaps,) = np.nonzero((missing > 0) & has_ends)
    bounds = (np.searchsorted(numbers, gaps, side).tolist() for side in ("left", "right"))
    for first, after in zip(*bounds, strict=True):
        part = kept[first:after]
        for on, off in _with_gaps(ticks[part].tolist(), is_on[part].tolist()):
            matches[part[on]] = part[off]
    return matches


def _is_stray(groups: Ints, is_on: Bools) -> Bools:
    """Whether messages `(N,)` are note-offs of pitches that do not sound.

    With d = 1 for note-ons and -1 for note-offs, the note-off i of a group is one of these if

        d[0] + ... + d[i] < min over j <= i of d[0] + ... + d[j - 1]

    since the sum reaches a new minimum where more notes have ended than begun.
    """
    steps = np.where(is_on, 1, -1)
    # One sum runs through all groups. It falls by more than 2 N from one group to the next, so that
    # sums of the groups before are higher and do not change the minimum.
    sums = np.cumsum(steps) - groups * (2 * len(groups) + 1)
    return sums < np.minimum.accumulate(sums - steps)


def _with_gaps(ticks: list[int], is_on: list[bool]) -> Iterator[tuple[int, int]]:
    """Yield the indices of a note-on and its note-off, for one pitch with missing note-offs."""
    open_: list[int] = []
    order = _with_early_ends(ticks, is_on)
    for i in order:
        if is_on[i]:
            open_.append(i)
        else:
            open_.pop()
    unended, waiting = set(open_), deque[int]()
    for i in order:
        if not is_on[i]:
            yield waiting.popleft(), i
        elif i not in unended:
            waiting.append(i)


def _with_early_ends(ticks: list[int], is_on: list[bool]) -> list[int]:
    """Return indices in order of time; at one tick, notes end before others begin.

    >>> _with_early_ends([0, 24, 24, 30, 30], [True, True, False, False, True])
    [0, 2, 1, 3, 4]
    """
    order: list[int] = []
    sounding = 0
    for _, numbers in groupby(range(len(ticks)), key=ticks.__getitem__):
        at_once = list(numbers)
        early = [i for i in at_once if not is_on[i]][:sounding]
        order += sorted(at_once, key=lambda i, early=frozenset(early): i not in early)  # type: ignore[misc]
        sounding += sum(1 if is_on[i] else -1 for i in at_once)
    return order


def _ends(
    messages: _Messages, keys: Ints, ons: Ints, offs: Ints, is_matched: Bools, last: Ints
) -> tuple[Ints, int]:
    """Return the ticks at which notes end, and the number of those without an end of their own.

    Args:
        messages: all messages.
        keys: of all messages `(M,)`, a number for every pitch of every channel of every track.
        ons: the note-ons `(N,)`, key by key.
        offs: the messages that end them `(N,)`; -1 for none.
        is_matched: whether those are note-offs of their own `(N,)`.
        last: the ticks at which their tracks end `(N,)`.
    """
    starts = messages.ticks[ons]
    is_last = np.diff(keys[ons], append=-1) != 0
    again = np.where(is_last, np.iinfo(np.int64).max, np.roll(starts, -1))
    ends = np.where(offs >= 0, messages.ticks[offs], last)
    is_unended = ~is_matched & ((offs < 0) | (again < ends))
    held = np.maximum(ends, np.minimum(_held(messages, offs, last), again))
    ends = np.where(is_unended, np.minimum(ends, again), held)
    for i in np.flatnonzero(is_unended & (again == starts))[::-1]:
        ends[i] = ends[i + 1]  # one note that begins twice
    return ends, int(is_unended.sum())


def _held(messages: _Messages, offs: Ints, last: Ints) -> Ints:
    """Return the ticks at which the pedal ends notes `(N,)`; 0 if it does not hold them."""
    pedals = _controllers(messages, (SUSTAIN_PEDAL, ALL_SOUND_OFF, RESET))
    is_down = (messages.first == SUSTAIN_PEDAL) & (messages.second >= PEDAL_DOWN)
    if not is_down[pedals].any():
        return np.zeros_like(offs)
    ranks = np.empty_like(messages.ticks)
    ranks[np.argsort(messages.ticks, kind="stable")] = np.arange(len(ranks))
    keys = messages.channels * len(ranks) + ranks
    pedals = pedals[np.argsort(keys[pedals])]
    before = np.roll(pedals, 1)
    is_change = messages.channels[pedals] != messages.channels[before]
    is_change |= is_down[pedals] != is_down[before]
    is_change[0] = True
    pedals = pedals[is_change]
    following = np.searchsorted(keys[pedals], keys[offs], side="right")
    state, lift = pedals[following - 1], np.append(pedals, -1)[following]
    channels = messages.channels[offs]
    is_held = (offs >= 0) & (following > 0) & (messages.channels[state] == channels)
    is_held &= is_down[state]
    is_lifted = (lift >= 0) & (messages.channels[lift] == channels)
    return np.where(is_held, np.where(is_lifted, messages.ticks[lift], last), 0)


def _programs(messages: _Messages, ons: Ints) -> Ints:
    """Return the programs of notes `(N,)`."""
    (changes,) = np.nonzero(messages.kinds == PROGRAM)
    if not len(changes):
        return np.zeros_like(ons)
    count = len(messages.ticks)
    voices = messages.tracks * 16 + messages.channels
    programs = np.zeros_like(ons)
    # The program of the channel in other tracks; then, where there is one, that of the track.
    for keys, groups, others in (
        (_by_channel_and_tick(messages), messages.channels, True),
        (voices * count + np.arange(count), voices, False),
    ):
        sorted_ = changes[np.argsort(keys[changes], kind="stable")]
        latest = np.searchsorted(keys[sorted_], keys[ons], side="right") - 1
        if others:
            is_first = np.diff(voices[sorted_], prepend=-1) != 0
            first = np.maximum.accumulate(np.where(is_first, np.arange(len(sorted_)), 0))
            is_own = voices[sorted_[latest]] == voices[ons]
            latest = np.where(is_own & (latest >= 0), first[latest] - 1, latest)
        change = sorted_[latest]
        is_known = (latest >= 0) & (groups[change] == groups[ons])
        programs = np.where(is_known, messages.first[change], programs)
    return programs
