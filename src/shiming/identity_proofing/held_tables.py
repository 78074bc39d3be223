"""The tables of what an undecided session holds: its key, its pieces, and the uploads that still arrive."""

import sqlalchemy as sa

from shiming.infrastructure.tables import UtcInstant, schema

holds = sa.Table(
    "proofing_holds",
    schema,
    sa.Column("session_id", sa.String(40), sa.ForeignKey("proofing_sessions.id"), primary_key=True),
    sa.Column("kek_id", sa.String(80), nullable=False),
    sa.Column("wrapped_key", sa.LargeBinary),  # NULL: destroyed
    sa.Column("expires_at", UtcInstant, nullable=False, index=True),
)

pieces = sa.Table(
    "proofing_held_pieces",
    schema,
    sa.Column("object_id", sa.String(64), primary_key=True),
    sa.Column("session_id", sa.String(40), sa.ForeignKey("proofing_holds.session_id"), index=True),
    sa.Column("name", sa.String(20), nullable=False),
    sa.Column("present", sa.Boolean, nullable=False),  # the one that counts among those of its name
)

uploads = sa.Table(
    "proofing_uploads",
    schema,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column(
        "session_id", sa.String(40), sa.ForeignKey("proofing_holds.session_id"), nullable=False, index=True
    ),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("media_type", sa.String(60), nullable=False),
    sa.Column("bytes_stated", sa.Integer),  # NULL: not known yet
    sa.Column("bytes_held", sa.Integer, nullable=False),  # the offset at which the next chunk starts
    sa.Column("stamp", sa.Text, nullable=False),  # device, time and place of the capture, JSON
    sa.Column("said", sa.LargeBinary),  # Upload-Metadata as it was sent, under the key of the session
    sa.Column("created_at", UtcInstant, nullable=False),
    sa.Column("expires_at", UtcInstant, nullable=False),
)

#: A chunk's content is the object of a held piece of the same id.
upload_chunks = sa.Table(
    "proofing_upload_chunks",
    schema,
    sa.Column("object_id", sa.String(64), primary_key=True),
    sa.Column("upload_id", sa.String(40), sa.ForeignKey("proofing_uploads.id"), nullable=False, index=True),
    sa.Column("start", sa.Integer, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
)
