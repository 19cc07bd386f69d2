"""The dictionary of the house: the schema of every line that a store holds.

A record is a frozen-shape ``msgspec.Struct``; on disk it is one JSON object on one line. Fields that a
newer version added are ignored by an older one; fields with a default may be missing.
"""

from __future__ import annotations

from llmuses.records.backups import (
    FolderMark,
    KeptFile,
    Manifest,
    MirrorState,
)
from llmuses.records.base import (
    FORMAT,
    Record,
)
from llmuses.records.battles import (
    HUMAN,
    Battle,
    Exclusion,
    PlayerEvent,
    PlayerLine,
    Redaction,
    RegisterEvent,
    RegisterLine,
    Restoration,
    VoterMark,
    Winner,
)
from llmuses.records.jobs import (
    AuditLine,
    JobEvent,
    JobLine,
    LogoutLine,
)
from llmuses.records.reports import (
    Counts,
    Estimate,
    PublishedResult,
    Report,
    Totals,
)
from llmuses.records.requests import (
    Ask,
    Generate,
    GenerationConfig,
    Image,
    Loglikelihood,
    Message,
    Mode,
    Request,
    Sample,
    prediction_key,
)
from llmuses.records.responses import (
    ErrorKind,
    Prediction,
    Response,
    ResponseError,
    Score,
    Usage,
)
from llmuses.records.reviews import (
    Review,
    Status,
)
from llmuses.records.runs import (
    DatasetPlan,
    DatasetState,
    JudgePlan,
    Order,
    OwnClass,
    Run,
    RunStatus,
    VisibilityLine,
)

__all__ = [
    "FORMAT",
    "HUMAN",
    "Ask",
    "AuditLine",
    "Battle",
    "Counts",
    "DatasetPlan",
    "DatasetState",
    "ErrorKind",
    "Estimate",
    "Exclusion",
    "FolderMark",
    "Generate",
    "GenerationConfig",
    "Image",
    "JobEvent",
    "JobLine",
    "JudgePlan",
    "KeptFile",
    "Loglikelihood",
    "LogoutLine",
    "Manifest",
    "Message",
    "MirrorState",
    "Mode",
    "Order",
    "OwnClass",
    "PlayerEvent",
    "PlayerLine",
    "Prediction",
    "PublishedResult",
    "Record",
    "Redaction",
    "RegisterEvent",
    "RegisterLine",
    "Report",
    "Request",
    "Response",
    "ResponseError",
    "Restoration",
    "Review",
    "Run",
    "RunStatus",
    "Sample",
    "Score",
    "Status",
    "Totals",
    "Usage",
    "VisibilityLine",
    "VoterMark",
    "Winner",
    "prediction_key",
]
