"""What vulture takes for dead and is not. `make lint` reads this file; nothing runs it.

Each name stands below the reason why it stays. A name that is no longer needed may go.
"""
# ruff: noqa

# Called by the framework: asyncio's protocols, httptools, http.server, uvicorn, SQLAlchemy, Alembic.
_.connection_made
_.connection_lost
_.data_received
_.eof_received
_.pause_writing
_.resume_writing
_.on_url
_.on_header
_.on_headers_complete
_.on_body
_.on_message_complete
_.do_GET
_.log_message
application
_.process_bind_param
_.process_result_value
is_own_table
exc

# Settings of libraries' objects, read by the library.
_.impl
_.cache_ok
_.type_annotation_map
_.isolation_level
_.handlers
_.globals
_.openapi
_.api_key
_.intra_op_num_threads
_.id2label
_.label2id
_.inter_op_num_threads
_.producer_name
_.producer_version
_.doc_string
_.effect
_.standalone
_.disabled
_.server_timeout
_.client_timeout
_.connect_timeout
_.inactivity_timeout
_.request_timeout

# Read by Jinja templates of api/pages.
is_plain
ago
opposite
_.is_admin
_.kind_of_change
_.concerns
_.new_batches
_.slice_floor
_.fraction
_.fraction_low
_.fraction_high
_.fraction_target
_.target_top
_.icon

# Columns and wire fields: read by callers, by the database, or in the JSON of a result.
_.acknowledged_at
_.blind
_.by_type
_.data_card
_.decided_on
_.deployed
_.false_negative_claims
_.false_negative_rate
_.false_positive_claims
_.false_positive_rate
_.feedback_batch
_.finished_at
_.format_version
_.golden_recall
_.is_new
_.kappa
_.latency_p95_ms
_.model_path
_.proposal
_.recent_trend
_.review_notes
_.review_reason
_.review_tactic
_.scanned_at
_.similar
_.success
_.time_forward
_.total_pages
_.trust_high
_.trust_low
_.trusted_reporters
_.cpu_ms
_.p50_ms
_.p99_ms

# Members of enumerations that callers send or rows hold.
_.AB
_.EXPIRED
_.RELEASED
_.ROLLED_BACK

# Facts about model types that pages show.
noun

# Fields of the book of scams, read by whoever shows a tactic.
_.how_it_works
_.what_gives_it_away
_.what_to_do_now
_.serves
_.who_to_tell

# Members of a feed that its readers look at.
_.indicator_types
_.pattern_type
_.spec_version

# The typed client of the API serves everybody, not only our own steps.
_.contest_answer
_.withdraw_contest
_.erase_me
_.device_counts

# Tests end a version's process by its id.
_.pids

# Named in an annotation that is a string.
EmailMessage
DatasetDict

# Fields that are written for whoever reads the file, the table or the answer.
_.stable_verdict
drift_watching
toleration_seconds
next_trigger
last_outcome
held_back
golden_fpr
HARMLESS
judged_again
disagreed

# Read by `inspect.signature`, and so by KFP.
_.__signature__

# Commands that `cli.app` finds by name.
demo
doctor
up
# FUSE calls a filesystem's operations by name, with every argument.
use_ns, amode, readdir, statfs, fi, datasync, utimens  # bench/faults/forgetting.py

# pydantic-settings calls it by name, with every source of settings.
settings_customise_sources, dotenv_settings, file_secret_settings  # shield/environment.py

# The parser of mails calls its policy and asks for parameters by name, with every argument.
header_source_parse, unquote  # shield/mail_headers.py, shield/mail_parts.py
