package main

import (
	"testing"

	"github.com/vedette-siem/vedette/modules/moduletest"
	sdk "github.com/vedette-siem/vedette/sdk/go"
)

func TestCases(t *testing.T) { moduletest.Polls(t, sdk.Monitor{Init: Init, Poll: Poll}) }
