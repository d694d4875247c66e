CREATE TABLE tasks (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title text NOT NULL,
    due date,
    done boolean NOT NULL DEFAULT false
);
