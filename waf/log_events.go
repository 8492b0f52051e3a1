package waf

import (
	"context"
	"log/slog"
	"net/http"
)

// LogEvents returns a function for [Config.OnEvent] that writes every event to logger, as a record with the message "decision", the
// time of the event and the attributes that [Event.LogValue] lists. The level is Info for what was let through, Error where the Guard
// itself failed (a status of 500 and above), and Warn for every other refusal or finding. It panics if logger is nil. The
// function may be called concurrently; a handler that blocks delays requests.
func LogEvents(logger *slog.Logger) func(Event) {
	handler := logger.Handler()
	return func(e Event) {
		level := slog.LevelWarn
		switch {
		case e.Action == ActionAllow:
			level = slog.LevelInfo
		case e.Status >= http.StatusInternalServerError && e.Layer != LayerResponse:
			level = slog.LevelError
		}
		ctx := context.Background()
		if !handler.Enabled(ctx, level) {
			return
		}
		record := slog.NewRecord(e.Time, level, "decision", 0)
		record.AddAttrs(e.LogValue().Group()...)
		_ = handler.Handle(ctx, record) // a handler tells of its failures itself, as with every logger
	}
}
