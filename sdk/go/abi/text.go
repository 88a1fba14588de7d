package abi

import "time"

// AppendTime appends the text of a Time value (ABI 5.4): RFC 3339 in UTC with milliseconds, or with as many digits as
// it takes when there is more than milliseconds.
func AppendTime(b []byte, ns int64) []byte {
	layout := time.RFC3339Nano
	if ns%int64(time.Millisecond) == 0 {
		layout = "2006-01-02T15:04:05.000Z07:00"
	}
	return time.Unix(0, ns).UTC().AppendFormat(b, layout)
}
