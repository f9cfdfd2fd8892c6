"""Read and write text files.

Implemented in `wallaroo.flows.files`, which has the whole story.
"""

from wallaroo.flows.files import (
    CSVSource,
    DirSink,
    DirSource,
    FileSink,
    FileSource,
)
from wallaroo.flows.files import _FileSinkPartition as _FileSinkPartition

# Names of release 0.17.
CSVInput = CSVSource
DirInput = DirSource
DirOutput = DirSink
FileInput = FileSource
FileOutput = FileSink

__all__ = [
    "CSVInput",
    "CSVSource",
    "DirInput",
    "DirOutput",
    "DirSink",
    "DirSource",
    "FileInput",
    "FileOutput",
    "FileSink",
    "FileSource",
]
