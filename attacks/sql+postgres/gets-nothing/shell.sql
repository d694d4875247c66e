-- Uses psql's own commands to run programs and to read files.
\! id && printf '\nGOT %s: shell\n' THROUGH >&2
\i /etc/passwd
\copy (SELECT 1) TO PROGRAM 'printf "\nGOT %s: copy\n" THROUGH >&2'
