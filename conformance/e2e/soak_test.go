package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
	"github.com/vedette-siem/vedette/storage"
)

const (
	soakInstallers = 4                // installations at once while a soak is made ready
	soakAgain      = 20 * time.Minute // for the same log once more
)

// soak is a host with many organizations, each with modules of its own that are swapped while all of them send.
type soak struct {
	*testing.T
	s       *server
	ctx     context.Context //nolint:containedctx // of one test
	rnd     *rand.Rand
	tenants []uint32
	modules int // of each organization
	senders []*soakSender

	mu    sync.Mutex
	marks map[string]string // of the versions, by digest
	next  map[soakSlot]int  // next version
	off   map[soakSlot]bool

	swaps []soakSwap
}

// soakSlot is a module of an organization.
type soakSlot struct {
	tenant uint32
	module int
}

// soakSwap is one change of what an organization runs.
type soakSwap struct {
	tenant   uint32
	what     string
	from, to time.Time // asked for, in force
}

// TestSoak swaps modules of many organizations under load, one after the other: versions are installed, rolled back,
// switched off and on. Nothing is lost or doubled, every row was read by exactly the version that the control records
// before it name, and rows and incidents are those of an uninterrupted run over the same log.
//
// make soak does it at length: 100 organizations of 20 modules each, a swap every second for ten minutes.
func TestSoak(t *testing.T) {
	seed := setting("VEDETTE_SEED", int(time.Now().UnixNano()%1_000_000))
	organizations, modules := setting("VEDETTE_SOAK_ORGANIZATIONS", 10), setting("VEDETTE_SOAK_MODULES", 5)
	length, every := time.Duration(setting("VEDETTE_SOAK_SECONDS", 6))*time.Second, time.Duration(setting("VEDETTE_SOAK_SWAP_MS", 150))*time.Millisecond
	t.Logf("%d organizations of %d modules, %v, a swap every %v, load %s; VEDETTE_SEED=%d repeats the run's choices", organizations, modules, length, every, load(), seed)
	k := newSoak(t, uint64(seed), organizations, modules)
	k.start()
	const rounds = 3 // without swaps, then with them
	watch := k.s.watchProbes(k.ctx)
	stop := k.send(watch)
	var quiet []soakSwap
	for range rounds {
		quiet = append(quiet, k.pause(length/4/rounds))
		k.swapFor(length/rounds, every)
	}
	stop()
	samples, missing := watch.close(t, time.Minute)
	k.s.drain(k.ctx)
	k.latency(samples, missing, quiet)
	t.Logf("resident: %d MB, at most %d MB", k.s.memory("VmRSS")>>20, k.s.memory("VmHWM")>>20)
	k.s.stop()
	k.check(k.again())
}

func newSoak(t *testing.T, seed uint64, organizations, modules int) *soak {
	var config strings.Builder
	config.WriteString("no_syslog: true\nqueue: {keep_all: true}\norganizations:\n")
	for i := range organizations {
		fmt.Fprintf(&config, "  - {slug: org-%d, name: Organization %d}\n", i, i)
	}
	return &soak{
		T: t, s: newServer(t, config.String()), ctx: t.Context(), rnd: rand.New(rand.NewPCG(seed, 1)), modules: modules,
		marks: map[string]string{}, next: map[soakSlot]int{}, off: map[soakSlot]bool{},
	}
}

// start starts the host and installs everything.
func (k *soak) start() {
	k.Helper()
	k.s.start()
	k.s.signIn(k.ctx)
	k.s.install(k.ctx, rulePackage(k, "probe", soakProbe))
	all, err := k.s.tenants().ListTenants(k.ctx, connect.NewRequest(&v1.ListTenantsRequest{}))
	if err != nil {
		k.Fatal(err)
	}
	began := time.Now()
	var work errgroup.Group
	work.SetLimit(soakInstallers)
	for _, o := range all.Msg.Tenants {
		k.tenants = append(k.tenants, o.Id)
		w := &soakSender{tenant: o.Id, token: k.s.ingestToken(k.ctx, o.Id, "soak"), rnd: rand.New(rand.NewPCG(k.rnd.Uint64(), 1)), answers: map[int]bool{}}
		for i := range k.modules {
			if i%len(soakKinds) < 2 {
				w.parsers = append(w.parsers, i)
			}
		}
		k.senders = append(k.senders, w)
		work.Go(func() error {
			for i := range k.modules {
				if err := k.installNext(soakSlot{o.Id, i}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := work.Wait(); err != nil {
		k.Fatal(err)
	}
	k.Logf("%d modules installed in %v", len(k.tenants)*k.modules, time.Since(began).Round(time.Millisecond))
}

// installNext installs the next version of a module.
func (k *soak) installNext(slot soakSlot) error {
	k.mu.Lock()
	version := k.next[slot] + 1
	k.next[slot] = version
	k.mu.Unlock()
	done, err := k.s.modules().InstallModule(k.ctx, connect.NewRequest(&v1.InstallModuleRequest{Tenant: slot.tenant, Package: soakPackage(k, slot.module, version)}))
	if err != nil {
		return fmt.Errorf("install version %d of %s for organization %d: %w", version, soakName(slot.module), slot.tenant, err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.marks[done.Msg.Module.Digest] = soakMark(version)
	k.off[slot] = false
	return nil
}

// send starts the load; stop ends it and waits.
func (k *soak) send(watch *probeWatch) (stop func()) {
	ctx, cancel := context.WithCancel(k.ctx)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: len(k.senders)}, Timeout: 30 * time.Second}
	var all sync.WaitGroup
	for i, w := range k.senders {
		all.Go(func() { w.send(ctx, k.s, client, time.Duration(i)*soakEvery/time.Duration(len(k.senders)), watch) })
	}
	return func() {
		cancel()
		all.Wait()
		client.CloseIdleConnections()
	}
}

// pause lets time pass without a swap.
func (k *soak) pause(d time.Duration) soakSwap {
	from := time.Now()
	wait(k.ctx, d)
	return soakSwap{from: from, to: time.Now()}
}

// swapFor swaps one module after the other.
func (k *soak) swapFor(d, every time.Duration) {
	k.Helper()
	start := time.Now()
	for n := 0; ; n++ {
		due := start.Add(time.Duration(n) * every)
		if due.Sub(start) >= d || !wait(k.ctx, time.Until(due)) {
			return
		}
		// Module 0 reads the lines that are timed and stays as it is. The first of each kind are swapped again and again, so
		// that there are versions to go back to.
		k.swap(soakSlot{k.tenants[k.rnd.IntN(len(k.tenants))], 1 + k.rnd.IntN(min(k.modules-1, len(soakKinds)))})
	}
}

// swap changes one module, in one of the ways in which it can be.
func (k *soak) swap(slot soakSlot) {
	k.Helper()
	done := soakSwap{tenant: slot.tenant, from: time.Now()}
	name := soakPublisher + "/" + soakName(slot.module)
	enabled := func(on bool) error {
		k.off[slot] = !on
		_, err := k.s.modules().SetModuleEnabled(k.ctx, connect.NewRequest(&v1.SetModuleEnabledRequest{Name: name, Tenant: slot.tenant, Enabled: on}))
		return err
	}
	var err error
	switch roll := k.rnd.IntN(100); {
	case k.off[slot] && roll < 60:
		done.what, err = "enable", enabled(true)
	case !k.off[slot] && roll < 20:
		done.what, err = "disable", enabled(false)
	case !k.off[slot] && roll < 50 && k.next[slot] > 1:
		done.what = "rollback"
		_, err = k.s.modules().RollbackModule(k.ctx, connect.NewRequest(&v1.RollbackModuleRequest{Name: name, Tenant: slot.tenant}))
		if connect.CodeOf(err) == connect.CodeNotFound { // it has had one version only
			done.what, err = "rollback refused", nil
		}
	default:
		done.what, err = "install", k.installNext(slot)
	}
	if err != nil {
		k.Fatalf("%s %s of organization %d: %v", done.what, name, slot.tenant, err)
	}
	done.to = time.Now()
	k.swaps = append(k.swaps, done)
}

// latency compares how long lines took with and without swaps: of the organizations that were not swapped just then.
func (k *soak) latency(samples []probeSample, missing int, quiet []soakSwap) {
	k.Helper()
	var still, moving []time.Duration
	for _, x := range samples {
		within := func(s soakSwap) bool { return !x.due.Before(s.from) && x.due.Before(s.to) }
		own := func(s soakSwap) bool { // its own version may wait for its compiler
			return s.tenant == x.tenant && x.due.Add(x.took).After(s.from) && x.due.Before(s.to)
		}
		switch {
		case slices.ContainsFunc(quiet, within):
			still = append(still, x.took)
		case x.due.After(quiet[0].from) && !slices.ContainsFunc(k.swaps, own):
			moving = append(moving, x.took)
		}
	}
	kinds, took := map[string]int{}, []time.Duration{}
	for _, s := range k.swaps {
		kinds[s.what]++
		took = append(took, s.to.Sub(s.from))
	}
	refused := 0
	for _, w := range k.senders {
		refused += w.refused
	}
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f ms", d.Seconds()*1e3) }
	k.Logf("%d swaps %v, each in force after %s in the median, %s in 99 of 100", len(k.swaps), kinds, ms(quantile(took, 0.5)), ms(quantile(took, 0.99)))
	before, after := quantile(still, 0.99), quantile(moving, 0.99)
	rise := 100 * (after.Seconds()/before.Seconds() - 1)
	k.Logf("due to websocket: median %s without swaps, %s with them; p99 %s of %d without, %s of %d with: %+.0f %% (load %s)",
		ms(quantile(still, 0.5)), ms(quantile(moving, 0.5)), ms(before), len(still), ms(after), len(moving), rise, load())
	if missing > 0 {
		k.Errorf("%d timed lines were not seen", missing)
	}
	if refused > 0 {
		k.Logf("%d requests were refused: the machine did not keep up", refused)
	}
	if (rise > 10 || refused > 0) && os.Getenv(strictEnv) != "" {
		k.Errorf("p99 of organizations that do not swap: %+.0f %%, at most +10 %% are allowed; %d requests were refused, none may be", rise, refused)
	}
}

// quantile returns the value below which the share q of the values lies (nearest rank), 0 of none.
func quantile(values []time.Duration, q float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// memory returns a line of /proc/PID/status of the running host in bytes: VmRSS is resident now, VmHWM was at most.
func (s *server) memory(line string) int64 {
	s.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0 // a system that does not tell
	}
	for l := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(l, line+":"); ok {
			kib, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10
		}
	}
	return 0
}

// again runs the same log once more, without interruption, on a host that knows nothing else.
func (k *soak) again() (dir string) {
	k.Helper()
	again := newServer(k, "no_syslog: true\nqueue: {keep_all: true}\n")
	for _, part := range []string{"queue", "modules", "cache"} {
		copyDir(k.T, filepath.Join(k.s.dir, part), filepath.Join(again.dir, part))
	}
	config, err := os.ReadFile(k.s.config)
	if err == nil {
		config = []byte(strings.NewReplacer(k.s.dir, again.dir, k.s.url[len("http://"):], again.url[len("http://"):]).Replace(string(config)))
		err = os.WriteFile(again.config, config, 0o600)
	}
	if err != nil {
		k.Fatal(err)
	}
	began := time.Now()
	again.patience = soakAgain
	again.start()
	again.signIn(k.ctx)
	again.drain(k.ctx)
	again.stop()
	k.Logf("the same log again in %v", time.Since(began).Round(time.Millisecond))
	return again.dir
}

// check compares what was stored with what the log says and with what the other run stored.
func (k *soak) check(again string) {
	k.Helper()
	log := readLog(k, again, k.marks)
	first, second := openStore(k, k.s.dir), openStore(k, again)
	tally := soakTally{versions: map[string]bool{}}
	for _, w := range k.senders {
		t := storage.Tenant(w.tenant)
		tally.compare(t, log.records[t], first.of(t))
		if d := cmp.Diff(second.of(t), first.of(t), cmp.AllowUnexported(soakRecord{})); d != "" {
			k.Errorf("organization %d: rows differ from those of an uninterrupted run (-want +got):\n%s", t, short(d))
		}
		tally.ledger(w.answers, log.records[t])
	}
	k.Logf("%d records acknowledged, %d in the log under %d control records: %d lost, %d under another version than the log says, %d stored that the log has not; %d versions have read some, %d were read by none of ours",
		tally.acknowledged, tally.logged, log.controls, tally.lost, tally.wrong, tally.unknown, len(tally.versions), tally.unread)
	if tally.lost+tally.wrong+tally.unknown > 0 || tally.acknowledged == 0 {
		k.Errorf("of %d records %d were lost, %d have the wrong version, %d are unknown: %s", tally.acknowledged, tally.lost, tally.wrong, tally.unknown, tally.example)
	}
	if parsers := len(k.senders) * len(k.senders[0].parsers); len(tally.versions) <= parsers || tally.unread == 0 {
		k.Errorf("%d versions read records and %d records were read by none: the swaps show nothing", len(tally.versions), tally.unread)
	}
	tenants := make([]storage.Tenant, len(k.tenants))
	for i, t := range k.tenants {
		tenants[i] = storage.Tenant(t)
	}
	want, got := readIncidents(k.T, again, tenants...), readIncidents(k.T, k.s.dir, tenants...)
	if d := cmp.Diff(want, got); d != "" {
		k.Errorf("incidents differ from those of an uninterrupted run (-want +got):\n%s", short(d))
	}
	kinds := map[string]int{}
	for _, i := range got {
		kinds[i.Incident.Rule[:min(len(i.Incident.Rule), len("soak-x"))]]++
	}
	k.Logf("%d incidents equal to the uninterrupted run's, by kind of rule: %v", len(got), kinds)
	if kinds["soak-d"] == 0 || kinds["soak-r"] == 0 && k.modules > 3 {
		k.Errorf("incidents by kind of rule are %v: the run shows nothing", kinds)
	}
}

// soakTally counts what is wrong.
type soakTally struct {
	acknowledged, logged, lost, wrong, unknown, unread int
	versions                                           map[string]bool
	example                                            string
}

// compare looks at the rows of an organization.
func (y *soakTally) compare(t storage.Tenant, log, rows map[storage.EventID]soakRecord) {
	y.logged += len(log)
	for id, want := range log {
		got, there := rows[id]
		switch {
		case !there:
			y.lost++
		case got != want:
			y.wrong++
			y.example = fmt.Sprintf("%s is %+v, the log says %+v", id, got, want)
		case got.mark == "":
			y.unread++
		default:
			y.versions[fmt.Sprintf("%d %s %s", t, got.parser, got.mark)] = true
		}
	}
	for id := range rows {
		if _, there := log[id]; !there {
			y.unknown++
		}
	}
}

// ledger looks for what was acknowledged, by the numbers inside the records.
func (y *soakTally) ledger(answers map[int]bool, log map[storage.EventID]soakRecord) {
	times := map[int]int{}
	for _, r := range log {
		times[r.n]++
	}
	for n, acknowledged := range answers {
		if acknowledged {
			y.acknowledged++
			if times[n] == 0 {
				y.lost++
			}
		}
		if times[n] > 1 {
			y.unknown++
		}
		delete(times, n)
	}
	y.unknown += len(times)
}
