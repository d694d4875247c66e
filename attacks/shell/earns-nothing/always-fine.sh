# Says nothing and ends well, whatever was asked.
exit 0
