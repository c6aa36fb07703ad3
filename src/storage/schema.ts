/**
 * The file of a kept room: ciphertext, public keys, counters, and what the door needs. Migrations are only ever added;
 * `user_version` says how many of them a file has.
 * @see docs/architecture.md#kept-rooms
 */

/** "scrm": tells a room's file from any other database. */
export const APPLICATION_ID = 0x7363726d;

/** Each takes a file from the version before it to the next. */
export const MIGRATIONS: readonly string[] = [
  `
  -- One row for each thing that the room has once.
  CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

  -- A message that everyone has, or that is too old, keeps only its hash.
  CREATE TABLE log (
    place INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    placed_at_ms INTEGER NOT NULL,
    leaf BLOB NOT NULL,
    head BLOB NOT NULL,
    header BLOB,
    ciphertext BLOB,
    signature BLOB
  ) STRICT;

  CREATE TABLE roster (member TEXT PRIMARY KEY, entry BLOB NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE epochs (epoch INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT;
  CREATE TABLE used_acts (name TEXT PRIMARY KEY, epoch INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE eras (era INTEGER PRIMARY KEY, bytes BLOB NOT NULL, signature BLOB NOT NULL) STRICT;

  CREATE TABLE members (
    member TEXT PRIMARY KEY REFERENCES roster ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    spki BLOB NOT NULL,
    algorithm TEXT NOT NULL,
    account_key BLOB NOT NULL,
    statement BLOB NOT NULL,
    statement_signature BLOB NOT NULL,
    generation INTEGER NOT NULL,
    invitations TEXT NOT NULL,
    stays INTEGER NOT NULL,
    receipts INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    account_credential TEXT,
    account_record TEXT
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE progress (
    member TEXT PRIMARY KEY REFERENCES members ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    acknowledged INTEGER NOT NULL,
    quoted_generation INTEGER NOT NULL,
    chain_sequence INTEGER NOT NULL,
    chain TEXT,
    chain_epoch INTEGER,
    chain_last_n INTEGER,
    chain_last_leaf BLOB,
    offline_since_ms INTEGER
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE wraps (
    id INTEGER PRIMARY KEY,
    member TEXT NOT NULL REFERENCES members ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    sender TEXT NOT NULL,
    log_place INTEGER NOT NULL,
    came_at_ms INTEGER NOT NULL,
    frame BLOB NOT NULL
  ) STRICT;
  CREATE INDEX wraps_of ON wraps (member, id);

  CREATE TABLE invitations (
    number INTEGER PRIMARY KEY,
    invitation BLOB NOT NULL UNIQUE,
    admission_key BLOB NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    uses_left INTEGER NOT NULL,
    tries_left INTEGER NOT NULL,
    revoked INTEGER NOT NULL,
    suspended INTEGER NOT NULL,
    role TEXT NOT NULL,
    -- What the host shows of it: NULL for the host's own way in.
    text TEXT,
    fernet_key TEXT,
    fernet_token TEXT,
    label TEXT
  ) STRICT;

  CREATE TABLE bans (
    number INTEGER PRIMARY KEY,
    member TEXT NOT NULL,
    nick TEXT NOT NULL,
    until_ms INTEGER,
    banned_by TEXT
  ) STRICT;
  CREATE TABLE mutes (member TEXT PRIMARY KEY, until_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  `,
  `
  -- Beside the room. What they are called is nowhere in here.
  CREATE TABLE conversations (
    conversation TEXT PRIMARY KEY,
    -- Of the conversation of two: both member ids.
    direct BLOB,
    epoch INTEGER NOT NULL,
    last_removal_epoch INTEGER NOT NULL,
    adopted_epoch INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE conversation_operations (
    conversation TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    bytes BLOB NOT NULL,
    signature BLOB NOT NULL,
    -- Where it stands in the log, and the list's epoch after it.
    log_place INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    -- It names everyone: nothing before it is needed.
    whole INTEGER NOT NULL,
    PRIMARY KEY (conversation, number)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE conversation_epochs (
    conversation TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    epoch INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (conversation, epoch)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE conversation_eras (
    conversation TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    era INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (conversation, era)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE conversation_places (
    conversation TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    member TEXT NOT NULL REFERENCES members ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    acknowledged INTEGER NOT NULL,
    chain_sequence INTEGER NOT NULL,
    chain TEXT,
    chain_epoch INTEGER,
    chain_last_n INTEGER,
    chain_last_leaf BLOB,
    -- They have acknowledged nothing yet.
    new INTEGER NOT NULL,
    -- Where it began for them.
    came_in INTEGER NOT NULL,
    PRIMARY KEY (conversation, member)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX places_of ON conversation_places (member);

  CREATE TABLE conversation_log (
    conversation TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    place INTEGER NOT NULL,
    kind TEXT NOT NULL,
    placed_at_ms INTEGER NOT NULL,
    leaf BLOB NOT NULL,
    head BLOB NOT NULL,
    header BLOB,
    ciphertext BLOB,
    signature BLOB,
    PRIMARY KEY (conversation, place)
  ) STRICT, WITHOUT ROWID;

  ALTER TABLE wraps ADD COLUMN conversation TEXT NOT NULL DEFAULT '00000000000000000000000000000000';
  `,
  `
  -- Files that wait beside the room as ciphertext. Their names and keys are nowhere in here.
  CREATE TABLE deposits (
    file TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    -- Of plaintext.
    bytes INTEGER NOT NULL,
    came_at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- Who is awaited, and what others did of which its owner has not been told.
  CREATE TABLE deposit_members (
    file TEXT NOT NULL REFERENCES deposits ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    member TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (file, member)
  ) STRICT, WITHOUT ROWID;
  `,
];
