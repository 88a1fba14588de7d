module github.com/vedette-siem/vedette/sdk/go

go 1.24
