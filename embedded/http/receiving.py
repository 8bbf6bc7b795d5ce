"""Receiving the content of an attachment: small ones in memory, large ones through a file."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import IO

from embedded import attachments, multipart, multipart_file
from embedded.attachments import Attachment
from embedded.database import storage_error
from embedded.http.errors import HttpError, too_large
from embedded.http.request import Request
from embedded.large_contents import LARGE, LargeContent
from embedded.multipart import Part

_TOGETHER = 16
"""How many attachments of the largest size may come with one document."""


@contextlib.asynccontextmanager
async def related_parts(request: Request) -> AsyncIterator[list[Part]]:
    """The parts of a multipart body; those that lie in a file do so until this ends.

    Raises 400 for a body that is not complete, 413 for a part larger than the largest attachment allowed and for more
    than `_TOGETHER` of these, 507 where there is no space.
    """
    boundary = multipart.boundary_of(request.headers["content-type"])
    database, directory = request.database, request.store.directory
    maximum = request.store.settings.maximum_attachment
    waiting = bytearray()
    size = 0
    with contextlib.ExitStack() as opened:
        file: IO[bytes] | None = None
        try:
            async for piece in request.stream():
                size += len(piece)
                if size > _TOGETHER * maximum:
                    raise too_large(f"The request body is larger than {_TOGETHER * maximum} bytes.")
                waiting += piece
                if len(waiting) > LARGE:
                    file = file or opened.enter_context(multipart_file.body_file(directory))
                    await database.in_thread(file.write, bytes(waiting))
                    waiting.clear()
            if file is None:
                parts = multipart.parse(bytes(waiting), boundary)
            else:
                await database.in_thread(file.write, bytes(waiting))
                parts = await database.in_thread(multipart_file.split, file, boundary, directory)
            if any(part.length > maximum for part in parts):
                raise HttpError(413, "attachment_too_large", f"An attachment is larger than {maximum} bytes.")
            yield parts
        except OSError as error:
            raise storage_error(error) from None


async def receive(request: Request, name: str, content_type: str, *, is_packed: bool) -> Attachment:
    """The attachment that is the body of this request. `is_packed`: the body is gzip.

    Whoever calls closes a LargeContent. Raises 413 beyond the largest attachment allowed, 507 where there is no space.
    """
    database = request.database
    maximum = request.store.settings.maximum_attachment
    large: LargeContent | None = None
    waiting = bytearray()
    size = 0
    try:
        async for piece in request.stream():
            size += len(piece)
            if size > maximum:
                raise HttpError(413, "attachment_too_large", f"{name} is larger than {maximum} bytes.")
            waiting += piece
            if len(waiting) > LARGE:
                if large is None:
                    compress = not is_packed and attachments.is_compressible(content_type)
                    large = LargeContent(request.store.directory, compress=compress, packed=is_packed)
                await database.in_thread(large.feed, bytes(waiting))
                waiting.clear()
        if large is None:
            encoding = "gzip" if is_packed else None
            return await database.in_thread(
                attachments.from_content, name, bytes(waiting), content_type, encoding=encoding
            )
        await database.in_thread(large.feed, bytes(waiting))
        await database.in_thread(large.finish)
    except OSError as error:
        if large is not None:
            large.close()
        raise storage_error(error) from None
    except BaseException:
        if large is not None:
            large.close()
        raise
    is_packed = is_packed or attachments.is_compressible(content_type)
    return attachments.from_large_content(name, large, content_type, is_packed=is_packed)
