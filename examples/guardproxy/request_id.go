package main

import "net/http"

const requestIDHeader = "X-Request-Id"

// answerRequestID puts the id that the Guard gave a request on its answer, as the Guard does on refusals.
func answerRequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(requestIDHeader, r.Header.Get(requestIDHeader))
		next.ServeHTTP(w, r)
	})
}
