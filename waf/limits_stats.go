package waf

// Stats says what the requests in a [Guard] hold at one moment.
type Stats struct {
	Bodies    int   // request bodies in memory; Limits.MaxBodies bounds them
	BodyBytes int64 // room that they take, in bytes; Limits.MaxBodiesSize bounds it
	Streams   int   // open GET streams and subscriptions/listen of all callers; Limits.MaxStreams bounds those of each
}

// Stats returns what is held now. It may be called at any time, concurrently and after Close; while requests come and go the
// fields need not be of exactly the same moment.
func (g *Guard) Stats() Stats {
	s := Stats{Bodies: int(g.load.bodies.Load()), BodyBytes: g.load.bodiesSize.Load()}
	g.load.mu.Lock()
	defer g.load.mu.Unlock()
	for _, n := range g.load.streams {
		s.Streams += n
	}
	return s
}
