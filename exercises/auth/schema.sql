CREATE TABLE users (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text   NOT NULL UNIQUE,
    password_hash text   NOT NULL,
    role          text   NOT NULL DEFAULT 'member'
);

CREATE TABLE notes (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users,
    text    text   NOT NULL
);

CREATE TABLE refresh_tokens (
    token_hash text        PRIMARY KEY,
    family     uuid        NOT NULL,
    user_id    bigint      NOT NULL REFERENCES users,
    expires_at timestamptz NOT NULL,
    used       boolean     NOT NULL DEFAULT false
);

CREATE TABLE failed_logins (
    name text        NOT NULL,
    at   timestamptz NOT NULL DEFAULT now()
);
