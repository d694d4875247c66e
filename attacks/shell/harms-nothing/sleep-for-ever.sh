# Never ends.
sleep infinity
