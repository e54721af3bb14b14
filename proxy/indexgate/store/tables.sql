CREATE TABLE advisories (
	load BIGINT NOT NULL,
	project TEXT NOT NULL,
	record TEXT NOT NULL,
	position INTEGER NOT NULL,
	advisory TEXT NOT NULL,
	PRIMARY KEY (load, project, record, position)
);

CREATE INDEX advisories_record ON advisories (load, record);

CREATE TABLE advisory_feed (
	source TEXT NOT NULL,
	load BIGINT NOT NULL,
	revision BIGINT NOT NULL,
	fetched_at BIGINT NOT NULL,
	newest_modified BIGINT,
	etag TEXT,
	records INTEGER NOT NULL,
	PRIMARY KEY (source)
);

CREATE TABLE asked (
	index_id TEXT NOT NULL,
	project TEXT NOT NULL,
	day INTEGER NOT NULL,
	people BIGINT NOT NULL,
	ci BIGINT NOT NULL,
	systems BIGINT NOT NULL,
	PRIMARY KEY (index_id, project, day)
);

CREATE INDEX asked_day ON asked (day);

CREATE TABLE assessments (
	id INTEGER NOT NULL,
	index_id TEXT NOT NULL,
	project TEXT NOT NULL,
	formula TEXT NOT NULL,
	inputs TEXT NOT NULL,
	flags TEXT NOT NULL,
	score TEXT,
	score_lines BLOB,
	assessed_at BIGINT NOT NULL,
	valid_until BIGINT NOT NULL,
	superseded_at BIGINT,
	PRIMARY KEY (id)
);

CREATE UNIQUE INDEX assessments_current ON assessments (index_id, project) WHERE superseded_at IS NULL;

CREATE INDEX assessments_superseded ON assessments (index_id, project, superseded_at);

CREATE TABLE events (
	index_id TEXT NOT NULL,
	project TEXT NOT NULL,
	"key" TEXT NOT NULL,
	kind TEXT NOT NULL,
	at BIGINT NOT NULL,
	text TEXT NOT NULL,
	source TEXT NOT NULL,
	size FLOAT,
	PRIMARY KEY (index_id, project, "key")
);

CREATE INDEX events_at ON events (at);

CREATE TABLE evidence (
	id INTEGER NOT NULL,
	index_id TEXT NOT NULL,
	project TEXT NOT NULL,
	kind TEXT NOT NULL,
	text TEXT NOT NULL,
	day INTEGER NOT NULL,
	author TEXT NOT NULL,
	entered_at BIGINT NOT NULL,
	PRIMARY KEY (id)
);

CREATE INDEX evidence_project ON evidence (index_id, project);

CREATE TABLE exemption_requests (
	id TEXT NOT NULL,
	at BIGINT NOT NULL,
	author TEXT NOT NULL,
	project TEXT NOT NULL,
	version TEXT NOT NULL,
	rule TEXT NOT NULL,
	reason TEXT NOT NULL,
	days INTEGER NOT NULL,
	state TEXT NOT NULL,
	decided_at BIGINT,
	decided_by TEXT NOT NULL,
	answer TEXT NOT NULL,
	team TEXT,
	PRIMARY KEY (id)
);

CREATE INDEX exemption_requests_state ON exemption_requests (state);

CREATE TABLE exemption_uses (
	exemption TEXT NOT NULL,
	day INTEGER NOT NULL,
	count BIGINT NOT NULL,
	PRIMARY KEY (exemption, day)
);

CREATE TABLE facts_then (
	index_id TEXT NOT NULL,
	project TEXT NOT NULL,
	assessed_at BIGINT NOT NULL,
	valid_until BIGINT NOT NULL,
	formula TEXT NOT NULL,
	facts BLOB NOT NULL,
	PRIMARY KEY (index_id, project, assessed_at)
);

CREATE INDEX facts_then_assessed_at ON facts_then (assessed_at);

CREATE TABLE file_addresses (
	index_id TEXT NOT NULL,
	path TEXT NOT NULL,
	project TEXT NOT NULL,
	PRIMARY KEY (index_id, path)
);

CREATE TABLE hash_pins (
	index_id TEXT NOT NULL,
	address TEXT NOT NULL,
	sha256 TEXT NOT NULL,
	pinned_at BIGINT NOT NULL,
	PRIMARY KEY (index_id, address)
);

CREATE TABLE history_days (
	index_number INTEGER NOT NULL,
	day INTEGER NOT NULL,
	source TEXT NOT NULL,
	whole BOOLEAN NOT NULL,
	complete BOOLEAN NOT NULL,
	projects INTEGER NOT NULL,
	folded BOOLEAN NOT NULL,
	loaded_at BIGINT NOT NULL,
	PRIMARY KEY (index_number, day)
);

CREATE TABLE history_indexes (
	number INTEGER NOT NULL,
	index_id TEXT NOT NULL,
	PRIMARY KEY (number)
);

CREATE UNIQUE INDEX history_indexes_id ON history_indexes (index_id);

CREATE TABLE history_movement (
	index_number INTEGER NOT NULL,
	day INTEGER NOT NULL,
	consumers FLOAT,
	mixes TEXT,
	PRIMARY KEY (index_number, day)
);

CREATE TABLE history_projects (
	id INTEGER NOT NULL,
	index_number INTEGER NOT NULL,
	project TEXT NOT NULL,
	born INTEGER,
	PRIMARY KEY (id)
);

CREATE UNIQUE INDEX history_projects_name ON history_projects (index_number, project);

CREATE TABLE history_tiles (
	id INTEGER NOT NULL,
	codes BLOB NOT NULL,
	PRIMARY KEY (id)
);

CREATE TABLE kept (
	"key" TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY ("key")
);

CREATE TABLE missing_names (
	index_id TEXT NOT NULL,
	project TEXT NOT NULL,
	first_asked BIGINT NOT NULL,
	last_asked BIGINT NOT NULL,
	hours INTEGER NOT NULL,
	PRIMARY KEY (index_id, project)
);

CREATE TABLE notices (
	digest TEXT NOT NULL,
	kind TEXT NOT NULL,
	run TEXT NOT NULL,
	family TEXT NOT NULL,
	hour BIGINT NOT NULL,
	count BIGINT NOT NULL,
	PRIMARY KEY (digest, kind, run, family, hour)
);

CREATE INDEX notices_hour ON notices (hour);

CREATE INDEX notices_run ON notices (run);

CREATE TABLE projects (
	index_id TEXT NOT NULL,
	project TEXT NOT NULL,
	first_seen BIGINT NOT NULL,
	last_asked BIGINT NOT NULL,
	PRIMARY KEY (index_id, project)
);

CREATE INDEX projects_last_asked ON projects (last_asked);

CREATE TABLE refusals (
	"key" TEXT NOT NULL,
	at BIGINT NOT NULL,
	index_id TEXT NOT NULL,
	project TEXT NOT NULL,
	version TEXT NOT NULL,
	filename TEXT NOT NULL,
	rule TEXT NOT NULL,
	reason TEXT NOT NULL,
	policy_digest TEXT NOT NULL,
	run TEXT,
	family TEXT NOT NULL,
	formula TEXT,
	assessed_at BIGINT,
	PRIMARY KEY ("key")
);

CREATE INDEX refusals_at ON refusals (at);

CREATE INDEX refusals_project ON refusals (project, at);

CREATE INDEX refusals_run ON refusals (run);

CREATE TABLE served (
	index_id TEXT NOT NULL,
	project TEXT NOT NULL,
	version TEXT NOT NULL,
	filename TEXT NOT NULL,
	family TEXT NOT NULL,
	ci BOOLEAN NOT NULL,
	day INTEGER NOT NULL,
	first_at BIGINT NOT NULL,
	count BIGINT NOT NULL,
	PRIMARY KEY (index_id, project, filename, day, family, ci)
);

CREATE INDEX served_day ON served (day);

CREATE TABLE source_answers (
	source TEXT NOT NULL,
	address TEXT NOT NULL,
	etag TEXT NOT NULL,
	link TEXT NOT NULL,
	body BLOB NOT NULL,
	kept_at BIGINT NOT NULL,
	PRIMARY KEY (source, address)
);

CREATE INDEX source_answers_kept_at ON source_answers (kept_at);

CREATE TABLE spending (
	job TEXT NOT NULL,
	source TEXT NOT NULL,
	month TEXT NOT NULL,
	day TEXT NOT NULL,
	purpose TEXT NOT NULL,
	bytes_billed BIGINT NOT NULL,
	settled BOOLEAN NOT NULL,
	at BIGINT NOT NULL,
	PRIMARY KEY (job)
);

CREATE INDEX spending_month ON spending (source, month);

CREATE TABLE standing (
	index_id TEXT NOT NULL,
	project TEXT NOT NULL,
	fact TEXT NOT NULL,
	value TEXT NOT NULL,
	"before" TEXT,
	watched_since BIGINT NOT NULL,
	seen_at BIGINT NOT NULL,
	changed_at BIGINT,
	PRIMARY KEY (index_id, project, fact)
);

CREATE TABLE verdict_sets (
	digest TEXT NOT NULL,
	position INTEGER NOT NULL,
	index_id TEXT NOT NULL,
	project TEXT NOT NULL,
	policy_digest TEXT NOT NULL,
	rule TEXT NOT NULL,
	reason TEXT NOT NULL,
	versions TEXT NOT NULL,
	PRIMARY KEY (digest, position)
);

CREATE INDEX verdict_sets_project ON verdict_sets (project);

CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
