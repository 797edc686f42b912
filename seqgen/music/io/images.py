"""Images of a piece: a score, drawn by verovio, and a piano roll."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np

from seqgen.errors import OutputError
from seqgen.music.io.musicxml_writer import musicxml
from seqgen.music.piece import TICKS_PER_QUARTER, Piece

PAGE_WIDTH = 2100  # in tenths of a millimetre, the unit of verovio
MAX_PAGE_HEIGHT = 60_000
LEFT_MARGIN = 200  # room for the names of instruments
MAX_SYMBOLS = 10_000  # notes, or bars of all parts; with more, drawing takes minutes
PNG_WIDTH, MAX_PNG_HEIGHT = 1400, 32_000  # pixels; cairo cannot draw more than 32,767
MAX_TITLE = 100  # characters of a title that fit
TOO_LONG = "is too long for one picture: write .musicxml, fewer bars, or take --piano-roll"


def score(piece: Piece, kind: str) -> bytes:
    """Return a score as `png` or `svg`.

    Raises:
        OutputError: verovio or cairosvg is not installed, or the piece is too long for one image.
    """
    if piece.note_count > MAX_SYMBOLS:
        raise OutputError(f"a score of {piece.note_count:,} notes {TOO_LONG}")
    if len(piece.bars) * len(piece.parts) > MAX_SYMBOLS:
        raise OutputError(f"a score of {len(piece.bars):,} bars {TOO_LONG}")
    try:
        import verovio
        from cairosvg import svg2png
    except (ImportError, OSError) as error:
        raise OutputError(
            f"a score is drawn with verovio and cairosvg, which cannot be imported ({error}); "
            'pip install "seqgen[score]", or take --piano-roll'
        ) from error
    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    # Its default is known to the thread only that imported verovio.
    toolkit.setResourcePath(str(Path(verovio.__file__).parent / "data"))
    toolkit.setOptions(
        {
            "pageWidth": PAGE_WIDTH,
            "pageHeight": MAX_PAGE_HEIGHT,
            "pageMarginLeft": LEFT_MARGIN,
            "adjustPageHeight": True,
            "scale": 40,
            "footer": "none",
            "svgViewBox": True,
        }
    )
    if not toolkit.loadData(musicxml(piece, is_picture=True).decode("utf-8")):
        raise OutputError("verovio cannot draw this piece; take --piano-roll")
    svg = toolkit.renderToSVG(1)
    height = PNG_WIDTH * _aspect_ratio(svg)
    if toolkit.getPageCount() > 1 or (kind == "png" and height > MAX_PNG_HEIGHT):
        raise OutputError(f"a score of {len(piece.bars):,} bars {TOO_LONG}")
    if kind == "svg":
        return svg.encode("utf-8")  # type: ignore[no-any-return]
    png: bytes = svg2png(svg.encode("utf-8"), background_color="white", output_width=PNG_WIDTH)
    return png


def _aspect_ratio(svg: str) -> float:
    """Return the height of an image divided by its width."""
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    return float(box[2]) / float(box[1]) if box else 1.0


def piano_roll(piece: Piece, kind: str) -> bytes:
    """Return a piano roll as `png` or `svg`, with a colour for each part.

    >>> piano_roll(Piece((), bars=(0,), length=96), "png")[1:4]
    b'PNG'
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from seqgen.music.pitch_names import name_of

    figure = Figure(figsize=(max(6.0, min(piece.length / 150, 40.0)), 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.add_collection(_bar_lines(piece), autolim=False)
    axes.add_collection(_rectangles(piece), autolim=False)
    pitches = [note.pitch for part in piece.parts for note in part.notes] or [60]
    lowest, highest = min(pitches) - 2, max(pitches) + 2
    labelled = _labelled(lowest, highest)
    axes.set_ylim(lowest, highest)
    axes.set_yticks(labelled, [name_of(pitch) for pitch in labelled])
    axes.set_xlim(0, piece.length / TICKS_PER_QUARTER)
    axes.set_xlabel("quarter notes")
    axes.set_title(piece.title[:MAX_TITLE], parse_math=False)  # a $ is a $
    file = io.BytesIO()
    figure.savefig(file, format=kind, dpi=120)
    return file.getvalue()


def _rectangles(piece: Piece) -> Any:
    """Return the notes as one collection: an artist for each note would take minutes."""
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_rgba

    notes = [note[:3] for part in piece.parts for note in part.notes]
    starts, durations, pitches = np.array(notes, float).reshape(-1, 3).T
    left, right = starts, starts + 0.95 * durations
    x = np.stack((left, right, right, left), axis=1) / TICKS_PER_QUARTER
    y = pitches[:, None] + np.array([-0.4, -0.4, 0.4, 0.4])
    colours = [to_rgba(f"C{number}") for number in range(len(piece.parts))] or [to_rgba("C0")]
    sizes = [len(part.notes) for part in piece.parts] or [0]
    is_raster = len(notes) > MAX_SYMBOLS  # an SVG of more shapes would be slow to show
    return PolyCollection(
        list(np.stack((x, y), axis=2)),
        facecolors=np.repeat(colours, sizes, axis=0),
        rasterized=is_raster,
    )


def _bar_lines(piece: Piece) -> Any:
    from matplotlib.collections import LineCollection

    x = np.repeat(np.array(piece.bars) / TICKS_PER_QUARTER, 2).reshape(-1, 2)
    y = np.broadcast_to([-10.0, 140.0], x.shape)  # beyond all pitches
    return LineCollection(
        list(np.stack((x, y), axis=2)),
        colors="0.85",
        linewidths=0.8,
        zorder=0,
        rasterized=len(x) > MAX_SYMBOLS,
    )


def _labelled(lowest: int, highest: int) -> range:
    """Return the pitches with a label: at most eleven, in steps that divide an octave.

    >>> list(_labelled(58, 81)), list(_labelled(36, 96))
    ([60, 63, 66, 69, 72, 75, 78, 81], [36, 42, 48, 54, 60, 66, 72, 78, 84, 90, 96])
    """
    step = next((step for step in (1, 2, 3, 4, 6) if highest - lowest <= 10 * step), 12)
    return range(-(-lowest // step) * step, highest + 1, step)
