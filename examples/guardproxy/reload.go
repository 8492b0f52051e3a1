package main

import (
	"context"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

// reloadEvery is how often the policy and rule files are looked at.
const reloadEvery = time.Second

// watch reloads on SIGHUP and when a file changed, until ctx ends. A file that is wrong changes nothing, and the log says why.
func (p *program) watch(ctx context.Context) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	tick := time.NewTicker(reloadEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			p.seen = stamps(p.policy.files())
			p.reload()
		case <-tick.C:
			if now := stamps(p.policy.files()); !slices.Equal(now, p.seen) {
				p.seen = now
				p.reload()
			}
		}
	}
}

// reload reads the files again, unless there are none, and counts how that went.
func (p *program) reload() {
	if len(p.policy.files()) == 0 {
		p.log.line("not reloaded: " + errNothingToReload.Error())
		return
	}
	err := p.replacePolicy()
	p.metrics.reloaded(err == nil)
	if err != nil {
		p.log.line("not reloaded, the old policy stays: " + err.Error())
		return
	}
	p.log.line("policy reloaded")
}

// replacePolicy reads the files again and swaps the Guard's configuration as a whole, or leaves it as it is.
func (p *program) replacePolicy() error {
	cfg, err := p.policy.config()
	if err != nil {
		return err
	}
	if err := p.guard.Reload(cfg); err != nil {
		_ = closeRules(cfg.Rules) // never used
		return err
	}
	old := p.rules
	p.rules = cfg.Rules
	if err := closeRules(old); err != nil {
		p.log.line("closing the old rules: " + err.Error())
	}
	return nil
}

// stamp tells one state of a file from another. The zero stamp is a file that cannot be seen.
type stamp struct {
	modified int64 // nanoseconds
	size     int64
}

func stamps(files []string) []stamp {
	list := make([]stamp, len(files))
	for i, file := range files {
		if info, err := os.Stat(file); err == nil {
			list[i] = stamp{info.ModTime().UnixNano(), info.Size()}
		}
	}
	return list
}
