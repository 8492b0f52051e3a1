//go:build race

package mcpmsg_test

// underRace: the race detector makes sync.Pool drop what it is given, so allocations say nothing.
const underRace = true
