"""Run docs/tutorial.md on all of MNIST; put what it printed and drew into the page, docs/images and the notebook.

The page is the source. What follows a block of its Python, a block of text and an image, is that block's output and is
made here; in the notebook it is the cell's stored output. Run from the project's root: python tools/make_tutorial.py
"""

from __future__ import annotations

import base64
import io
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from pendigit.files import publish, publish_text

DOCS = Path(__file__).parents[1] / "docs"
PAGE, NOTEBOOK = DOCS / "tutorial.md", DOCS / "tutorial.ipynb"
CELL = re.compile(
    r"^```python\n(?P<code>.*?)\n```\n"
    r"(?:\n```text\n(?P<text>.*?)```\n)?"
    r"(?:\n!\[(?P<alt>[^\]]*)\]\((?P<image>[^)]*)\)\n)?",
    re.MULTILINE | re.DOTALL,
)
PNG = "image/png"
LANGUAGE = {"name": "python"}
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
INLINE = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}  # figures become outputs, as in Jupyter
CELL_SECONDS = 300  # on a busy machine; the longest takes 10


def to_notebook(page: str) -> NotebookNode:
    """The page's text -> its notebook, without outputs and always the same."""
    cells: list[NotebookNode] = []

    def add_text(text: str) -> None:
        if text.strip():
            cells.append(new_markdown_cell(text.strip(), id=f"cell-{len(cells)}"))

    end = 0
    for match in CELL.finditer(page):
        add_text(page[end : match.start()])
        cells.append(new_code_cell(match["code"], id=f"cell-{len(cells)}"))
        end = match.end()
    add_text(page[end:])
    return new_notebook(cells=cells, metadata={"kernelspec": KERNEL, "language_info": LANGUAGE})


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells that run, in their order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def printed(cell: NotebookNode) -> str:
    """What a cell that has run printed."""
    return "".join(output.text for output in cell.outputs if output.get("name") == "stdout")


def drawn(cell: NotebookNode) -> bytes:
    """The picture (PNG) that a cell that has run drew; empty if none."""
    pictures = [output.data[PNG] for output in cell.outputs if PNG in output.get("data", {})]
    return base64.b64decode(pictures[0]) if pictures else b""


def execute(notebook: NotebookNode, folder: Path) -> None:
    """Run all cells in `folder`; keep of each what it printed and drew."""
    client = NotebookClient(notebook, timeout=CELL_SECONDS, resources={"metadata": {"path": str(folder)}})
    client.execute(env=os.environ | INLINE | {"IPYTHONDIR": str(folder / ".ipython")})  # no history in one's home
    notebook.metadata.language_info = LANGUAGE  # without the version that ran it
    for cell in code_cells(notebook):
        text, picture = printed(cell), drawn(cell)
        cell.execution_count, cell.metadata, cell.outputs = None, {}, []
        if text:
            cell.outputs.append(new_output("stream", name="stdout", text=text))
        if picture:
            cell.outputs.append(new_output("display_data", {PNG: base64.b64encode(_slim(picture)).decode()}))


def _slim(picture: bytes) -> bytes:
    """The same PNG in 256 colours: a third of the bytes."""
    slim = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(
        slim, "PNG", optimize=True
    )
    return slim.getvalue()


def with_outputs(page: str, notebook: NotebookNode) -> str:
    """The page with what its notebook's cells printed."""
    cells: Iterator[NotebookNode] = iter(code_cells(notebook))

    def block(match: re.Match[str]) -> str:
        parts = [f"```python\n{match['code']}\n```\n"]
        if text := printed(next(cells)):
            parts.append(f"```text\n{text}```\n")
        if match["image"]:
            parts.append(f"![{match['alt']}]({match['image']})\n")
        return "\n".join(parts)

    return CELL.sub(block, page)


def main() -> None:
    """Make everything anew."""
    page = PAGE.read_text(encoding="utf-8")
    notebook = to_notebook(page)
    with tempfile.TemporaryDirectory() as folder:
        execute(notebook, Path(folder))
    for match, cell in zip(CELL.finditer(page), code_cells(notebook), strict=True):
        if bool(match["image"]) != bool(drawn(cell)):
            raise SystemExit(f"This draws a picture and names none, or the reverse:\n{match['code']}")
        if match["image"]:
            with publish(DOCS / match["image"]) as draft:
                draft.write_bytes(drawn(cell))
    publish_text(PAGE, with_outputs(page, notebook))
    publish_text(NOTEBOOK, nbformat.writes(notebook) + "\n")
    print(f"{PAGE}, its pictures and {NOTEBOOK} are up to date")


if __name__ == "__main__":
    main()
