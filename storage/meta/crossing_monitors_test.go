package meta

import (
	"errors"
	"maps"

	"github.com/vedette-siem/vedette/storage"
)

func init() { maps.Copy(crossings, monitorCrossings) }

// stage gives tenant a what monitors poll with.
func stage(w *world) {
	w.must(w.PutCredential(ctx, w.a, "ann", Credential{Name: "of a", Kind: "ssh-password", Login: "root"}, []byte("sealed of a")))
	w.must(w.PutDevice(ctx, w.a, "ann", Device{Name: "of a", Address: "192.0.2.1", SSH: &DeviceSSH{Credential: "of a"}}))
	w.must(w.AddConfig(ctx, w.a, ConfigVersion{Device: "of a", Name: "running", At: 1}, []byte("line of a\n")))
	w.must(w.BlessConfig(ctx, w.a, "ann", Blessing{Device: "of a", Name: "running", Text: []byte("blessed of a\n"), Reason: "as it was delivered"}))
}

// gone says that something is there, from the error of looking for it.
func gone(err error) (bool, error) {
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

var monitorCrossings = map[string]crossing{
	"PutDevice": func(w *world, t storage.Tenant) (bool, error) {
		stage(w)
		// The credential of a is none of b's.
		_, err := gone(w.PutDevice(ctx, t, "ann", Device{Name: "new", Address: "192.0.2.2", SNMP: &DeviceSNMP{Credential: "of a"}}))
		if err != nil {
			return false, err
		}
		return gone(second(w.GetDevice(ctx, w.a, "new")))
	},
	"GetDevice": func(w *world, t storage.Tenant) (bool, error) {
		stage(w)
		return gone(second(w.GetDevice(ctx, t, "of a")))
	},
	"ListDevices": func(w *world, t storage.Tenant) (bool, error) {
		stage(w)
		list, err := w.ListDevices(ctx, of(t), "", 0)
		return has(list, func(d Device) bool { return d.Tenant == w.a }), err
	},
	"RemoveDevice": func(w *world, t storage.Tenant) (bool, error) {
		stage(w)
		return gone(w.RemoveDevice(ctx, t, "ann", "of a"))
	},
	"PutCredential": func(w *world, t storage.Tenant) (bool, error) {
		stage(w)
		w.must(w.PutCredential(ctx, t, "ann", Credential{Name: "of a", Kind: "changed"}, []byte("x")))
		c, _, err := w.SealedCredential(ctx, w.a, "of a")
		return c.Kind == "changed", err
	},
	"SealedCredential": func(w *world, t storage.Tenant) (bool, error) {
		stage(w)
		_, _, err := w.SealedCredential(ctx, t, "of a")
		return gone(err)
	},
	"ListCredentials": func(w *world, t storage.Tenant) (bool, error) {
		stage(w)
		list, err := w.ListCredentials(ctx, of(t))
		return has(list, func(c Credential) bool { return c.Tenant == w.a && c.Devices == 1 }), err
	},
	"RemoveCredential": func(w *world, t storage.Tenant) (bool, error) {
		stage(w)
		w.must(w.RemoveDevice(ctx, w.a, "ann", "of a"))
		return gone(w.RemoveCredential(ctx, t, "ann", "of a"))
	},
	"DeviceChanges": func(w *world, t storage.Tenant) (bool, error) {
		stage(w)
		list, err := w.DeviceChanges(ctx, of(t), 0)
		return has(list, func(c DeviceChange) bool { return c.Tenant == w.a && c.Who == "ann" }), err
	},
	"RemovePoll": func(w *world, t storage.Tenant) (bool, error) {
		w.must(w.SavePolls(ctx, []Poll{{Tenant: w.a, Watch: "of a", Module: "m", Polls: 1}}))
		w.must(w.RemovePoll(ctx, t, "of a"))
		list, err := w.AllPolls(ctx)
		return len(list) == 0, err
	},
	"AddConfig": func(w *world, t storage.Tenant) (bool, error) {
		stage(w)
		w.must(w.AddConfig(ctx, t, ConfigVersion{Device: "of a", Name: "running", At: 2}, []byte("another line\n")))
		v, _, err := w.LatestConfig(ctx, w.a, "of a", "running")
		return v.At == 2, err
	},
	"LatestConfig": func(w *world, t storage.Tenant) (bool, error) {
		stage(w)
		_, _, err := w.LatestConfig(ctx, t, "of a", "running")
		return gone(err)
	},
	"ConfigText": func(w *world, t storage.Tenant) (bool, error) {
		stage(w)
		return gone(second(w.ConfigText(ctx, t, "of a", "running", ConfigDigest([]byte("line of a\n")))))
	},
	"ListConfigs": func(w *world, t storage.Tenant) (bool, error) {
		stage(w)
		list, err := w.ListConfigs(ctx, of(t), "of a", "", 0)
		return has(list, func(v ConfigVersion) bool { return v.Tenant == w.a }), err
	},
	"ListNewestConfigs": func(w *world, t storage.Tenant) (bool, error) {
		stage(w)
		w.must(w.AddConfig(ctx, w.a, ConfigVersion{Device: "of a", Name: "running", At: 2}, []byte("the newest line of a\n")))
		list, err := w.ListNewestConfigs(ctx, of(t), 0)
		return len(list) == 1 && list[0].Tenant == w.a && list[0].At == 2, err
	},
	"ListBlessed": func(w *world, t storage.Tenant) (bool, error) {
		stage(w)
		list, err := w.ListBlessed(ctx, of(t), "of a", "")
		return has(list, func(b Blessed) bool {
			return b.Tenant == w.a && b.Who == "ann" && b.Digest == ConfigDigest([]byte("blessed of a\n"))
		}), err
	},
	"NoteDevice": func(w *world, t storage.Tenant) (bool, error) {
		w.must(w.NoteDevice(ctx, t, "ann", "watch of a was removed"))
		list, err := w.DeviceChanges(ctx, of(w.a), 0)
		return has(list, func(c DeviceChange) bool { return c.What == "watch of a was removed" }), err
	},
	"BlessConfig": func(w *world, t storage.Tenant) (bool, error) {
		stage(w)
		return gone(w.BlessConfig(ctx, t, "ann", Blessing{Device: "of a", Name: "running", Digest: ConfigDigest([]byte("line of a\n"))}))
	},
	"BlessedConfig": func(w *world, t storage.Tenant) (bool, error) {
		stage(w)
		_, _, err := w.BlessedConfig(ctx, t, "of a", "running")
		return gone(err)
	},
}

func second[T any](_ T, err error) error { return err }
