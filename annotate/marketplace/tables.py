"""The marketplace's own tables, kept in the study's database beside (never inside) the study's tables.

The names start with market_, times are seconds since 1970 (UTC), money is whole US cents. What a worker or a
requester holds as a secret (a cookie, an invitation) is kept as its sha256; what a requester signs with is
derived from the user's salt when it is needed (photojury.annotate.marketplace.requesters.accounts) and never kept.

    >>> accounts.name
    'market_accounts'
"""

import sqlalchemy as sa
from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

SCHEMA_VERSION = 2

meta = Table(
    "market_meta",
    metadata,
    Column("key", String(32), primary_key=True),
    Column("value", Text, nullable=False),
)

accounts = Table(
    "market_accounts",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("key_id", String(32), unique=True, comment="the AWS access key id; null: open mode's account"),
    Column("available", sa.BigInteger, nullable=False, comment="cents that can be spent"),
    Column("held", sa.BigInteger, nullable=False, comment="cents set aside for HITs that are out"),
    Column("made_at", Float, nullable=False),
)

transactions = Table(
    "market_transactions",
    metadata,
    Column("transaction_id", String(30), primary_key=True),
    Column("account", String(64), ForeignKey("market_accounts.name"), nullable=False),
    Column("at", Float, nullable=False),
    Column(
        "kind", String(16), nullable=False, comment="deposit, hold, release, reward, fee, bonus, bonus_fee"
    ),
    Column("available", sa.BigInteger, nullable=False, comment="what it added to the available balance"),
    Column("held", sa.BigInteger, nullable=False, comment="what it added to the balance on hold"),
    Column("hit_id", String(64)),
    Column("assignment_id", String(64)),
    Column("worker_id", String(64)),
)

hit_types = Table(
    "market_hit_types",
    metadata,
    Column("hit_type_id", String(64), primary_key=True),
    Column("hit_group_id", String(64), nullable=False, unique=True),
    Column("account", String(64), ForeignKey("market_accounts.name"), nullable=False),
    Column(
        "digest", String(64), nullable=False, unique=True, comment="sha256 of the account and what follows"
    ),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("keywords", Text, nullable=False),
    Column("reward", Integer, nullable=False),
    Column("assignment_duration", Integer, nullable=False, comment="seconds"),
    Column("auto_approval_delay", Integer, nullable=False, comment="seconds"),
    Column("requirements", Text, nullable=False, comment="QualificationRequirements, JSON"),
    Column("created_at", Float, nullable=False),
    Column("notification", Text, comment="UpdateNotificationSettings' Notification, JSON"),
    Column("notifying", Boolean, nullable=False, comment="whether it is Active"),
)

hits = Table(
    "market_hits",
    metadata,
    Column("hit_id", String(64), primary_key=True),
    Column("hit_type_id", String(64), ForeignKey("market_hit_types.hit_type_id"), nullable=False),
    Column("question", Text, nullable=False, comment="the XML, as it came"),
    Column("annotation", Text),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("max_assignments", Integer, nullable=False),
    Column("fee", Integer, nullable=False, comment="cents for each assignment, beside the reward"),
    Column("held_assignments", Integer, nullable=False, comment="for how many of them money is held"),
    Column("status", String(16), nullable=False, comment="Assignable ... Disposed: see states.refresh"),
    Column("review_status", String(24), nullable=False, comment="HITReviewStatus"),
    Column("review_policies", Text, comment="AssignmentReviewPolicy and HITReviewPolicy, JSON"),
    Column("pending", Integer, nullable=False, comment="accepted, not yet handed in"),
    Column("submitted", Integer, nullable=False, comment="handed in, not yet reviewed"),
    Column("completed", Integer, nullable=False, comment="approved or rejected"),
    Column("available", Integer, nullable=False, comment="still to be accepted"),
    Column("reviewable_at", Float, comment="when it became Reviewable, else null"),
    Column("expired", Boolean, nullable=False, comment="whether its expiry has been told"),
    Column("due_at", Float, comment="when the clock next changes something; null: never"),
    Index("market_hits_due", "due_at"),
    Index("market_hits_listed", "created_at", "hit_id"),
    Index("market_hits_of_type", "hit_type_id", "status"),
)

workers = Table(
    "market_workers",
    metadata,
    Column("worker_id", String(64), primary_key=True),
    Column("joined_at", Float, nullable=False),
    Column("came_by", String(16), nullable=False, comment="open, invitation, prolific or simulated"),
    Column("country", String(2), comment="ISO 3166, where the worker said it; for Worker_Locale"),
    Column("subdivision", String(2)),
    Column("adult", Boolean, nullable=False, comment="has said to be 18 or older; for Worker_Adult"),
    Column("consented_to", String(64), comment="sha256 of the consent text that was agreed to"),
    Column("consented_at", Float),
)

sessions = Table(
    "market_sessions",
    metadata,
    Column("session", String(64), primary_key=True, comment="sha256 of the cookie's value"),
    Column("worker_id", String(64), ForeignKey("market_workers.worker_id"), nullable=False),
    Column("made_at", Float, nullable=False),
)

invitations = Table(
    "market_invitations",
    metadata,
    Column("invitation", String(64), primary_key=True, comment="sha256 of the link's secret"),
    Column("worker_id", String(64), comment="whom it made, at first use; from then on it is their way back"),
    Column("made_at", Float, nullable=False),
)

visits = Table(
    "market_visits",
    metadata,
    Column("provider", String(16), primary_key=True, comment="prolific"),
    Column("session_id", String(64), primary_key=True, comment="the provider's id of the submission"),
    Column("study_id", String(64), nullable=False, comment="the provider's"),
    Column("worker_id", String(64), ForeignKey("market_workers.worker_id"), nullable=False),
    Column("hit_id", String(64), ForeignKey("market_hits.hit_id"), nullable=False),
    Column("came_at", Float, nullable=False),
    Index("market_visits_of_worker", "worker_id", "hit_id"),
)

assignments = Table(
    "market_assignments",
    metadata,
    Column("assignment_id", String(64), primary_key=True, comment="unguessable: it is the key to hand in"),
    Column("hit_id", String(64), ForeignKey("market_hits.hit_id"), nullable=False),
    Column("worker_id", String(64), ForeignKey("market_workers.worker_id"), nullable=False),
    Column(
        "status",
        String(16),
        nullable=False,
        comment="Accepted, Submitted, Approved, Rejected, Returned, Abandoned",
    ),
    Column("accepted_at", Float, nullable=False),
    Column("deadline", Float, nullable=False),
    Column("submitted_at", Float),
    Column("auto_approval_at", Float),
    Column("approved_at", Float),
    Column("rejected_at", Float),
    Column("answer", Text),
    Column("feedback", Text),
    Column("draft", Text, comment="what the page has kept of unfinished answers; gone when handed in"),
    Index("market_assignments_of_hit", "hit_id", "status"),
    Index("market_assignments_of_worker", "worker_id", "status"),
    # Nobody does one HIT twice: what was returned or abandoned does not count, the rest is unique.
    Index(
        "market_assignments_once",
        "hit_id",
        "worker_id",
        unique=True,
        sqlite_where=sa.text("status NOT IN ('Returned', 'Abandoned')"),
        postgresql_where=sa.text("status NOT IN ('Returned', 'Abandoned')"),
    ),
)

bonuses = Table(
    "market_bonuses",
    metadata,
    Column("bonus_id", String(30), primary_key=True),
    Column("assignment_id", String(64), ForeignKey("market_assignments.assignment_id"), nullable=False),
    Column("worker_id", String(64), nullable=False),
    Column("amount", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("granted_at", Float, nullable=False),
    Index("market_bonuses_of_assignment", "assignment_id"),
)

tokens = Table(
    "market_tokens",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("kind", String(8), primary_key=True, comment="hit, extend or bonus"),
    Column("token", String(64), primary_key=True, comment="the UniqueRequestToken"),
    Column("used_at", Float, nullable=False),
    Column("made", String(64), nullable=False, comment="the id of what the first request made"),
)

qualification_types = Table(
    "market_qualification_types",
    metadata,
    Column("qualification_type_id", String(64), primary_key=True),
    Column("account", String(64), ForeignKey("market_accounts.name"), nullable=False),
    Column("name", Text, nullable=False),
    Column("keywords", Text),
    Column("description", Text, nullable=False),
    Column("status", String(8), nullable=False, comment="Active or Inactive"),
    Column("test", Text, comment="a QuestionForm"),
    Column("answer_key", Text),
    Column("test_duration", Integer, comment="seconds"),
    Column("retry_delay", Integer, comment="seconds; null: one request for each worker, ever"),
    Column("auto_granted", Boolean, nullable=False),
    Column("auto_granted_value", Integer),
    Column("created_at", Float, nullable=False),
    Column("deleted_at", Float),
    Index("market_qualification_types_of", "account", "name"),
)

qualifications = Table(
    "market_qualifications",
    metadata,
    Column("qualification_type_id", String(64), primary_key=True),
    Column("worker_id", String(64), primary_key=True),
    Column("value", Integer, comment="null where it was granted without one"),
    Column("status", String(8), nullable=False, comment="Granted or Revoked"),
    Column("granted_at", Float, nullable=False),
    Index("market_qualifications_of_worker", "worker_id"),
)

qualification_requests = Table(
    "market_qualification_requests",
    metadata,
    Column("request_id", String(64), primary_key=True),
    Column("qualification_type_id", String(64), nullable=False),
    Column("worker_id", String(64), nullable=False),
    Column("started_at", Float, nullable=False, comment="when the test was opened, or the request sent"),
    Column("deadline", Float, comment="of the test; null where there is none"),
    Column("submitted_at", Float, comment="null while the test is being taken"),
    Column("test", Text, comment="the QuestionForm as it was shown"),
    Column("answer", Text, comment="QuestionFormAnswers"),
    Column("state", String(16), nullable=False, comment="Testing, Submitted, Granted or Rejected"),
    Column("reason", Text, comment="why it was rejected; the worker is told"),
    Index("market_requests_of_type", "qualification_type_id", "state"),
    Index("market_requests_of_worker", "worker_id", "qualification_type_id"),
)

blocks = Table(
    "market_blocks",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("worker_id", String(64), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("blocked_at", Float, nullable=False),
)

messages = Table(
    "market_messages",
    metadata,
    Column("message_id", String(30), primary_key=True),
    Column("account", String(64), nullable=False),
    Column("worker_id", String(64), nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("sent_at", Float, nullable=False),
    Column("read_at", Float, comment="when the worker was shown it first"),
    Index("market_messages_of_worker", "worker_id", "sent_at"),
)

events = Table(
    "market_events",
    metadata,
    Column(
        "event_id", String(64), primary_key=True, comment="EventDocId: receivers drop what they have seen"
    ),
    Column("destination", Text, nullable=False, comment="the webhook"),
    Column("document", Text, nullable=False, comment="the JSON, as it is sent"),
    Column("made_at", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Float, comment="when it is tried (again); null: delivered, or given up"),
    Column("delivered_at", Float),
    Index("market_events_due", "next_at"),
)

review_results = Table(
    "market_review_results",
    metadata,
    Column("result_id", String(64), primary_key=True),
    Column("hit_id", String(64), nullable=False),
    Column("at", Float, nullable=False),
    Column("level", String(16), nullable=False, comment="Assignment or HIT"),
    Column("is_action", Boolean, nullable=False, comment="a ReviewAction, else a ReviewResult"),
    Column("content", Text, nullable=False, comment="the JSON of the answer"),
    Index("market_review_results_of_hit", "hit_id", "at", "result_id"),
)
