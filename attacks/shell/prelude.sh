# Stands before each attack in shell. All of it is appended to the starter.
got_through() {
    # Whoever runs the attacks looks for this in the report.
    printf '\nGOT %s: %s\n' THROUGH "$1" >&2
}
