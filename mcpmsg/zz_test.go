package mcpmsg

import "testing"

func BenchmarkParts(b *testing.B) {
	v, _ := New(Config{})
	msg := []byte(`{"jsonrpc":"2.0","id":1234,"method":"ping"}`)
	ctx := Context{Version: V20251125, Direction: FromClient}
	b.Run("check", func(b *testing.B) { for b.Loop() { v.Check(msg, ctx) } })
	b.Run("pool", func(b *testing.B) { for b.Loop() { c := v.pool.Get().(*check); v.pool.Put(c) } })
	c := v.pool.Get().(*check)
	c.b, c.ctx = msg, ctx
	c.version = ctx.Version
	b.Run("run", func(b *testing.B) { for b.Loop() { c.run() } })
	b.Run("one", func(b *testing.B) { for b.Loop() { c.one(0, 0) } })
	b.Run("begin", func(b *testing.B) { for b.Loop() { c.begin(0) } })
	b.Run("walk", func(b *testing.B) { for b.Loop() { c.walk.Walk(msg, 0, c.v.edges[0], 0) } })
	var m Message
	b.Run("fill", func(b *testing.B) { for b.Loop() { c.fill(&m) } })
	b.Run("shape", func(b *testing.B) { for b.Loop() { c.shape() } })
	b.Run("leaveMethod", func(b *testing.B) { for b.Loop() { c.leaveMethod(36,42) } })
	b.Run("lookUp", func(b *testing.B) { for b.Loop() { lookUp(msg[36:42]) } })
	b.Run("walkfree", func(b *testing.B) { for b.Loop() { c.walk.Walk(msg, 0, c.v.free, 0) } })
	pong := []byte(`{"jsonrpc":"2.0"}`)
	b.Run("walkone", func(b *testing.B) { for b.Loop() { c.walk.Walk(pong, 0, c.v.edges[0], 0) } })
	pang := []byte(`{"jsonrpc":"2.0","id":1234}`)
	b.Run("walktwo", func(b *testing.B) { for b.Loop() { c.walk.Walk(pang, 0, c.v.edges[0], 0) } })
	pung := []byte(`{}`)
	b.Run("walknone", func(b *testing.B) { for b.Loop() { c.walk.Walk(pung, 0, c.v.free, 0) } })
}
