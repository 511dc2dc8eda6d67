"""A form with a file, as servers read it."""

from email.parser import BytesParser
from email.policy import HTTP

from runners.multipart import Form


class File:
    name = 'my "best"\r\nscan ü.fpr'
    size = 6

    async def pieces(self):
        yield b"abc"
        yield b"def"


async def test_a_form_is_read_as_it_was_meant():
    """Texts and file with their names; nothing in a name ends a header; the length is that of all pieces."""
    form = Form({"system": "fortify", "project": "7", "params": '{"ü": 1}'}, "report_file", File())
    sent = b"".join([piece async for piece in form.pieces()])
    assert form.length == len(sent)
    again = b"".join([piece async for piece in form.pieces()])
    assert again == sent
    message = BytesParser(policy=HTTP).parsebytes(
        b"Content-Type: " + form.content_type.encode() + b"\r\n\r\n" + sent
    )
    parts = {part["Content-Disposition"].params["name"]: part for part in message.iter_parts()}
    texts = {name: part.get_payload(decode=True).decode() for name, part in parts.items()}
    assert texts == {"system": "fortify", "project": "7", "params": '{"ü": 1}', "report_file": "abcdef"}
    assert parts["report_file"].get_filename() == "my %22best%22%0D%0Ascan ü.fpr"
