//go:build !race

package mcpmsg_test

const underRace = false
