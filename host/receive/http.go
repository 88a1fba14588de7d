package receive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/vedette-siem/vedette/storage"
)

// refusal is the answer to a request of which nothing was taken.
type refusal struct {
	status int
	why    Reason
	text   string
	tenant storage.Tenant // whose request it was, when that is known
}

func (e *refusal) Error() string { return e.text }

func refuse(status int, why Reason, format string, args ...any) *refusal {
	return &refusal{status: status, why: why, text: fmt.Sprintf(format, args...)}
}

// ingest answers POST /v1/ingest: the body's lines (text/plain, application/x-ndjson) or JSON objects
// (application/json), plain or compressed with gzip or zstd, become records of the token's organization.
//
//	200 {"accepted":N}                      every record is safe from a kill
//	400 {"error":"...","reason":"bad_json"}  and 401, 405, 408, 413, 415, 429, 500, 503: nothing is acknowledged
//
// A request of which all records fit into one frame of the queue (512 KiB) is stored whole or not at all. Of a larger
// one some frames may have been stored before the one that failed, so a sender that repeats it may store those twice.
// Records over the limit are kept cut; the answer then has "truncated". Lines of JSON lines that are no object are kept
// as they are; the answer then has "malformed".
func (r *Receiver) ingest(w http.ResponseWriter, req *http.Request) {
	answer, err := r.take(w, req)
	if err == nil {
		writeJSON(w, http.StatusOK, answer)
		return
	}
	r.refuse(r.web, err.tenant, peerOfRequest(req), err.why)
	switch err.status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="vedette"`)
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", http.MethodPost)
	case http.StatusUnsupportedMediaType:
		w.Header().Set("Accept-Encoding", "gzip, zstd")
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "1")
	}
	writeJSON(w, err.status, struct {
		Error  string `json:"error"`
		Reason string `json:"reason"`
	}{err.text, err.why.String()})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil { // of types of this file: cannot be
		status, b = http.StatusInternalServerError, nil
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // a sender that is gone cannot be told
}

type accepted struct {
	Accepted  int `json:"accepted"`
	Truncated int `json:"truncated,omitempty"`
	Malformed int `json:"malformed,omitempty"`
}

func (r *Receiver) take(w http.ResponseWriter, req *http.Request) (accepted, *refusal) {
	if req.Method != http.MethodPost {
		return accepted{}, refuse(http.StatusMethodNotAllowed, BadMethod, "method %s, want POST", req.Method)
	}
	tenant, no := r.authenticate(req)
	if no != nil {
		return accepted{}, no
	}
	out, no := r.takeFor(w, req, tenant)
	if no != nil {
		no.tenant = tenant
	}
	return out, no
}

func (r *Receiver) takeFor(w http.ResponseWriter, req *http.Request, tenant storage.Tenant) (accepted, *refusal) {
	kind, no := contentType(req)
	if no != nil {
		return accepted{}, no
	}
	release, no := r.slot(req.Context())
	if no != nil {
		return accepted{}, no
	}
	defer release()
	b := bodies.Get().(*body)
	defer b.free()
	out, no := r.records(w, req, b, kind)
	if no != nil || len(b.recs) == 0 {
		return accepted{}, no
	}
	return out, r.put(req, tenant, b.recs)
}

// records reads a body and splits it into b.recs.
func (r *Receiver) records(w http.ResponseWriter, req *http.Request, b *body, kind bodyKind) (accepted, *refusal) {
	defer r.cfg.Meter()()
	if no := r.readBody(w, req, b); no != nil {
		return accepted{}, no
	}
	if no := r.splitBody(b, kind); no != nil {
		return accepted{}, no
	}
	return r.finishRecords(b.recs, kind), nil
}

func (r *Receiver) authenticate(req *http.Request) (storage.Tenant, *refusal) {
	scheme, token, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > MaxTokenBytes {
		return 0, refuse(http.StatusUnauthorized, Unauthenticated, "want the header Authorization: Bearer TOKEN")
	}
	t, err := r.auth.Resolve(req.Context(), token)
	switch {
	case err == nil && t != storage.NoTenant:
		return t, nil
	case err == nil || errors.Is(err, storage.ErrUnauthorized) || errors.Is(err, storage.ErrNotFound):
		no := refuse(http.StatusUnauthorized, Unauthenticated, "unknown token") // also of a revoked one: who holds it learns nothing
		no.tenant = t
		return 0, no
	}
	return 0, refuse(http.StatusServiceUnavailable, Failed, "the token cannot be checked now")
}

type bodyKind uint8

const (
	textLines bodyKind = iota
	jsonLines
	jsonObjects
)

func contentType(req *http.Request) (bodyKind, *refusal) {
	h := req.Header.Get("Content-Type")
	media, _, err := mime.ParseMediaType(h)
	if h == "" {
		media, err = "text/plain", nil
	}
	if err == nil {
		switch media {
		case "text/plain", "application/octet-stream", "application/x-www-form-urlencoded": // the last is what curl -d says
			return textLines, nil
		case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines":
			return jsonLines, nil
		case "application/json":
			return jsonObjects, nil
		}
	}
	return 0, refuse(http.StatusUnsupportedMediaType, UnsupportedType,
		"Content-Type %.80q, want text/plain, application/x-ndjson or application/json", h)
}

// slot waits for one of the places that bound the memory of bodies.
func (r *Receiver) slot(ctx context.Context) (release func(), no *refusal) {
	wait := time.NewTimer(requestSlotWait)
	defer wait.Stop()
	select {
	case r.slots <- struct{}{}:
		return func() { <-r.slots }, nil
	case <-wait.C:
	case <-ctx.Done():
	}
	return nil, refuse(http.StatusTooManyRequests, Busy, "%d requests are being read, try again", cap(r.slots))
}

// body is the memory of one request, used again for others.
type body struct {
	buf  bytes.Buffer
	recs []Record
	gz   *gzip.Reader
	zst  *zstd.Decoder
}

var bodies = sync.Pool{New: func() any { return new(body) }}

func (b *body) free() {
	clear(b.recs)
	b.recs = b.recs[:0]
	if b.buf.Cap() > maxIdleBufferBytes {
		b.buf = bytes.Buffer{}
	}
	if cap(b.recs) > maxIdleBufferBytes/64 {
		b.recs = nil
	}
	if b.zst != nil {
		_ = b.zst.Reset(nil) // lets go of the request's body
	}
	bodies.Put(b)
}

// readBody reads and decompresses the whole body: nothing is taken before its end is known.
func (r *Receiver) readBody(w http.ResponseWriter, req *http.Request, b *body) *refusal {
	// Not every ResponseWriter has deadlines; the server's own timeouts hold then.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(r.cfg.BodyTimeout))
	wire := &source{r: http.MaxBytesReader(w, req.Body, r.cfg.MaxBodyBytes)}
	encoding, no := contentEncoding(req)
	if no != nil {
		return no
	}
	plain, err := b.decoder(encoding, wire)
	if err != nil {
		return r.bodyRefusal(0, err, wire.err)
	}
	b.buf.Reset()
	n, err := b.buf.ReadFrom(io.LimitReader(plain, r.cfg.MaxDecodedBytes+1))
	return r.bodyRefusal(n, err, wire.err)
}

// bodyRefusal tells a fault of the transport from one of the compressed data.
func (r *Receiver) bodyRefusal(n int64, err, wireErr error) *refusal {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(wireErr, &tooLarge):
		return refuse(http.StatusRequestEntityTooLarge, BodyTooLarge, "the body is longer than %d bytes", r.cfg.MaxBodyBytes)
	case n > r.cfg.MaxDecodedBytes, errors.Is(err, zstd.ErrDecoderSizeExceeded), errors.Is(err, zstd.ErrWindowSizeExceeded):
		return refuse(http.StatusRequestEntityTooLarge, BodyTooLarge, "the decompressed body is longer than %d bytes", r.cfg.MaxDecodedBytes)
	case wireErr != nil:
		return refuse(http.StatusRequestTimeout, Incomplete, "the body did not arrive whole")
	case err != nil:
		return refuse(http.StatusBadRequest, BadEncoding, "the body does not decompress: %v", err)
	}
	return nil
}

// source remembers the transport's own error, which decompressors may hide.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// contentEncoding returns how the body is compressed: "", "gzip" or "zstd".
func contentEncoding(req *http.Request) (string, *refusal) {
	switch name := strings.ToLower(strings.Join(req.Header.Values("Content-Encoding"), ",")); name {
	case "", "identity":
		return "", nil
	case "gzip", "x-gzip":
		return "gzip", nil
	case "zstd":
		return name, nil
	default:
		return "", refuse(http.StatusUnsupportedMediaType, UnsupportedEncoding, "Content-Encoding %.80q, want gzip or zstd", name)
	}
}

// decoder returns the reader of the plain body; an error is one of the compressed data's head.
func (b *body) decoder(encoding string, wire io.Reader) (io.Reader, error) {
	var err error
	switch {
	case encoding == "gzip" && b.gz == nil:
		b.gz, err = gzip.NewReader(wire)
		return b.gz, err
	case encoding == "gzip":
		return b.gz, b.gz.Reset(wire)
	case encoding == "zstd":
		if b.zst == nil {
			if b.zst, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindowBytes)); err != nil {
				return nil, err
			}
		}
		return b.zst, b.zst.Reset(wire)
	}
	return wire, nil
}

func (r *Receiver) splitBody(b *body, kind bodyKind) *refusal {
	var err error
	if kind == jsonObjects {
		b.recs, err = splitJSON(b.recs[:0], b.buf.Bytes(), MaxRequestRecords)
	} else {
		b.recs, err = splitLines(b.recs[:0], b.buf.Bytes(), MaxRequestRecords)
	}
	switch {
	case errors.Is(err, errTooMany):
		return refuse(http.StatusRequestEntityTooLarge, TooManyRecords, "more than %d records in one request", MaxRequestRecords)
	case err != nil:
		return refuse(http.StatusBadRequest, BadJSON, "%v", err)
	}
	return nil
}

// finishRecords stamps, cuts and flags.
func (r *Receiver) finishRecords(recs []Record, kind bodyKind) accepted {
	now := r.cfg.Now().UnixNano()
	out := accepted{Accepted: len(recs)}
	for i := range recs {
		rec := &recs[i]
		rec.Received = now
		if kind == jsonLines && !looksLikeObject(rec.Bytes) {
			rec.Flags |= FlagBadFraming
			out.Malformed++
		}
		if len(rec.Bytes) > r.cfg.MaxRecordBytes {
			rec.Bytes = rec.Bytes[:r.cfg.MaxRecordBytes]
			rec.Flags |= FlagTruncated
			out.Truncated++
		}
	}
	return out
}

func (r *Receiver) put(req *http.Request, t storage.Tenant, recs []Record) *refusal {
	peer := peerOfRequest(req)
	src := Source{Listener: r.web.id, Peer: r.sources.name(t, r.web.id, peer)}
	ctx, cancel := context.WithTimeout(req.Context(), r.cfg.PutTimeout)
	defer cancel()
	err := r.sink.Put(ctx, t, src, recs)
	switch {
	case err == nil:
		r.count(t, peer, recs)
		return nil
	case errors.Is(err, storage.ErrExhausted):
		return refuse(http.StatusRequestEntityTooLarge, BodyTooLarge, "the request is too large for the queue")
	case errors.Is(err, storage.ErrUnavailable), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return refuse(http.StatusServiceUnavailable, QueueFull, "the queue took nothing for certain, try again")
	}
	return refuse(http.StatusInternalServerError, Failed, "%s records could not be written", strconv.Itoa(len(recs)))
}

func peerOfRequest(req *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(req.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

// count counts a request that was taken; what was refused counts by its reason alone.
func (r *Receiver) count(t storage.Tenant, peer netip.Addr, recs []Record) {
	r.web.count.took(recs)
	r.sources.saw(t, r.web.id, peer, len(recs), recs[0].Received)
	for i := range recs {
		if recs[i].Flags&FlagTruncated != 0 {
			r.web.count.add(Oversized, 1)
		}
		if recs[i].Flags&FlagBadFraming != 0 {
			r.web.count.add(BadJSON, 1)
		}
	}
}
