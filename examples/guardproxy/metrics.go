package main

import (
	"cmp"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/sallyport/sallyport/waf"
)

// metrics counts what the Guard decides. Every label comes from a closed set, or from the policy file: a client can't make
// time series.
type metrics struct {
	registry  *prometheus.Registry
	decisions *prometheus.CounterVec
	steps     *prometheus.HistogramVec
	reloads   *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sallyport_decisions_total",
			Help: "Decisions. Findings of a layer that only detects, and messages on which dry_run disagrees, count beside the outcome.",
		}, []string{"action", "layer", "code", "endpoint"}),
		steps: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "sallyport_step_seconds",
			Help:    "Time that judging a request took: all of it without reading the body, reading, and each layer that it reached.",
			Buckets: prometheus.ExponentialBuckets(1e-6, 4, 12), // 1 µs to 4.2 s
		}, []string{"step"}),
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sallyport_reloads_total",
			Help: "Times that the policy and rule files were read again.",
		}, []string{"result"}),
	}
	m.registry.MustRegister(m.decisions, m.steps, m.reloads,
		collectors.NewBuildInfoCollector(), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.reloads.WithLabelValues("ok")
	m.reloads.WithLabelValues("failed")
	return m
}

// watch adds gauges of what the requests in guard hold. It is called once.
func (m *metrics) watch(guard *waf.Guard) {
	for _, gauge := range [...]struct {
		name, help string
		value      func(waf.Stats) float64
	}{
		{"sallyport_bodies", "Request bodies in memory.", func(s waf.Stats) float64 { return float64(s.Bodies) }},
		{"sallyport_body_bytes", "Room that they take, in bytes.", func(s waf.Stats) float64 { return float64(s.BodyBytes) }},
		{"sallyport_streams", "Open GET streams and subscriptions/listen.", func(s waf.Stats) float64 { return float64(s.Streams) }},
	} {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: gauge.name, Help: gauge.help},
			func() float64 { return gauge.value(guard.Stats()) }))
	}
}

// observe counts one event.
func (m *metrics) observe(e waf.Event) {
	m.decisions.WithLabelValues(e.Action.String(), e.Layer.String(), cmp.Or(e.Code, "none"), cmp.Or(e.Endpoint, "none")).Inc()
	if e.Action != waf.ActionAllow && e.Action != waf.ActionDeny || e.Layer == waf.LayerResponse {
		return // the request's own event has its durations
	}
	m.steps.WithLabelValues("total").Observe(e.Total.Seconds())
	if e.ReadBody > 0 {
		m.steps.WithLabelValues("read_body").Observe(e.ReadBody.Seconds())
	}
	for layer := waf.LayerValidate; layer < waf.LayerResponse; layer++ {
		if took := e.Took(layer); took > 0 && layer != waf.LayerBody { // that is reading
			m.steps.WithLabelValues(layer.String()).Observe(took.Seconds())
		}
	}
}

// reloaded counts one reload. A nil metrics counts nothing.
func (m *metrics) reloaded(ok bool) {
	if m == nil {
		return
	}
	result := "failed"
	if ok {
		result = "ok"
	}
	m.reloads.WithLabelValues(result).Inc()
}
