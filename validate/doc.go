// Package validate checks the header fields and the target of an HTTP request, without net/http, without allocating, in time
// linear in the input, on acceptance and on refusal.
package validate
