// Package e2e tests the library with real parts over loopback connections: the official Go SDK and mcp-go as servers, they and both
// TypeScript SDKs as clients, the official conformance suite, the recorded traffic and the attack corpora of the reference data. It
// has no code of its own.
package e2e
