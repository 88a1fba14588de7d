package main

import "time"

const (
	LearnTime    = 7 * 24 * time.Hour  // of a host before anything is reported of it
	ForgetTime   = 90 * 24 * time.Hour // after which an account on a host, or a host, is new again
	CountTime    = 30 * 24 * time.Hour // in which the accounts of a host are counted for the reason
	MaxNameBytes = 150                 // of an account or a host that are compared
)
