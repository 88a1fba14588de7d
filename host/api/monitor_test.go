package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	v1 "github.com/vedette-siem/vedette/sdk/gen/vedette/v1"
)

// A device is watched through the API from the credential to the event, and no answer on the way shows the secret.
func TestWatchFromCredentialToEvent(t *testing.T) {
	const secret = "s3cret-of-the-test"
	w := newWorld(t)
	w.shipped(t)
	shop := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+secret {
			rw.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(rw, "you sent ", r.Header.Get("Authorization"))
		}
	}))
	t.Cleanup(shop.Close)
	var said []string // every answer and error
	note := func(m proto.Message, err error) error {
		if err != nil {
			said = append(said, err.Error())
			var e *connect.Error
			if errors.As(err, &e) {
				for _, d := range e.Details() {
					if v, err := d.Value(); err == nil {
						said = append(said, protojson.Format(v))
					}
				}
			}
			return err
		}
		said = append(said, protojson.Format(m))
		return nil
	}
	root, ann := w.admin.monitors(w), w.ann.monitors(w)
	device := &v1.Device{Tenant: w.alpha, Name: "shop", Address: "127.0.0.1", Private: true, Http: &v1.DeviceHttp{Url: shop.URL, Credential: "shop"}}
	watch := &v1.PutWatchRequest{Watch: &v1.Watch{Tenant: w.alpha, Id: "shop", Module: "vedette/httpcheck", IntervalMs: 1000, Settings: `{"expect_status":200}`}, Device: "shop"}
	for _, step := range []struct {
		what string
		want connect.Code // 0: it goes well
		call func(ctx context.Context) error
	}{
		{"a device with a credential that is not there", connect.CodeNotFound, func(ctx context.Context) error {
			return note(nil, failed(root.PutDevice(ctx, req(&v1.PutDeviceRequest{Device: device}))))
		}},
		{"a credential of a wrong kind", connect.CodeInvalidArgument, func(ctx context.Context) error {
			return note(nil, failed(root.PutCredential(ctx, req(&v1.PutCredentialRequest{Tenant: w.alpha, Name: "shop", Kind: "telnet", Secret: secret}))))
		}},
		{"a credential", 0, func(ctx context.Context) error {
			return failed(root.PutCredential(ctx, req(&v1.PutCredentialRequest{Tenant: w.alpha, Name: "shop", Kind: "http-bearer", Secret: secret})))
		}},
		{"a device with an international name", connect.CodeInvalidArgument, func(ctx context.Context) error {
			d := proto.CloneOf(device)
			d.Address = "bücher.example"
			return note(nil, failed(root.PutDevice(ctx, req(&v1.PutDeviceRequest{Device: d}))))
		}},
		{"a device", 0, func(ctx context.Context) error {
			r, err := root.PutDevice(ctx, req(&v1.PutDeviceRequest{Device: device}))
			if err != nil {
				return err
			}
			return note(r.Msg, nil)
		}},
		{"a watch by an analyst", connect.CodePermissionDenied, func(ctx context.Context) error {
			return note(nil, failed(ann.PutWatch(ctx, req(watch))))
		}},
		{"a watch of a module that does not run", connect.CodeNotFound, func(ctx context.Context) error {
			m := proto.CloneOf(watch)
			m.Watch.Module = "vedette/nothing"
			return note(nil, failed(root.PutWatch(ctx, req(m))))
		}},
		{"a watch with settings that the module does not have", connect.CodeInvalidArgument, func(ctx context.Context) error {
			m := proto.CloneOf(watch)
			m.Watch.Settings = `{"colour":"red"}`
			return note(nil, failed(root.PutWatch(ctx, req(m))))
		}},
		{"a watch of a device without SNMP", connect.CodeInvalidArgument, func(ctx context.Context) error {
			m := proto.CloneOf(watch)
			m.Watch.Module, m.Watch.Settings = "vedette/snmpsystem", ""
			return note(nil, failed(root.PutWatch(ctx, req(m))))
		}},
		{"a watch whose trial fails", connect.CodeFailedPrecondition, func(ctx context.Context) error {
			m := proto.CloneOf(watch)
			m.Watch.Module, m.Watch.Settings, m.Watch.Id = "vedette/ping", `{"count":1}`, "nowhere"
			m.Device = "nowhere"
			if err := failed(root.PutDevice(ctx, req(&v1.PutDeviceRequest{Device: &v1.Device{Tenant: w.alpha, Name: "nowhere", Address: "127.0.0.1"}}))); err != nil {
				return err
			}
			return note(nil, failed(root.PutWatch(ctx, req(m)))) // loopback without the grant
		}},
		{"a watch", 0, func(ctx context.Context) error {
			r, err := root.PutWatch(ctx, req(watch))
			if err != nil {
				return err
			}
			if !r.Msg.Trial.Ok || len(r.Msg.Trial.Records) != 1 || !strings.Contains(string(r.Msg.Trial.Records[0]), `"status_code":200`) {
				t.Errorf("the trial: %v", r.Msg.Trial)
			}
			return note(r.Msg, nil)
		}},
		{"removing the device that is watched", connect.CodeAborted, func(ctx context.Context) error {
			return note(nil, failed(root.RemoveDevice(ctx, req(&v1.RemoveDeviceRequest{Tenant: w.alpha, Name: "shop"}))))
		}},
		{"removing the credential that is used", connect.CodeAborted, func(ctx context.Context) error {
			return note(nil, failed(root.RemoveCredential(ctx, req(&v1.RemoveCredentialRequest{Tenant: w.alpha, Name: "shop"}))))
		}},
		{"another interval by an analyst", 0, func(ctx context.Context) error {
			m := proto.CloneOf(watch)
			m.Watch.IntervalMs = 2000
			r, err := ann.PutWatch(ctx, req(m))
			if err == nil && (r.Msg.Watch.IntervalMs != 2000 || r.Msg.Watch.SetBy != "ann") {
				t.Errorf("got %v", r.Msg.Watch)
			}
			return err
		}},
		{"another port by an analyst", connect.CodePermissionDenied, func(ctx context.Context) error {
			m := proto.CloneOf(watch)
			m.Watch.Targets = []*v1.WatchTarget{{Name: "target", Device: "shop", Ports: []uint32{22}}}
			return note(nil, failed(ann.PutWatch(ctx, req(m))))
		}},
	} {
		err := step.call(t.Context())
		if got := connect.CodeOf(err); step.want == 0 && err != nil || step.want != 0 && got != step.want {
			t.Errorf("%s: %v", step.what, err)
		}
	}
	eventually(t, "event of the watch", func() bool {
		stream, err := w.ann.events.Search(t.Context(), req(&v1.SearchRequest{Query: &v1.Query{Text: `event.dataset:"vedette.httpcheck" service.name:"shop"`}}))
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Close()
		n := 0
		for stream.Receive() {
			n += len(stream.Msg().Events)
			said = append(said, protojson.Format(stream.Msg()))
		}
		return n > 0
	})
	for _, list := range []func(ctx context.Context) (proto.Message, error){
		func(ctx context.Context) (proto.Message, error) {
			return message(root.ListWatches(ctx, req(&v1.ListWatchesRequest{Device: "shop"})))
		},
		func(ctx context.Context) (proto.Message, error) {
			return message(root.ListDevices(ctx, req(&v1.ListDevicesRequest{})))
		},
		func(ctx context.Context) (proto.Message, error) {
			return message(root.ListCredentials(ctx, req(&v1.ListCredentialsRequest{})))
		},
		func(ctx context.Context) (proto.Message, error) {
			return message(root.ListDeviceChanges(ctx, req(&v1.ListDeviceChangesRequest{})))
		},
	} {
		m, err := list(t.Context())
		if err := note(m, err); err != nil {
			t.Error(err)
		}
	}
	all := strings.Join(said, "\n")
	if strings.Contains(all, secret) {
		t.Errorf("the secret is in an answer: %s", all)
	}
	for _, want := range []string{`"polls":`, "credential shop was set: http-bearer", "device shop was set", `"setBy":`} {
		if !strings.Contains(strings.ReplaceAll(all, `":  `, `": `), strings.ReplaceAll(want, `":  `, `": `)) {
			t.Errorf("no answer has %s", want)
		}
	}
}

func failed[T any](_ *connect.Response[T], err error) error { return err }

func message[T any, P interface {
	*T
	proto.Message
}](r *connect.Response[T], err error) (proto.Message, error) {
	if err != nil {
		return nil, err
	}
	return P(r.Msg), nil
}
