"""Codecs by the names that configurations use."""

from typing import Literal

from connectors.base import SettingsError
from connectors.codecs.codec import Codec
from connectors.codecs.compression import Compression, compressor
from connectors.codecs.envelope import EnvelopeCodec
from connectors.codecs.kpl_codec import KplCodec
from connectors.codecs.raw import RawCodec

CodecName = Literal["raw", "kpl", "envelope"]


def codec_named(name: CodecName, compression: Compression = "none") -> Codec:
    """The codec. Raises ``SettingsError`` for compression with ``raw``, whose readers could not know of it."""
    match name:
        case "kpl":
            return KplCodec(compressor(compression))
        case "envelope":
            return EnvelopeCodec(compressor(compression))
        case "raw" if compression == "none":
            return RawCodec()
        case "raw":
            raise SettingsError(
                f"write with codec raw and compression {compression}",
                "raw data has no place to say that it is compressed",
                "use codec kpl or envelope, or compression none",
            )
