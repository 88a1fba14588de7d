package api

import "time"

// Limits of requests and answers beside those of the stores.
const (
	MaxRequestBytes     = 1 << 20                // of any request but an installation
	MaxInstallBytes     = 20 << 20               // of InstallModule
	MaxPackageBytes     = 16 << 20               // of the package in it
	MaxRequestedTenants = 10_000                 // organizations named in one request
	MaxSources          = 1_000                  // of GetHealth
	MaxPortionRows      = 500                    // events in one message of Search
	MaxPortionBytes     = 1 << 20                // about, of one message of Search or Tail; one event may be larger
	WatchEvery          = 250 * time.Millisecond // how often WatchSource looks
	WatchAgain          = 10 * time.Second       // it says so again, and why nothing comes
	RecheckEvery        = 10 * time.Second       // how often a stream asks whether its caller may still see it
	WatchTime           = 15 * time.Minute       // it ends
	MaxWatches          = 32                     // at once: each looks through all senders
	MaxTenantWatches    = 4                      // of one organization, so that it leaves room for others
	MaxTailEvents       = 1_000                  // events in one message of Tail; further ones are counted as dropped
	TailEvery           = 100 * time.Millisecond // between two messages of Tail
	SearchBuckets       = 100                    // of a histogram whose request names no step
	DefaultFacetValues  = 10
	DefaultFieldValues  = 100
	MaxUserNameBytes    = 128     // of SignIn; no user has a longer one
	MaxBulkIncidents    = 1_000   // of ActOnIncidents
	MaxExplainBytes     = 4 << 20 // about, of the records in an explanation
	exportPieceBytes    = 256 << 10
	bulkAtOnce          = 64 // actions of one ActOnIncidents on their way: those waiting share one transaction

	MaxSamples            = 200            // records that are tried at once
	MaxSampleBytes        = 64 << 10       // of one of them
	DefaultPreviewRecords = 20             // taken from the store by a preview that names no number
	MaxUnparsed           = 10_000         // records that ListUnparsed looks at
	DefaultUnparsed       = 1_000          //
	MaxUnparsedBytes      = 32 << 20       // about, of the records that it, or a preview, looks at
	UnparsedWithin        = 24 * time.Hour // how far back it, and a preview, look for records
	MaxShapes             = 500            // of ListUnparsed; records of further ones are left out
	MaxShapeSamples       = 5              // of one shape; behind the first, as many as MaxPortionBytes hold together

	DefaultBacktestSpan    = time.Hour
	MaxBacktestSpan        = 7 * 24 * time.Hour
	DefaultBacktestRecords = 20_000
	MaxBacktestShadow      = 10 * time.Minute
	MaxDescribedPackages   = 200 // that one answer about installation requests reads

	MaxRuleRequestBytes = 4 << 20 // of any call of RuleService
	MaxRulesListed      = 20_000
	MaxRuleBytes        = 1 << 20             // of a document
	MaxGivenBytes       = 1 << 20             // of the events of RunRule
	MaxGivenEvents      = 5_000               //
	MaxRunEvents        = 10_000              // stored ones
	MaxVerdicts         = 500                 // events of which RunRule says why
	MaxRunIncidents     = 500                 // in one answer
	MaxRuleTestSpan     = 30 * 24 * time.Hour // of BacktestRule
	DefaultRuleSpan     = 24 * time.Hour
	DefaultRuleEvents   = 50_000
	MaxCompletions      = 100
	MaxExceptionLines   = 50                  // that ProposeException proposes
	verdictSpan         = 30 * 24 * time.Hour // over which verdicts on a rule's incidents are counted
	ruleHoursSpan       = 7 * 24 * time.Hour  // of GetRule
	arrivalSpan         = 24 * time.Hour      // in which what a rule needs has to have come
	minArrivalFresh     = 5 * time.Second     // for which what has come is remembered: the longer it took to find out, the longer
	maxArrivalFresh     = 5 * time.Minute
	arrivalWorth        = 20 // times as long
	arrivalTimeout      = 10 * time.Second
	maxArrivalsKept     = 10_000          // organizations of which it is remembered
	maxArrivedValues    = 1_000           // of one field; with more they are not looked at
	costSample          = 2_000           // events on which the cost of a rule is measured
	workloadFresh       = time.Minute     // for which these are remembered
	maxWorkloads        = 4               // of organizations at once
	keptPackageBytes    = 32 << 20        // of documents of packages that were read last
	proofEvery          = 5 * time.Second // between looks at whether the tests of other rules are to be run
	proofRest           = 9               // times as long as a test took: a tenth of one processor is used

	MaxReadmeBytes    = 64 << 10 // of a package, in GetPackage; the rest is left out
	MaxStatementParts = 1_000    // components or materials of one statement in it; the rest is left out
)
