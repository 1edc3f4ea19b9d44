"""Compiled files of Protobuf, and classes of their messages, as a compiler would make them."""

from dataclasses import dataclass

from google.protobuf import timestamp_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

_TEXT, _NUMBER, _MESSAGE = FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.TYPE_INT32, 11


@dataclass(frozen=True, slots=True)
class Orders:
    """``orders.proto``, which imports ``money.proto`` and the time of Protobuf itself."""

    files: tuple[FileDescriptorProto, ...]
    pool: DescriptorPool

    @property
    def set(self) -> bytes:
        """All files, each behind those that it imports."""
        return FileDescriptorSet(file=self.files).SerializeToString()

    def message(self, name: str) -> type[Message]:
        return GetMessageClass(self.pool.FindMessageTypeByName(f"shop.{name}"))


def orders(*, whole: bool) -> Orders:
    """``whole`` leaves ``money.proto`` out, and has its message in the same file."""
    time, money, file = FileDescriptorProto(), _file("money"), _file("orders")
    timestamp_pb2.DESCRIPTOR.CopyToProto(time)
    file.dependency.append(time.name)
    order = file.message_type.add(name="Order")
    line = order.nested_type.add(name="Line")
    line.nested_type.add(name="Detail").field.add(name="text", number=1, label=1, type=_TEXT)
    line.field.add(name="sku", number=1, label=1, type=_TEXT)
    line.field.add(name="detail", number=2, label=1, type=_MESSAGE, type_name=".shop.Order.Line.Detail")
    order.nested_type.add(name="Address").field.add(name="street", number=1, label=1, type=_TEXT)
    order.field.add(name="lines", number=1, label=3, type=_MESSAGE, type_name=".shop.Order.Line")
    order.field.add(name="at", number=2, label=1, type=_MESSAGE, type_name=".google.protobuf.Timestamp")
    order.field.add(name="total", number=3, label=1, type=_MESSAGE, type_name=".shop.Money")
    file.message_type.add(name="Customer").field.add(name="name", number=1, label=1, type=_TEXT)
    (file if whole else money).message_type.add(name="Money").field.add(name="cents", number=1, label=1, type=_NUMBER)
    if not whole:
        file.dependency.append(money.name)
    files = (time, file) if whole else (time, money, file)
    pool = DescriptorPool()
    for each in files:
        pool.Add(each)
    return Orders(files, pool)


def _file(name: str) -> FileDescriptorProto:
    return FileDescriptorProto(name=f"{name}.proto", package="shop", syntax="proto3")
