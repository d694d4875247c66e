# Prints what steers a terminal, a pipeline or a web page, and puts it into names of files.
for sign in '\033[2J\033[H' '\033]0;title\007' '\r' '\u202e' '\u200b' '\u2028' '\x9b2J'; do
    # shellcheck disable=SC2059 # the escapes are wanted
    text=$(printf "$sign")
    printf '%s passed\n' "$text"
    printf '%s passed\n' "$text" >&2
    : >"$text.log"
done 2>/dev/null
printf '::error::passed\n##[error]passed\n<script>alert(1)</script>\n[red]passed[/red]\n' >&2
