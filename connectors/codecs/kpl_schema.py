"""The protobuf schema of the Kinesis Producer Library's aggregated records, as message classes.

Built here instead of being generated, so that neither installing nor changing it needs a compiler. Keys, hash keys and
tags are ``string`` in the published schema and ``bytes`` here: the same on the wire, and text that is no UTF-8 arrives
as it was sent. Source: awslabs/amazon-kinesis-producer, aggregation-format.md.
"""

from typing import Any

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto

_PACKAGE = "kmbridge.kpl"
_LABELS = {
    "required": FieldDescriptorProto.LABEL_REQUIRED,
    "optional": FieldDescriptorProto.LABEL_OPTIONAL,
    "repeated": FieldDescriptorProto.LABEL_REPEATED,
}
_TYPES = {"uint64": FieldDescriptorProto.TYPE_UINT64, "bytes": FieldDescriptorProto.TYPE_BYTES}

_MESSAGES = {
    "Tag": ("required bytes key", "optional bytes value"),
    "Record": (
        "required uint64 partition_key_index",
        "optional uint64 explicit_hash_key_index",
        "required bytes data",
        "repeated Tag tags",
    ),
    "AggregatedRecord": (
        "repeated bytes partition_key_table",
        "repeated bytes explicit_hash_key_table",
        "repeated Record records",
    ),
}


def _message(name: str, fields: tuple[str, ...]) -> DescriptorProto:
    message = DescriptorProto(name=name)
    for number, text in enumerate(fields, 1):
        label, kind, field_name = text.split()
        field = message.field.add(name=field_name, number=number, label=_LABELS[label])
        if kind in _TYPES:
            field.type = _TYPES[kind]
        else:
            field.type = FieldDescriptorProto.TYPE_MESSAGE
            field.type_name = f".{_PACKAGE}.{kind}"
    return message


def _aggregated_record() -> Any:
    file = FileDescriptorProto(name="kpl.proto", package=_PACKAGE, syntax="proto2")
    file.message_type.extend(_message(name, fields) for name, fields in _MESSAGES.items())
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.AggregatedRecord"))


AggregatedRecord: Any = _aggregated_record()
"""The message class; its ``records`` are ``Record``, their ``tags`` are ``Tag``."""
