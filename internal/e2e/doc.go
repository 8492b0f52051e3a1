// Package e2e tests the library with real parts: the official Go SDK and mcp-go, as servers and as clients, over loopback
// connections, and the recorded traffic and the attack corpora of the reference data. It has no code of its own.
package e2e
