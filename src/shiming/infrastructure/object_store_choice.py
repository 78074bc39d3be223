"""Where this installation keeps its encrypted objects.

| `SHIMING_OBJECTS` | store |
|---|---|
| not set | the folder `objects` of the data folder |
| a path | that folder |
| `s3://bucket/prefix` | an S3-compatible service; `SHIMING_S3_ENDPOINT` names one that is not Amazon's |

Credentials of S3 are found where boto3 looks for them (`AWS_ACCESS_KEY_ID`, its files, the machine's role).
"""

from pathlib import Path
from urllib.parse import urlsplit

from shiming.infrastructure.object_store import FolderObjectStore, ObjectStore
from shiming.infrastructure.object_store_s3 import open_s3
from shiming.infrastructure.settings import Settings
from shiming.vocabulary.errors import BadInput, Text


def object_store_from(settings: Settings) -> ObjectStore:
    """Open the object store that the settings name."""
    place = settings.objects or str(settings.objects_folder)
    if "://" not in place:
        return FolderObjectStore(Path(place).expanduser())
    parsed = urlsplit(place)
    if parsed.scheme != "s3" or not parsed.netloc:
        raise BadInput(
            "SETTING_INVALID",
            Text(
                zh="SHIMING_OBJECTS 应为目录或 s3:// 地址。", en="SHIMING_OBJECTS must be a folder or s3://."
            ),
            details={"setting": "SHIMING_OBJECTS"},
        )
    prefix = parsed.path.strip("/")
    return open_s3(
        parsed.netloc,
        f"{prefix}/" if prefix else "",
        endpoint=settings.s3_endpoint,
    )
